//! What is counted of a person's tasks: a read model, fed by events.

use async_trait::async_trait;
use tidings_domain::{
    id::{EventId, TaskId, UserId},
    statistics::Counted,
    task::Priority,
    time::Timestamp,
};

use crate::error::Result;

/// Tags that are told of.
pub(super) const TAGS_MAX: i64 = 10;

/// The priority that a store keeps as this number.
pub(super) fn priority(kept: i64) -> Priority {
    let at = usize::try_from(kept).unwrap_or_default();
    Priority::ALL.get(at).copied().unwrap_or_default()
}

/// What an event says of what is counted.
#[derive(Clone, Debug, PartialEq)]
pub struct Tally {
    /// The event.
    pub event_id: EventId,
    /// The task that it is about; none for an event that says nothing of one.
    pub task: Option<TallyTask>,
}

/// A task, as an event left it.
#[derive(Clone, Debug, PartialEq)]
pub struct TallyTask {
    /// Whose.
    pub user_id: UserId,
    /// The task.
    pub task_id: TaskId,
    /// The event's place in the feed: of two events, the one with the higher holds.
    pub seq: i64,
    /// What counts; nothing of a task in the trash or deleted for good.
    pub counts: Option<Counts>,
}

/// What counts of a task.
#[derive(Clone, Debug, PartialEq)]
pub struct Counts {
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was completed, if it is.
    pub completed_at: Option<Timestamp>,
    /// How much it matters.
    pub priority: Priority,
    /// Its tags.
    pub tags: Vec<String>,
}

/// What is counted, and with it the inbox of the consumer `analytics`.
#[async_trait]
pub trait Statistics: Send + Sync {
    /// Takes events in, each once, in any order: inbox rows and effect in one transaction. With
    /// `again` those in the inbox too. Of a person who is gone nothing is kept.
    async fn tally(&self, tallies: &[Tally], again: bool) -> Result<()>;
    /// What is counted of a person's tasks since an instant. Of no more tasks than a person may have
    /// outside the trash.
    async fn counted(&self, user: UserId, since: Timestamp) -> Result<Counted>;
}
