//! Tasks, and what changes them.

use utoipa::{IntoResponses, ToSchema};
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

/// The answer to a change.
#[derive(IntoResponses)]
#[response(status = 200, description = "The task after it.", headers(
    ("ETag", description = "Its version, in quotes."),
    ("Tidings-Seq" = i64, description = "The feed's head after the change.")))]
pub struct Changed(pub Task);

/// The answer to a change that leaves nothing to show.
#[derive(IntoResponses)]
#[response(status = 204, description = "It is done.", headers(
    ("Tidings-Seq" = i64, description = "The feed's head after the change.")))]
pub struct Removed;
