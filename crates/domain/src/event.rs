//! Events: what happened to a person's tasks, in the order of their feed.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value, json};

use crate::{
    id::{ClientId, EventId, MutationId, TaskId, UserId},
    task::Task,
    time::{Timestamp, Zones},
};

/// The version of the event format.
pub const VERSION: &str = "1.0";
/// `source` of every CloudEvent.
pub const SOURCE: &str = "/tidings";

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventType {
    /// A task was made.
    TaskCreated,
    /// Fields of a task changed.
    TaskUpdated,
    /// A task was done.
    TaskCompleted,
    /// A task went to the trash.
    TaskDeleted,
    /// A task came out of the trash.
    TaskRestored,
    /// The time of a task's reminder has come.
    ReminderDue,
    /// A person was notified.
    NotificationCreated,
    /// Somebody signed up.
    UserRegistered,
    /// An account was deleted.
    UserDeleted,
    /// A session began.
    LoggedIn,
    /// Somebody failed to sign in.
    LoginFailed,
    /// A session ended by its owner.
    LoggedOut,
    /// A password was changed.
    PasswordChanged,
    /// A personal token was made.
    TokenCreated,
    /// A personal token was revoked.
    TokenRevoked,
    /// A person's data was downloaded.
    DataExported,
    /// Something that a later version knows. Readers go past it; nobody writes it.
    Unknown,
}

impl EventType {
    /// All that are known.
    pub const ALL: [Self; 16] = [
        Self::TaskCreated,
        Self::TaskUpdated,
        Self::TaskCompleted,
        Self::TaskDeleted,
        Self::TaskRestored,
        Self::ReminderDue,
        Self::NotificationCreated,
        Self::UserRegistered,
        Self::UserDeleted,
        Self::LoggedIn,
        Self::LoginFailed,
        Self::LoggedOut,
        Self::PasswordChanged,
        Self::TokenCreated,
        Self::TokenRevoked,
        Self::DataExported,
    ];

    /// As it is written in `event_type`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TaskCreated => "task.created",
            Self::TaskUpdated => "task.updated",
            Self::TaskCompleted => "task.completed",
            Self::TaskDeleted => "task.deleted",
            Self::TaskRestored => "task.restored",
            Self::ReminderDue => "reminder.due",
            Self::NotificationCreated => "notification.created",
            Self::UserRegistered => "user.registered",
            Self::UserDeleted => "user.deleted",
            Self::LoggedIn => "audit.user.logged_in",
            Self::LoginFailed => "audit.user.login_failed",
            Self::LoggedOut => "audit.user.logged_out",
            Self::PasswordChanged => "audit.user.password_changed",
            Self::TokenCreated => "audit.token.created",
            Self::TokenRevoked => "audit.token.revoked",
            Self::DataExported => "audit.data.exported",
            Self::Unknown => "unknown",
        }
    }

    /// The type that is written so.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|t| t.as_str() == text)
    }

    /// Whether it says what a task is after it.
    pub fn is_of_task(self) -> bool {
        self.topics().contains(&Topic::TaskEvents)
    }

    /// The topics that it is published on.
    pub fn topics(self) -> &'static [Topic] {
        match self {
            Self::TaskCreated
            | Self::TaskUpdated
            | Self::TaskCompleted
            | Self::TaskDeleted
            | Self::TaskRestored => &[Topic::TaskEvents, Topic::TaskUpdates],
            Self::ReminderDue => &[Topic::Reminders],
            Self::NotificationCreated => &[Topic::TaskUpdates],
            Self::UserRegistered | Self::UserDeleted => &[Topic::UserEvents],
            Self::LoggedIn
            | Self::LoginFailed
            | Self::LoggedOut
            | Self::PasswordChanged
            | Self::TokenCreated
            | Self::TokenRevoked
            | Self::DataExported => &[Topic::AuditLogs],
            Self::Unknown => &[],
        }
    }
}

impl Serialize for EventType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for EventType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        Ok(Self::parse(&text).unwrap_or(Self::Unknown))
    }
}

/// Where events are published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Topic {
    /// Task events, a work queue.
    TaskEvents,
    /// The same and notifications, broadcast to every replica.
    TaskUpdates,
    /// Due reminders.
    Reminders,
    /// People come and gone.
    UserEvents,
    /// Sign-ins and the like.
    AuditLogs,
}

impl Topic {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::TaskEvents,
        Self::TaskUpdates,
        Self::Reminders,
        Self::UserEvents,
        Self::AuditLogs,
    ];

    /// The topic's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TaskEvents => "task-events",
            Self::TaskUpdates => "task-updates",
            Self::Reminders => "reminders",
            Self::UserEvents => "user-events",
            Self::AuditLogs => "audit-logs",
        }
    }

    /// Whether every replica gets each message, rather than one of them.
    pub fn is_broadcast(self) -> bool {
        self == Self::TaskUpdates
    }

    /// The topic of that name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|t| t.as_str() == text)
    }
}

/// Who acted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Actor {
    /// A person in a browser.
    #[default]
    User,
    /// The service of recurring tasks.
    Recurring,
    /// The service that welcomes new people.
    Onboarding,
    /// A program with a personal token.
    Api,
}

/// How an event came about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// The mutation that made it.
    pub mutation_id: Option<MutationId>,
    /// The client that asked for it.
    pub client_id: Option<ClientId>,
    /// Who acted.
    #[serde(default)]
    pub actor: Actor,
    /// W3C trace context of the request.
    pub traceparent: Option<String>,
}

/// An event, as it lies in the log and goes over the wire. `D` is how the part that is particular
/// to the type is read: a JSON value where it matters, [`serde::de::IgnoredAny`] in the browser.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event<D = Value> {
    /// Also the CloudEvent's id.
    pub event_id: EventId,
    /// What happened.
    pub event_type: EventType,
    /// [`VERSION`].
    pub version: String,
    /// Never before the feed's last.
    pub timestamp: Timestamp,
    /// Whose it is; `None` for a sign-in with an unknown email.
    pub user_id: Option<UserId>,
    /// The task it is about.
    pub task_id: Option<TaskId>,
    /// Its place in the person's feed, from 1 without gaps; `None` off the feed.
    pub seq: Option<i64>,
    /// The whole task after the change; `None` off the feed, and once it was deleted for good.
    pub task_data: Option<Task>,
    /// What is particular to the type.
    pub data: D,
    /// How it came about.
    pub metadata: Metadata,
}

/// Names of a task's fields that may appear in `changes`, and the value of each.
fn fields(task: &Task) -> [(&'static str, Value); 15] {
    [
        ("title", json!(task.title)),
        ("description", json!(task.description)),
        ("completed", json!(task.completed)),
        ("completed_at", json!(task.completed_at)),
        ("priority", json!(task.priority)),
        ("tags", json!(task.tags)),
        ("due_date", json!(task.due_date)),
        ("due_time", json!(task.due_time)),
        ("time_zone", json!(task.time_zone)),
        ("remind_at", json!(task.remind_at)),
        ("recurrence", json!(task.recurrence)),
        ("series_id", json!(task.series_id)),
        ("position", json!(task.position)),
        ("created_at", json!(task.created_at)),
        ("deleted_at", json!(task.deleted_at)),
    ]
}

/// `{field: {old, new}}` for every field but version and updated_at that differs.
pub fn changes(before: &Task, after: &Task) -> Map<String, Value> {
    fields(before)
        .into_iter()
        .zip(fields(after))
        .filter(|((_, old), (_, new))| old != new)
        .map(|((name, old), (_, new))| (name.to_owned(), json!({ "old": old, "new": new })))
        .collect()
}

/// The `data` of a task event.
pub fn task_data(
    event_type: EventType,
    user_id: UserId,
    before: Option<&Task>,
    after: &Task,
    zones: &dyn Zones,
) -> Value {
    let mut data = Map::new();
    data.insert("task_id".into(), json!(after.id));
    data.insert("user_id".into(), json!(user_id));
    let mut put = |name: &str, value: Value| {
        data.insert(name.into(), value);
    };
    match event_type {
        EventType::TaskCreated => {
            put("title", json!(after.title));
            put("description", json!(after.description));
            put("completed", json!(after.completed));
            put("priority", json!(after.priority));
            put("due_date", json!(after.due_date));
            put("due_at", json!(after.due_at(zones)));
            put("created_at", json!(after.created_at));
        }
        EventType::TaskUpdated => {
            let changed = before.map(|b| changes(b, after)).unwrap_or_default();
            put("changes", Value::Object(changed));
            put("updated_at", json!(after.updated_at));
        }
        EventType::TaskCompleted => {
            let minutes = after
                .completed_at
                .map(|at| (at.0 - after.created_at.0) / 60_000);
            put("title", json!(after.title));
            put("recurrence", json!(after.recurrence));
            put("completed_at", json!(after.completed_at));
            put("duration_minutes", json!(minutes));
        }
        EventType::TaskDeleted => {
            put("title", json!(after.title));
            put("deleted_at", json!(after.deleted_at));
            put("reason", json!("user_requested"));
        }
        EventType::TaskRestored => {
            put("title", json!(after.title));
            put("restored_at", json!(after.updated_at));
        }
        _ => {}
    }
    Value::Object(data)
}
