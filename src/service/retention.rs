//! Empties the trash of what has been in it for 30 days, as people do by hand.

use std::time::Duration;

use tidings_domain::{
    command::{Command, IfMatch},
    event::Metadata,
    id::MutationId,
};
use tokio::time::{self, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::{
    clock::Ambient,
    error::{Error, Result},
    store::{Expired, KEPT_MS, Mutation, SharedStore},
};

/// How often it looks.
const EVERY: Duration = Duration::from_secs(60);
/// Tasks read at once. They are deleted one after the other, each between what others write.
const BATCH: usize = 100;

/// Empties the trash.
pub struct Retention {
    store: SharedStore,
    ambient: Ambient,
}

impl Retention {
    /// Of this store.
    pub fn new(store: SharedStore, ambient: Ambient) -> Self {
        Self { store, ambient }
    }

    /// Looks now and then, until `stop`. Other processes on the same database may do so too.
    pub async fn run(self, stop: CancellationToken) {
        let mut tick = time::interval(EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                _ = tick.tick() => {}
            }
            if let Err(error) = self.empty(&stop).await {
                tracing::warn!(%error, "the trash was not emptied; it will be later");
            }
        }
    }

    async fn empty(&self, stop: &CancellationToken) -> Result<()> {
        // What is refused stays: the others come after it.
        let mut last = None;
        loop {
            let before = self.ambient.clock.now().plus_ms(-KEPT_MS);
            let expired = self.store.expired_trash(before, last, BATCH).await?;
            last = expired.last().copied();
            let mut gone = 0;
            for task in &expired {
                if stop.is_cancelled() {
                    return Ok(());
                }
                match self.store.mutate(self.purge(task)).await {
                    Ok(_) => gone += 1,
                    // Somebody took it out of the trash, or was quicker.
                    Err(Error::Refused(_)) => {}
                    Err(error) => return Err(error),
                }
            }
            if gone > 0 {
                tracing::info!(
                    gone,
                    "tasks were deleted for good after 30 days in the trash"
                );
            }
            if expired.len() < BATCH {
                return Ok(());
            }
        }
    }

    fn purge(&self, task: &Expired) -> Mutation {
        Mutation {
            user_id: task.user_id,
            task_id: task.task_id,
            action: Command::Purge.into(),
            receipt: None,
            if_match: Some(IfMatch::Version(task.version)),
            fingerprint: None,
            metadata: Metadata::default(),
            mutation_id: MutationId(self.ambient.ids.next()),
        }
    }
}
