//! What was set aside, for operators: rows of the outbox that could not be published, and dead
//! letters that could not be delivered.

use async_trait::async_trait;
use tidings_domain::{
    event::Topic,
    id::{EventId, TaskId, UserId},
    time::Timestamp,
};

use crate::error::Result;

/// A row of the outbox that was set aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AsideRow {
    /// The row.
    pub id: i64,
    /// Where it was to go.
    pub topic: Topic,
    /// Whose it is.
    pub user_id: Option<UserId>,
    /// The event.
    pub event_id: EventId,
    /// Its type.
    pub event_type: String,
    /// How often it failed.
    pub attempts: i64,
    /// Why, at last.
    pub error: String,
}

/// Rows of the outbox that were set aside.
#[async_trait]
pub trait OutboxAside: Send + Sync {
    /// Those after row `after`, by id.
    async fn aside(&self, after: i64, limit: usize) -> Result<Vec<AsideRow>>;
    /// Puts rows back in their places (`None`: all); how many.
    async fn put_back(&self, id: Option<i64>) -> Result<u64>;
    /// Removes rows for good (`None`: all); how many. Their events stay in the log.
    async fn drop_aside(&self, id: Option<i64>) -> Result<u64>;
}

/// Why a delivery was not handled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Where it came from.
    pub topic: Topic,
    /// The event, as the CloudEvent has it.
    pub event_id: String,
    /// Who could not handle it, if anyone was asked.
    pub consumer: Option<&'static str>,
    /// Why.
    pub error: String,
    /// When.
    pub at: Timestamp,
}

/// A dead letter as it comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undelivered {
    /// Where it was to be delivered from.
    pub topic: Topic,
    /// The event, as the CloudEvent has it.
    pub event_id: String,
    /// Whose it is, if that can be read.
    pub user_id: Option<UserId>,
    /// Which task it is about, if that can be read.
    pub task_id: Option<TaskId>,
    /// The whole CloudEvent.
    pub payload: String,
    /// When it came.
    pub received_at: Timestamp,
}

/// A dead letter as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// Under what it is kept.
    pub id: i64,
    /// Where it was to be delivered from.
    pub topic: Topic,
    /// The event.
    pub event_id: String,
    /// Who could not handle it, where that is known.
    pub consumer: Option<String>,
    /// Why, where that is known.
    pub error: Option<String>,
    /// The whole CloudEvent.
    pub payload: String,
    /// When it came.
    pub received_at: Timestamp,
}

/// Dead letters. One is kept a topic and event, however often it comes.
#[async_trait]
pub trait DeadLetters: Send + Sync {
    /// Notes why a delivery failed, for its dead letter to tell.
    async fn note_failure(&self, failure: &Failure) -> Result<()>;
    /// Keeps a dead letter, with what was noted of it.
    async fn keep(&self, letter: &Undelivered) -> Result<()>;
    /// Those after letter `after`, by id.
    async fn letters(&self, after: i64, limit: usize) -> Result<Vec<DeadLetter>>;
    /// How many there are.
    async fn count_letters(&self) -> Result<i64>;
    /// Notes why a letter failed again. Nothing where it is gone.
    async fn letter_failed(
        &self,
        id: i64,
        consumer: Option<&'static str>,
        error: &str,
    ) -> Result<()>;
    /// Removes letters for good (`None`: all); how many.
    async fn drop_letters(&self, id: Option<i64>) -> Result<u64>;
}
