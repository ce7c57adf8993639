//! The log, as a consumer's rows are made anew from it.

use std::sync::Arc;

use async_trait::async_trait;
use tidings_domain::id::{TaskId, UserId};

use crate::error::Result;

/// The log, and what makes way for a replay of it. All of it goes a bounded part at a time, however
/// much there is of one person: others write in between.
#[async_trait]
pub trait Replay: Send + Sync {
    /// Events as JSON, of one person or of everybody, after a place in the log that nobody else is
    /// told, each with its own. What is committed meanwhile may be passed over.
    async fn log(
        &self,
        user: Option<UserId>,
        after: i64,
        limit: usize,
    ) -> Result<Vec<(i64, Arc<str>)>>;
    /// Notes in the inbox of `audit` what is in the trail, of one person or of everybody: at most
    /// `limit` rows after one of them, in its order. The last of these, or none where there are no more.
    async fn mend_audit(
        &self,
        user: Option<UserId>,
        after: i64,
        limit: usize,
    ) -> Result<Option<i64>>;
    /// Removes what is counted of tasks and was made by no event of the log, of one person or of
    /// everybody: of at most `limit` tasks after one of them, in an order of its own. The last of
    /// these, or none where there are no more.
    async fn mend_statistics(
        &self,
        user: Option<UserId>,
        after: Option<(UserId, TaskId)>,
        limit: usize,
    ) -> Result<Option<(UserId, TaskId)>>;
}
