//! Tasks and their log.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tidings_domain::{
    command::{Command, IfMatch},
    event::Metadata,
    id::{EventId, MutationId, TaskId, UserId},
    task::{Priority, Task},
    time::Timestamp,
    view::{Board, Here, View},
};
use uuid::Uuid;

use crate::error::{Error, Result};

/// One intended change of one task.
#[derive(Clone, Debug)]
pub struct Mutation {
    /// Whose task.
    pub user_id: UserId,
    /// Which task.
    pub task_id: TaskId,
    /// What is asked.
    pub action: Action,
    /// What `If-Match` asks for.
    pub if_match: Option<IfMatch>,
    /// SHA-256 of what was asked, so that a mutation id seen before is answered again for the same
    /// request and refused for another. `None`: the id is the server's own and is not kept.
    pub fingerprint: Option<[u8; 32]>,
    /// How it came about; `mutation_id` in it is always set here.
    pub metadata: Metadata,
    /// The mutation's id.
    pub mutation_id: MutationId,
    /// The event whose effect it is, where a consumer makes it: noted in the inbox with the effect. A
    /// mutation whose event is noted already does nothing.
    pub receipt: Option<Receipt>,
}

/// What may be asked of a task here: beyond commands, what takes the series that the task is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// A command.
    Command(Command),
    /// Move it on to the next date of its series, without completing it.
    Skip,
    /// Put its reminder off until then; those that follow on it keep theirs.
    Snooze(Timestamp),
    /// Make it, the successor of this task, if that is completed and repeats; or bring it back, if it
    /// went because that task was opened again.
    Follow(TaskId),
}

impl From<Command> for Action {
    fn from(command: Command) -> Self {
        Self::Command(command)
    }
}

/// That a consumer has taken an event in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Receipt {
    /// The consumer.
    pub consumer: &'static str,
    /// The event.
    pub event_id: EventId,
}

/// What became of a mutation.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The task after it; `None` once it was deleted for good.
    pub task: Option<Task>,
    /// The feed's head after it, whether or not it made an event.
    pub seq: i64,
    /// Whether this is the stored answer to a mutation seen before.
    pub replayed: bool,
}

/// What a list of tasks is asked for.
#[derive(Clone, Debug, Default)]
pub struct TaskQuery {
    /// Which view.
    pub view: View,
    /// Words, each of which begins a word of title, description or tags.
    pub q: Option<String>,
    /// Exactly these tags, all of them.
    pub tags: Vec<String>,
    /// Exactly this priority.
    pub priority: Option<Priority>,
    /// Completed or not.
    pub completed: Option<bool>,
    /// Due on a day before this one.
    pub due_before: Option<NaiveDate>,
    /// Due on a day after this one.
    pub due_after: Option<NaiveDate>,
    /// In which order.
    pub sort: Sort,
    /// At most this many.
    pub limit: usize,
    /// After this one.
    pub after: Option<Cursor>,
}

/// What tasks are sorted by; ties by id, nulls last both ways.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sort {
    /// The key.
    pub key: SortKey,
    /// Turned round.
    pub descending: bool,
}

/// A sort key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SortKey {
    /// The person's own order.
    #[default]
    Position,
    /// Due day and time.
    DueDate,
    /// From none to urgent.
    Priority,
    /// When it was made.
    CreatedAt,
    /// When it changed last.
    UpdatedAt,
    /// By the folded title.
    Title,
    /// When it was completed (the Completed page's own order).
    CompletedAt,
    /// When it went to the trash (the Trash page's own order).
    DeletedAt,
}

/// A place in a sorted list: the sort value (an integer, a text or null) and id of the last task
/// shown. Goes to clients as opaque text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cursor {
    /// The order that it belongs to.
    pub sort: Sort,
    /// The last task's sort value.
    pub value: Value,
    /// The last task.
    pub id: TaskId,
}

/// A task as it is kept: the JSON that the log has, and clients get. Lists hand it on unread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskJson(Box<str>);

impl TaskJson {
    /// What a store kept.
    pub(super) fn kept(json: &str) -> Self {
        Self(json.into())
    }

    /// Writes a task.
    ///
    /// # Errors
    /// Internal, where it cannot be written as JSON.
    pub fn of(task: &Task) -> Result<Self> {
        let json = serde_json::to_string(task).map_err(Error::internal)?;
        Ok(Self(json.into()))
    }

    /// The task.
    ///
    /// # Errors
    /// Internal, where what was kept is none.
    pub fn read(&self) -> Result<Task> {
        serde_json::from_str(&self.0).map_err(Error::internal)
    }

    /// The JSON.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Tasks, and the feed that they stand at, read in one transaction.
#[derive(Clone, Debug)]
pub struct TaskPage {
    /// In order.
    pub items: Vec<TaskJson>,
    /// Where to go on.
    pub next: Option<Cursor>,
    /// The database's id.
    pub epoch: Uuid,
    /// The feed's head.
    pub seq: i64,
}

/// Which past moment is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsOf {
    /// After this event of the feed.
    Seq(i64),
    /// At this instant, inclusive.
    At(Timestamp),
}

/// Tasks and what happens to them.
#[async_trait]
pub trait Tasks: Send + Sync {
    /// Carries a mutation out: looks its id up, decides, and writes state, events, outbox and id in
    /// one durable transaction, or nothing at all.
    async fn mutate(&self, mutation: Mutation) -> Result<Outcome>;
    /// A task, in the trash or not.
    async fn task(&self, user: UserId, id: TaskId) -> Result<Option<Task>>;
    /// A list.
    async fn list(&self, user: UserId, query: &TaskQuery, here: &Here<'_>) -> Result<TaskPage>;
    /// What a page shows: up to `limit` open tasks of the view, with counts, epoch and cursor. Where
    /// the person has at most `limit` open tasks in all, the board holds every one of them.
    async fn board(
        &self,
        user: UserId,
        view: &View,
        limit: usize,
        here: &Here<'_>,
    ) -> Result<Board>;
    /// Every open task and the seq that they stand at, from one short transaction.
    async fn snapshot(&self, user: UserId) -> Result<(i64, Vec<Task>)>;
    /// Events of one task with a version above `after`, oldest first.
    async fn history(
        &self,
        user: UserId,
        id: TaskId,
        after: i64,
        limit: usize,
    ) -> Result<Vec<StoredEvent>>;
    /// All tasks outside the trash as they were, by position.
    async fn as_of(&self, user: UserId, moment: AsOf) -> Result<Vec<Task>>;
}

/// An event of the log: its `data` member as it was written, once, at commit.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredEvent {
    /// Its place in the feed.
    pub seq: i64,
    /// The JSON that goes on the wire.
    pub json: Arc<str>,
}

impl StoredEvent {
    /// Whether it tells of a notification. Nothing that people write can hold these quotes unescaped.
    pub fn is_notification(&self) -> bool {
        self.json.contains(r#""event_type":"notification.created""#)
    }
}

/// Bytes of events after which a read of the log ends early.
pub const EVENTS_BYTES: usize = 4 * 1024 * 1024;

/// The log.
#[async_trait]
pub trait Feeds: Send + Sync {
    /// The database's own id, renewed when a backup is restored.
    fn epoch(&self) -> Uuid;
    /// The last seq of a feed; 0 before the first event.
    async fn head(&self, user: UserId) -> Result<i64>;
    /// The head, and events after `after`, in order: at most `limit`, and none more once they have
    /// [`EVENTS_BYTES`]. Whoever wants all reads on until the head.
    async fn events(
        &self,
        user: UserId,
        after: i64,
        limit: usize,
    ) -> Result<(i64, Vec<StoredEvent>)>;
    /// The newest events of tasks before `before`, newest first: the Activity page.
    async fn recent(&self, user: UserId, before: i64, limit: usize) -> Result<Vec<StoredEvent>>;
    /// How many of a person's notifications are unread: what tabs are told beside the events.
    async fn unread(&self, user: UserId) -> Result<i64>;
}
