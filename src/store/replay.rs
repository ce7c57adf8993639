//! The log, as a consumer's rows are made anew from it.

use std::sync::Arc;

use async_trait::async_trait;
use tidings_domain::id::UserId;

use crate::error::Result;

/// The log, and what makes way for a replay of it.
#[async_trait]
pub trait Replay: Send + Sync {
    /// The first person after `after`, by id, of whom the log has an event.
    async fn next_person(&self, after: Option<UserId>) -> Result<Option<UserId>>;
    /// Events as JSON, of one person or of everybody, after a place in the log that nobody else is
    /// told, each with its own. What is committed meanwhile may be passed over.
    async fn log(
        &self,
        user: Option<UserId>,
        after: i64,
        limit: usize,
    ) -> Result<Vec<(i64, Arc<str>)>>;
    /// Makes the inbox of `audit` say which events of a person, or of nobody, are in the trail. The
    /// trail itself is not touched: what it has, it keeps, under the same numbers.
    async fn mend_audit(&self, user: Option<UserId>) -> Result<()>;
    /// Removes what is counted of a person's tasks and was made by no event of the log.
    async fn mend_statistics(&self, user: UserId) -> Result<()>;
}
