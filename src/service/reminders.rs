//! The reminders role: tells when the time of a reminder has come.

use std::{sync::Arc, time::Duration};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::{clock::Clock, error::Result, store};

/// It looks by itself after this long; the cron binding may wake it before.
const TICK: Duration = Duration::from_secs(15);
/// Reminders of one transaction.
const BATCH: usize = 500;

/// Writes the events of due reminders until it is told to stop.
pub struct Reminders {
    store: Arc<dyn store::Reminders>,
    clock: Arc<dyn Clock>,
    /// Told by the cron binding.
    wake: Arc<Notify>,
}

impl Reminders {
    /// Over this store and clock, woken by `wake`.
    pub fn new(store: Arc<dyn store::Reminders>, clock: Arc<dyn Clock>, wake: Arc<Notify>) -> Self {
        Self { store, clock, wake }
    }

    /// Goes on until `stop`, and ends with the batch that it is at.
    pub async fn run(self, stop: CancellationToken) {
        let mut failing = false;
        while !stop.is_cancelled() {
            match self.turn(&stop).await {
                Ok(_) if failing => {
                    failing = false;
                    tracing::info!("reminders are looked for again");
                }
                Ok(_) => {}
                // One line an outage.
                Err(error) if !failing => {
                    failing = true;
                    tracing::warn!(%error, "reminders were not looked for; they will be later");
                }
                Err(_) => {}
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.wake.notified() => {}
                () = tokio::time::sleep(TICK) => {}
            }
        }
    }

    /// Tells of all that is due; how many.
    ///
    /// # Errors
    /// The store's.
    pub async fn turn(&self, stop: &CancellationToken) -> Result<usize> {
        let now = self.clock.now();
        let mut count = 0;
        while !stop.is_cancelled() {
            let looked = self.store.remind(now, BATCH).await?;
            count += looked;
            if looked < BATCH {
                break;
            }
        }
        if count > 0 {
            tracing::debug!(count, "reminders were due");
        }
        Ok(count)
    }
}
