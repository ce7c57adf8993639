//! History, events and the audit trail.

use utoipa::ToSchema;
use uuid::Uuid;

use super::tasks::Task;

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
    /// The task; null for a notification that is about none.
    #[schema(required)]
    pub task_id: Option<Uuid>,
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
