//! Turns at reading everything of a person.

use std::time::Duration;

use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::timeout,
};

use crate::error::{Error, Result};

/// How long anyone waits for a turn.
const PATIENCE: Duration = Duration::from_secs(5);

/// Lets only so many read everything of a person at once: the other connections stay free for what is
/// small.
pub(super) struct Turns(Semaphore);

impl Turns {
    pub(super) fn new(count: usize) -> Self {
        Self(Semaphore::new(count))
    }

    /// A turn, until it is dropped; `Unavailable` where none is free in time.
    pub(super) async fn take(&self) -> Result<SemaphorePermit<'_>> {
        timeout(PATIENCE, self.0.acquire())
            .await
            .map_err(|_| Error::Unavailable("too many large reads at once".into()))?
            .map_err(Error::internal)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use tidings_domain::id::UserId;
    use uuid::Uuid;

    use super::*;
    use crate::store::{AsOf, OnCommit, Store};

    pub(in crate::store) struct Nobody;

    impl OnCommit for Nobody {
        fn committed(&self, _: &[UserId]) {}
        fn account_changed(&self, _: UserId) {}
    }

    /// Holds a store to its `turns`, all `count` of them.
    pub(in crate::store) async fn are_kept(store: &dyn Store, turns: &Turns, count: u32) {
        let user = UserId(Uuid::nil());
        let busy = turns.0.acquire_many(count).await.unwrap();
        tokio::time::pause();
        let (past, all) = tokio::join!(store.as_of(user, AsOf::Seq(1)), store.snapshot(user));
        assert!(past.unwrap_err().is_passing() && all.unwrap_err().is_passing());
        tokio::time::resume();
        // What is small does not wait for them.
        assert_eq!(store.head(user).await.unwrap(), 0);
        drop(busy);
        assert!(store.as_of(user, AsOf::Seq(1)).await.unwrap().is_empty());
        assert!(store.snapshot(user).await.unwrap().1.is_empty());
        store.close().await;
    }
}
