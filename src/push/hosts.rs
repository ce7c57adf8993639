//! How much goes to one push service at once: whoever answers slowly, or never, has no more in hand
//! than that, and what is for others does not wait for it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

/// Requests under way at one service.
const AT_ONE: usize = 16;
/// How long a push waits until it may go there. It is tried again later.
const PATIENCE: Duration = Duration::from_secs(5);

/// The push services that something is on its way to.
#[derive(Default)]
pub(super) struct Hosts(Mutex<HashMap<String, Arc<Semaphore>>>);

impl Hosts {
    /// Room for a request to a service, until it is dropped; none where it has enough in hand.
    pub(super) async fn room(&self, origin: &str) -> Option<OwnedSemaphorePermit> {
        let host = {
            let mut hosts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            // Nobody waits for the others.
            hosts.retain(|_, host| Arc::strong_count(host) > 1);
            let host = hosts.entry(origin.to_owned());
            let host = host.or_insert_with(|| Arc::new(Semaphore::new(AT_ONE)));
            host.clone()
        };
        timeout(PATIENCE, host.acquire_owned()).await.ok()?.ok()
    }
}
