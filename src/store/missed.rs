//! What consumers never took in, though it left the outbox: a broker may lose what it was given.

use std::{collections::HashSet, sync::Arc};

use async_trait::async_trait;
use tidings_domain::{
    event::{EventType, Topic},
    id::EventId,
};

use crate::error::Result;

/// The log, held against the inbox of a consumer. Places in it are the log's own numbers, which are
/// told to nobody else.
#[async_trait]
pub trait Missed: Send + Sync {
    /// Up to where the log has left the outbox for all of these topics, but for what was set aside.
    async fn published_to(&self, topics: &[Topic]) -> Result<i64>;
    /// Up to where the log was compared with a consumer's inbox.
    async fn compared_to(&self, consumer: &str) -> Result<i64>;
    /// Moves that place from `from` to `to`, unless it is no longer there.
    async fn compared(&self, consumer: &str, from: i64, to: i64) -> Result<()>;
    /// The events of these types after `from` and up to `to` that a consumer's inbox has not under
    /// their own ids, oldest first, as JSON.
    async fn missed(
        &self,
        consumer: &str,
        types: &[EventType],
        from: i64,
        to: i64,
    ) -> Result<Vec<Arc<str>>>;
    /// Which of these a consumer's inbox has.
    async fn noted(&self, consumer: &str, ids: &[EventId]) -> Result<HashSet<EventId>>;
}
