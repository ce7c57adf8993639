//! The shapes of REST's bodies, for the document alone: each mirrors what a handler reads or
//! writes, and a test holds the two together.

use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// A task.
#[derive(ToSchema)]
pub struct Task {
    /// Made by the client (version 7) or the server.
    pub id: Uuid,
    /// 1 to 200 characters, trimmed.
    #[schema(min_length = 1, max_length = 200, example = "Buy groceries")]
    pub title: String,
    /// Up to 10,000 characters.
    #[schema(max_length = 10_000, example = "Milk, eggs, bread")]
    pub description: String,
    /// Whether it is done.
    pub completed: bool,
    /// When it was done.
    #[schema(required, format = DateTime)]
    pub completed_at: Option<String>,
    /// How much it matters.
    pub priority: Priority,
    /// At most 20, each 1 to 40 characters.
    #[schema(max_items = 20, example = json!(["home"]))]
    pub tags: Vec<String>,
    /// The day it is due.
    #[schema(required, format = Date, example = "2026-12-10")]
    pub due_date: Option<String>,
    /// The time on that day, `HH:MM`; without it the task is due all day.
    #[schema(required, pattern = "^[0-2][0-9]:[0-5][0-9]$", example = "15:00")]
    pub due_time: Option<String>,
    /// The IANA zone of due date and time.
    #[schema(example = "Europe/Berlin")]
    pub time_zone: String,
    /// When to remind.
    #[schema(required, format = DateTime)]
    pub remind_at: Option<String>,
    /// How it repeats.
    #[schema(required)]
    pub recurrence: Option<Recurrence>,
    /// The first task of the series, once it repeats.
    #[schema(required)]
    pub series_id: Option<Uuid>,
    /// A fractional index: its place, in byte order.
    #[schema(pattern = "^[0-9A-Za-z]{1,64}$", example = "a0")]
    pub position: String,
    /// Starts at 1 and rises by one with each event of the task.
    #[schema(minimum = 1)]
    pub version: i64,
    /// When it was made.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When it changed last.
    #[schema(format = DateTime)]
    pub updated_at: String,
    /// When it went to the trash.
    #[schema(required, format = DateTime)]
    pub deleted_at: Option<String>,
}

/// How much a task matters.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
pub enum Priority {
    /// Not said.
    None,
    /// Low.
    Low,
    /// Medium.
    Medium,
    /// High.
    High,
    /// Urgent.
    Urgent,
}

/// How a task repeats. On the way in also one of the words none, daily, weekly, monthly, yearly.
#[derive(ToSchema)]
pub struct Recurrence {
    /// An RFC 5545 RRULE, FREQ DAILY to YEARLY, without BYHOUR, BYMINUTE and BYSECOND.
    #[schema(example = "FREQ=WEEKLY;BYDAY=MO,WE")]
    pub rule: String,
    /// What the next occurrence is counted from.
    #[schema(required = false)]
    pub from: RecurFrom,
}

/// What the next occurrence is counted from.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
pub enum RecurFrom {
    /// From the due date.
    Due,
    /// From the day of completion.
    Completion,
}

/// The fields of a task that may be set. In PUT, what is missing takes its default; in PATCH it
/// stays, and null clears it.
#[derive(ToSchema)]
pub struct TaskFields {
    /// 1 to 200 characters after trimming. Needed but in PATCH.
    #[schema(min_length = 1, max_length = 200)]
    pub title: Option<String>,
    /// Up to 10,000 characters.
    #[schema(max_length = 10_000)]
    pub description: Option<String>,
    /// Done or not.
    pub completed: Option<bool>,
    /// How much it matters.
    pub priority: Option<Priority>,
    /// All tags.
    #[schema(max_items = 20)]
    pub tags: Option<Vec<String>>,
    /// The day it is due.
    #[schema(format = Date)]
    pub due_date: Option<String>,
    /// The time on that day, `HH:MM`; needs a due date.
    #[schema(pattern = "^[0-2][0-9]:[0-5][0-9]$")]
    pub due_time: Option<String>,
    /// IANA name; the person's own by default.
    pub time_zone: Option<String>,
    /// When to remind.
    #[schema(format = DateTime)]
    pub remind_at: Option<String>,
    /// How it repeats.
    pub recurrence: Option<Recurrence>,
    /// Its place; a new task goes first by default.
    #[schema(pattern = "^[0-9A-Za-z]{1,64}$")]
    pub position: Option<String>,
}

/// A new task.
#[derive(ToSchema)]
pub struct NewTask {
    /// A version 7 UUID, where the client makes it.
    pub id: Option<Uuid>,
    /// Its fields; the title is needed.
    #[schema(inline)]
    #[serde(flatten)]
    pub fields: TaskFields,
}

/// Done or not; without it, the other way round.
#[derive(ToSchema)]
pub struct Completion {
    /// Done or not.
    pub completed: Option<bool>,
}

/// What to bring back.
#[derive(ToSchema)]
pub struct Restoration {
    /// The fields as they were at this version; without it, only out of the trash.
    #[schema(minimum = 1)]
    pub version: Option<i64>,
}

/// A part of a list.
#[derive(ToSchema)]
pub struct TaskList {
    /// In order.
    pub items: Vec<Task>,
    /// Where to go on; null at the end.
    #[schema(required)]
    pub next_cursor: Option<String>,
    /// Where the feed stands.
    pub feed: Feed,
}

/// Where the feed stands.
#[derive(ToSchema)]
pub struct Feed {
    /// The database's own id, renewed when a backup is restored.
    pub epoch: Uuid,
    /// The feed's head.
    pub seq: i64,
}

/// A part of a task's history, oldest first.
#[derive(ToSchema)]
pub struct History {
    /// Versions.
    pub items: Vec<HistoryItem>,
    /// Where to go on; null at the end.
    #[schema(required)]
    pub next_cursor: Option<String>,
}

/// One version of a task.
#[derive(ToSchema)]
pub struct HistoryItem {
    /// The event.
    pub event_id: Uuid,
    /// What happened.
    #[schema(example = "task.updated")]
    pub event_type: String,
    /// Its place in the feed.
    pub seq: i64,
    /// The task's version after it.
    pub version: i64,
    /// Who acted.
    pub actor: Actor,
    /// When.
    #[schema(format = DateTime)]
    pub timestamp: String,
    /// `{field: {old, new}}`.
    #[schema(value_type = Object, example = json!({"title": {"old": "Milk", "new": "Oat milk"}}))]
    pub changes: (),
}

/// Who acted.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
pub enum Actor {
    /// A person in a browser.
    User,
    /// The service of recurring tasks.
    Recurring,
    /// The service that welcomes new people.
    Onboarding,
    /// A program with a personal token.
    Api,
}

/// A part of the feed.
#[derive(ToSchema)]
pub struct Events {
    /// The database's own id.
    pub epoch: Uuid,
    /// The feed's last seq.
    pub head: i64,
    /// In order, without gaps.
    pub items: Vec<EventData>,
}

/// An event: the `data` of its CloudEvent.
#[derive(ToSchema)]
pub struct EventData {
    /// Stable over every delivery.
    pub event_id: Uuid,
    /// What happened.
    #[schema(example = "task.created")]
    pub event_type: String,
    /// The version of the event format.
    #[schema(example = "1.0")]
    pub version: String,
    /// When; never before the feed's last.
    #[schema(format = DateTime)]
    pub timestamp: String,
    /// Whose it is.
    pub user_id: Uuid,
    /// The task.
    pub task_id: Uuid,
    /// Its place in the feed, from 1 without gaps.
    pub seq: i64,
    /// The whole task after the change; null once it was deleted for good.
    #[schema(required)]
    pub task_data: Option<Task>,
    /// What is particular to the type.
    #[schema(value_type = Object)]
    pub data: (),
    /// How it came about.
    pub metadata: Metadata,
}

/// How an event came about.
#[derive(ToSchema)]
pub struct Metadata {
    /// The mutation that made it.
    #[schema(required)]
    pub mutation_id: Option<Uuid>,
    /// The client that asked for it.
    #[schema(required)]
    pub client_id: Option<Uuid>,
    /// Who acted.
    pub actor: Actor,
    /// W3C trace context of the request.
    #[schema(required)]
    pub traceparent: Option<String>,
}

/// A part of the audit trail.
#[derive(ToSchema)]
pub struct Trail {
    /// In the trail's own order.
    pub items: Vec<AuditRow>,
}

/// What the audit consumer recorded of an event.
#[derive(ToSchema)]
pub struct AuditRow {
    /// Rises in the trail's own order.
    pub n: i64,
    /// The event's seq, on a feed.
    #[schema(required)]
    pub seq: Option<i64>,
    /// The event.
    pub event_id: Uuid,
    /// Its type.
    pub event_type: String,
    /// When it was recorded.
    #[schema(format = DateTime)]
    pub recorded_at: String,
}

/// A person, as they and nobody else see it.
#[derive(ToSchema)]
pub struct User {
    /// Theirs for ever.
    pub id: Uuid,
    /// As they typed it.
    pub email: String,
    /// What to call them.
    pub name: String,
    /// IANA name.
    pub time_zone: String,
    /// When they signed up.
    #[schema(format = DateTime)]
    pub created_at: String,
}

/// Why a request was refused: RFC 9457.
#[derive(ToSchema)]
pub struct Problem {
    /// `/problems/<code>`.
    #[schema(rename = "type", example = "/problems/validation_failed")]
    pub kind: String,
    /// The kind of problem, in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened and what to do.
    pub detail: String,
    /// The kind of problem, for programs.
    #[schema(example = "validation_failed")]
    pub code: String,
    /// The fields at fault.
    #[schema(required = false)]
    pub errors: Vec<FieldError>,
}

/// What is wrong with one field.
#[derive(ToSchema)]
pub struct FieldError {
    /// The field, as the client names it.
    pub field: String,
    /// `required`, `too_long`, `too_short`, `too_many`, `invalid`, `unknown` or `read_only`.
    pub code: String,
    /// What to do about it, in words.
    pub message: String,
}

/// Signing up.
#[derive(ToSchema)]
pub struct Registration {
    /// Without regard to case.
    pub email: String,
    /// What to call the person.
    #[schema(min_length = 1, max_length = 80)]
    pub name: String,
    /// A new password.
    #[schema(min_length = 10, max_length = 128, format = Password)]
    pub password: String,
    /// IANA name; UTC by default.
    pub time_zone: Option<String>,
}

/// Signing in.
#[derive(ToSchema)]
pub struct Credentials {
    /// Without regard to case.
    pub email: String,
    /// The password.
    #[schema(format = Password)]
    pub password: String,
}

/// Signing out.
#[derive(ToSchema)]
pub struct SignOut {
    /// Ends every session, not only this one.
    pub everywhere: Option<bool>,
}

/// What changes of a profile.
#[derive(ToSchema)]
pub struct ProfileChange {
    /// What to call the person.
    #[schema(min_length = 1, max_length = 80)]
    pub name: Option<String>,
    /// IANA name.
    pub time_zone: Option<String>,
    /// `light`, `dark` or `system`.
    pub theme: Option<String>,
}

/// A change of password.
#[derive(ToSchema)]
pub struct PasswordChange {
    /// The password as it is.
    #[schema(format = Password)]
    pub current: String,
    /// The password to be.
    #[schema(min_length = 10, max_length = 128, format = Password)]
    pub new: String,
}

/// Proof that the person is there.
#[derive(ToSchema)]
pub struct Confirmation {
    /// The password.
    #[schema(format = Password)]
    pub password: String,
}

/// A token that is asked for.
#[derive(ToSchema)]
pub struct TokenRequest {
    /// What to call it.
    #[schema(min_length = 1, max_length = 80)]
    pub name: String,
}

/// A token that was just made.
#[derive(ToSchema)]
pub struct NewToken {
    /// Its id.
    pub id: Uuid,
    /// What its owner calls it.
    pub name: String,
    /// The secret, shown this once.
    pub token: String,
    /// When it was made.
    #[schema(format = DateTime)]
    pub created_at: String,
}

/// Tokens of a person.
#[derive(ToSchema)]
pub struct Tokens {
    /// Newest first.
    pub items: Vec<Token>,
}

/// A token, without its secret.
#[derive(ToSchema)]
pub struct Token {
    /// Its id.
    pub id: Uuid,
    /// What its owner calls it.
    pub name: String,
    /// When it was made.
    #[schema(format = DateTime)]
    pub created_at: String,
}

/// Parameters of a list of tasks.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListParameters {
    /// all, inbox, today, upcoming, completed or trash.
    #[param(default = "all")]
    pub view: Option<String>,
    /// Words, each of which begins a word of title, description or tags.
    pub q: Option<String>,
    /// Exactly this tag.
    pub tag: Option<String>,
    /// Exactly this priority.
    #[param(inline)]
    pub priority: Option<Priority>,
    /// Completed or not.
    pub completed: Option<bool>,
    /// Due on a day before this one.
    #[param(format = Date)]
    pub due_before: Option<String>,
    /// Due on a day after this one.
    #[param(format = Date)]
    pub due_after: Option<String>,
    /// position, due_date, priority, created_at, updated_at or title; `-` before it turns it round.
    /// Nulls come last both ways.
    #[param(default = "position")]
    pub sort: Option<String>,
    /// At most this many.
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub limit: Option<u32>,
    /// Where to go on: `next_cursor` of the part before.
    pub cursor: Option<String>,
    /// An instant, or `seq:` and a number: the tasks as they were then.
    pub as_of: Option<String>,
}

/// Parameters of other lists.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageParameters {
    /// At most this many.
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub limit: Option<u32>,
    /// Where to go on: `next_cursor` of the part before.
    pub cursor: Option<String>,
}

/// Parameters of what is read on from a number.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct FeedParameters {
    /// The last number that the reader has.
    #[param(minimum = 0, default = 0)]
    pub after: Option<i64>,
    /// At most this many.
    #[param(minimum = 1, maximum = 1000, default = 200)]
    pub limit: Option<u32>,
}
