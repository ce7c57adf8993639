//! The store: everything that lasts. One trait a noun; `Store` is all of them. Only this module and
//! those below it hold SQL.

pub mod plan;
pub mod sqlite;

use std::sync::Arc;

use async_trait::async_trait;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tidings_domain::{
    account::User,
    command::{Command, IfMatch},
    event::{EventType, Metadata, Topic},
    id::{EventId, MutationId, TaskId, UserId},
    task::{Priority, Task},
    time::Timestamp,
    view::{Board, Here, View},
};
use uuid::Uuid;

use crate::error::Result;

pub use self::sqlite::SqliteStore;

/// Everything that lasts.
pub trait Store: Tasks + Feeds + Accounts + Sessions + Tokens + Outbox + AuditTrail {}

impl<T: Tasks + Feeds + Accounts + Sessions + Tokens + Outbox + AuditTrail> Store for T {}

/// Told of every commit that made events, after it is durable: wakes the relay and the sockets.
pub trait OnCommit: Send + Sync {
    /// These people's feeds, or the outbox for `None`, have something new. Must not block.
    fn committed(&self, users: &[UserId]);
}

/// The shared handle.
pub type SharedStore = Arc<dyn Store>;

/// One intended change of one task.
#[derive(Clone, Debug)]
pub struct Mutation {
    /// Whose task.
    pub user_id: UserId,
    /// Which task.
    pub task_id: TaskId,
    /// What is asked.
    pub command: Command,
    /// What `If-Match` asks for.
    pub if_match: Option<IfMatch>,
    /// SHA-256 of what was asked, so that a mutation id seen before is answered again for the same
    /// request and refused for another. `None`: the id is the server's own and is not kept.
    pub fingerprint: Option<[u8; 32]>,
    /// How it came about; `mutation_id` in it is always set here.
    pub metadata: Metadata,
    /// The mutation's id.
    pub mutation_id: MutationId,
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
    /// Exactly this tag.
    pub tag: Option<String>,
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

/// Tasks, and the feed that they stand at, read in one transaction.
#[derive(Clone, Debug)]
pub struct TaskPage {
    /// In order.
    pub items: Vec<Task>,
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

/// The log.
#[async_trait]
pub trait Feeds: Send + Sync {
    /// The database's own id, renewed when a backup is restored.
    fn epoch(&self) -> Uuid;
    /// The last seq of a feed; 0 before the first event.
    async fn head(&self, user: UserId) -> Result<i64>;
    /// The head, and events after `after`, in order.
    async fn events(
        &self,
        user: UserId,
        after: i64,
        limit: usize,
    ) -> Result<(i64, Vec<StoredEvent>)>;
    /// The newest events before `before`, newest first: the Activity page.
    async fn recent(&self, user: UserId, before: i64, limit: usize) -> Result<Vec<StoredEvent>>;
}

/// An event that stands in no feed: `user.*` and `audit.*`.
#[derive(Clone, Debug)]
pub struct LooseEvent {
    /// Its id.
    pub event_id: EventId,
    /// What happened.
    pub event_type: EventType,
    /// When.
    pub timestamp: Timestamp,
    /// To whom, if that is known.
    pub user_id: Option<UserId>,
    /// What is particular to the type.
    pub data: Value,
    /// How it came about.
    pub metadata: Metadata,
}

/// A person with what only the server may know.
#[derive(Clone, Debug)]
pub struct Account {
    /// The person.
    pub user: User,
    /// PHC string.
    pub password_hash: String,
    /// `light`, `dark` or `system`.
    pub theme: String,
}

/// People.
#[async_trait]
pub trait Accounts: Send + Sync {
    /// Makes an account, with its feed and the event. `email_taken` where the email is.
    async fn register(&self, account: &Account, event: &LooseEvent) -> Result<()>;
    /// The account of an email key ([`tidings_domain::account::email_key`]).
    async fn account_by_email(&self, email_key: &str) -> Result<Option<Account>>;
    /// The account of a person.
    async fn account(&self, user: UserId) -> Result<Option<Account>>;
    /// Sets name, zone and theme.
    async fn update_account(
        &self,
        user: UserId,
        name: &str,
        time_zone: &str,
        theme: &str,
    ) -> Result<()>;
    /// Sets the password and ends every session but one.
    async fn set_password(
        &self,
        user: UserId,
        password_hash: &str,
        keep: Option<&[u8; 32]>,
        event: &LooseEvent,
    ) -> Result<()>;
    /// Removes everything of a person. The audit trail keeps what it recorded, without contents.
    async fn delete_account(&self, user: UserId, event: &LooseEvent) -> Result<()>;
    /// Writes an event and its outbox row.
    async fn record(&self, event: &LooseEvent) -> Result<()>;
}

/// A session. Its token is known to the browser alone; the store has its SHA-256.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// SHA-256 of the token.
    pub token_hash: [u8; 32],
    /// Whose.
    pub user_id: UserId,
    /// Since when.
    pub created_at: Timestamp,
    /// Until when, unless it is used before.
    pub expires_at: Timestamp,
}

/// Sessions.
#[async_trait]
pub trait Sessions: Send + Sync {
    /// Begins one.
    async fn create_session(&self, session: &Session, event: &LooseEvent) -> Result<()>;
    /// The session and its account, if it has not expired at `now`.
    async fn session(&self, hash: &[u8; 32], now: Timestamp) -> Result<Option<(Session, Account)>>;
    /// Moves its end.
    async fn extend_session(&self, hash: &[u8; 32], expires_at: Timestamp) -> Result<()>;
    /// Ends one, or with `everywhere` all of its person's.
    async fn end_session(
        &self,
        hash: &[u8; 32],
        user: UserId,
        everywhere: bool,
        event: &LooseEvent,
    ) -> Result<()>;
}

/// A personal API token, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// Its id.
    pub id: Uuid,
    /// What its owner calls it.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Personal API tokens.
#[async_trait]
pub trait Tokens: Send + Sync {
    /// Keeps a token by its SHA-256.
    async fn create_token(
        &self,
        user: UserId,
        token: &Token,
        hash: &[u8; 32],
        event: &LooseEvent,
    ) -> Result<()>;
    /// All of a person, newest first.
    async fn tokens(&self, user: UserId) -> Result<Vec<Token>>;
    /// Revokes one; false where it is not theirs.
    async fn revoke_token(&self, user: UserId, id: Uuid, event: &LooseEvent) -> Result<bool>;
    /// The account of a token, by its SHA-256.
    async fn token_account(&self, hash: &[u8; 32]) -> Result<Option<Account>>;
}

/// A row of the outbox: one event for one topic.
#[derive(Clone, Debug, PartialEq)]
pub struct OutboxRow {
    /// The row.
    pub id: i64,
    /// Where it goes.
    pub topic: Topic,
    /// Whose it is: the partition.
    pub user_id: Option<UserId>,
    /// The event.
    pub event_id: EventId,
    /// Its type, as written.
    pub event_type: String,
    /// Task or user id.
    pub subject: String,
    /// When it happened.
    pub timestamp: Timestamp,
    /// The event as JSON: the CloudEvent's `data`.
    pub json: Arc<str>,
    /// How often it has failed.
    pub attempts: i64,
}

/// What became of an outbox row.
#[derive(Clone, Debug, PartialEq)]
pub enum Settled {
    /// Published: the row goes.
    Done(i64),
    /// Failed: try again at that time.
    Retry {
        /// The row.
        id: i64,
        /// When.
        at: Timestamp,
        /// Why, for operators.
        error: String,
    },
    /// Set aside: shown, never lost.
    Dead {
        /// The row.
        id: i64,
        /// Why, for operators.
        error: String,
    },
}

/// What the outbox holds for a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxDepth {
    /// The topic.
    pub topic: Topic,
    /// Rows that wait.
    pub pending: i64,
    /// Rows set aside.
    pub dead: i64,
    /// When the oldest waiting one was written.
    pub oldest: Option<Timestamp>,
}

/// The outbox.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Leases (user, topic) pairs to `holder` until `until` and returns their oldest rows in order,
    /// at most `limit`. A pair whose oldest row waits for a retry yields nothing, so that order
    /// holds; a lease of another holder is passed over until it ends.
    async fn claim(
        &self,
        holder: Uuid,
        now: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<OutboxRow>>;
    /// Writes down what became of rows.
    async fn settle(&self, rows: &[Settled]) -> Result<()>;
    /// Lets a holder's leases go, at shutdown.
    async fn release(&self, holder: Uuid) -> Result<()>;
    /// How full it is, by topic.
    async fn depth(&self) -> Result<Vec<OutboxDepth>>;
}

/// A row for the audit trail.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEntry {
    /// The event.
    pub event_id: EventId,
    /// Its type, as written.
    pub event_type: String,
    /// Whose it is.
    pub user_id: Option<UserId>,
    /// Its seq, on a feed.
    pub seq: Option<i64>,
    /// When it happened.
    pub timestamp: Timestamp,
    /// When it was recorded.
    pub recorded_at: Timestamp,
}

/// A row of the audit trail, as `GET /api/audit` shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditRow {
    /// Rises in the trail's own order.
    pub n: i64,
    /// The event's seq.
    pub seq: Option<i64>,
    /// The event.
    pub event_id: EventId,
    /// Its type.
    pub event_type: String,
    /// When the consumer recorded it.
    pub recorded_at: Timestamp,
}

/// The audit trail, and with it the inbox of the audit consumer.
#[async_trait]
pub trait AuditTrail: Send + Sync {
    /// Records entries, each once: inbox row (consumer `audit`, event id) and trail row in one
    /// transaction.
    async fn record_audit(&self, entries: &[AuditEntry]) -> Result<()>;
    /// Rows after `after`, n rising.
    async fn audit(&self, user: UserId, after: i64, limit: usize) -> Result<Vec<AuditRow>>;
}

/// What a check of the whole store found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// People looked at.
    pub users: u64,
    /// Events folded.
    pub events: u64,
    /// Tasks compared.
    pub tasks: u64,
    /// Events that left the outbox and are not in the audit trail: none where the audit consumer has
    /// always run.
    pub unrecorded: u64,
    /// What is wrong, for operators; ids, never contents. The first hundred.
    pub faults: Vec<String>,
}
