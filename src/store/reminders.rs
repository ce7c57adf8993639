//! Reminders whose time has come.

use async_trait::async_trait;
use tidings_domain::time::Timestamp;

use crate::error::Result;

/// Reminders of all people's tasks.
#[async_trait]
pub trait Reminders: Send + Sync {
    /// Writes `reminder.due`, with its outbox row, for open tasks whose `remind_at` is not after
    /// `now`, the longest due first: once a task and time, ever, whoever else does the same and
    /// however the clock goes. Returns how many tasks were looked at: fewer than `limit` where no
    /// more are due.
    async fn remind(&self, now: Timestamp, limit: usize) -> Result<usize>;
}
