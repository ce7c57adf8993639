//! What is kept no longer than it is needed.

use async_trait::async_trait;
use tidings_domain::{
    id::{TaskId, UserId},
    time::Timestamp,
};

use crate::error::Result;

/// How long answers to mutations, what consumers took in, refused pushes and the trash are kept: 30
/// days, in milliseconds. Nothing is delivered again later than that, since brokers keep less.
pub const KEPT_MS: i64 = 30 * 86_400_000;

/// Rows of a kind that are removed at once: whoever else writes waits for no more.
pub(super) const PRUNED: u64 = 5_000;

/// A task that has been in the trash for long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expired {
    /// Whose.
    pub user_id: UserId,
    /// Which.
    pub task_id: TaskId,
    /// Its version then: any other has come out of the trash since.
    pub version: i64,
    /// Since when it is there.
    pub deleted_at: Timestamp,
}

/// What a service removes, as people do. What nobody would notice, the store removes by itself.
#[async_trait]
pub trait Retention: Send + Sync {
    /// Tasks, of anyone, that went to the trash before that time: the oldest after one of them, at most
    /// `limit`.
    async fn expired_trash(
        &self,
        before: Timestamp,
        after: Option<Expired>,
        limit: usize,
    ) -> Result<Vec<Expired>>;
}
