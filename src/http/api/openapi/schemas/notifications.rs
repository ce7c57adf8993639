//! Notifications, and what a person chose of them.

use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Parameters of the list of notifications.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct NotificationParameters {
    /// Only those that were not read.
    #[param(default = false)]
    pub unread: Option<bool>,
    /// At most this many.
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub limit: Option<u32>,
    /// Where to go on: `next_cursor` of the part before.
    pub cursor: Option<String>,
}

/// A part of the list of notifications, newest first.
#[derive(ToSchema)]
pub struct Notifications {
    /// The newest 500 are kept.
    pub items: Vec<Notification>,
    /// Where to go on; null at the end.
    #[schema(required)]
    pub next_cursor: Option<String>,
}

/// What a person was told.
#[derive(ToSchema)]
pub struct Notification {
    /// Its id.
    pub id: Uuid,
    /// What it is about.
    pub kind: NotificationKind,
    /// A few words; a task's title where it is about one.
    pub title: String,
    /// A sentence.
    pub body: String,
    /// The task that it is about.
    #[schema(required)]
    pub task_id: Option<Uuid>,
    /// When it was made.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When it was read; null before.
    #[schema(required, format = DateTime)]
    pub read_at: Option<String>,
}

/// What a notification is about.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum NotificationKind {
    /// The time of a reminder has come.
    Reminder,
    /// A task was made.
    TaskCreated,
    /// A task was done.
    TaskCompleted,
    /// Something was done on each of some days.
    Streak,
}

/// How many were marked.
#[derive(ToSchema)]
pub struct Read {
    /// Those that were not read before.
    pub read: u64,
}

/// Until when a reminder is put off.
#[derive(ToSchema)]
pub struct Snooze {
    /// `10m`, `1h` or `tomorrow`.
    #[schema(rename = "for", example = "10m")]
    pub until: String,
}

/// Of what a person is notified, and how.
#[derive(ToSchema)]
pub struct NotificationSettings {
    /// Everywhere by default.
    pub reminder: Option<Channels>,
    /// Off by default.
    pub task_created: Option<Channels>,
    /// Off by default.
    pub task_completed: Option<Channels>,
    /// In the app by default.
    pub streak: Option<Channels>,
}

/// By which ways.
#[derive(ToSchema)]
pub struct Channels {
    /// In the list of notifications.
    pub app: bool,
    /// By the browser.
    pub browser: bool,
    /// By mail.
    pub mail: bool,
}

/// The key that browsers subscribe with.
#[derive(ToSchema)]
pub struct PushKey {
    /// A public key on P-256, uncompressed, in base64url.
    pub key: String,
}

/// A browser's subscription.
#[derive(ToSchema)]
pub struct PushSubscription {
    /// Where its push service is reached: https, and a name.
    #[schema(max_length = 2000)]
    pub endpoint: String,
    /// Its keys.
    pub keys: PushKeys,
}

/// Keys of a subscription.
#[derive(ToSchema)]
pub struct PushKeys {
    /// A public key on P-256, uncompressed, in base64url.
    pub p256dh: String,
    /// 16 bytes, in base64url.
    pub auth: String,
}

/// Names a subscription.
#[derive(ToSchema)]
pub struct PushEndpoint {
    /// Its endpoint.
    pub endpoint: String,
}
