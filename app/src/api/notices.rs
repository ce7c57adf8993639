//! Notifications, and what a person chose of them: plain forms, all of them.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use tidings_domain::notice::{Notification, Settings};
use uuid::Uuid;

use crate::error::AppError;

/// What a page shows of notifications.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Notices {
    /// How many are unread.
    pub unread: i64,
    /// A part of the list, on Notifications.
    pub list: Vec<Notification>,
    /// Where it goes on.
    pub next: Option<String>,
    /// What the person chose, on Account.
    pub settings: Settings,
}

/// Boxes of one kind that are ticked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ticked {
    /// In the app.
    pub app: bool,
    /// By the browser.
    pub browser: bool,
    /// By mail.
    pub mail: bool,
}

/// Marks a notification as read.
#[server(name = ReadNoticeForm, prefix = "/rpc", endpoint = "read_notification")]
pub async fn read_notification(id: Uuid) -> Result<(), AppError> {
    crate::error::answer(server::notices().read(id).await)
}

/// Marks all notifications as read.
#[server(name = ReadNoticesForm, prefix = "/rpc", endpoint = "read_notifications")]
pub async fn read_notifications() -> Result<(), AppError> {
    crate::error::answer(server::notices().read_all().await)
}

/// Puts the reminder of a notification's task off: for `10m`, `1h` or until `tomorrow`.
#[server(name = SnoozeForm, prefix = "/rpc", endpoint = "snooze_notification")]
pub async fn snooze_notification(id: Uuid, seed: Uuid, until: String) -> Result<(), AppError> {
    crate::error::answer(server::snooze(id, seed, &until).await)
}

/// Sets of what the person is notified, and how.
#[server(name = SetNoticesForm, prefix = "/rpc", endpoint = "set_notifications")]
pub async fn set_notifications(
    #[server(default)] reminder: Ticked,
    #[server(default)] task_created: Ticked,
    #[server(default)] task_completed: Ticked,
    #[server(default)] streak: Ticked,
) -> Result<(), AppError> {
    let settings = Settings {
        reminder: server::channels(reminder),
        task_created: server::channels(task_created),
        task_completed: server::channels(task_completed),
        streak: server::channels(streak),
    };
    let outcome = server::notices().set_settings(settings).await;
    super::account::then(outcome, "/account?done=notifications")
}

#[cfg(feature = "ssr")]
mod server {
    use std::sync::Arc;

    use leptos::prelude::*;
    use tidings_domain::{
        error::{Code, Fault},
        id::MutationId,
        notice::Channels,
    };
    use uuid::Uuid;

    use super::Ticked;
    use crate::{api::forms::server::derived, ports};

    pub(super) fn notices() -> Arc<dyn ports::Notices> {
        expect_context()
    }

    pub(super) async fn snooze(id: Uuid, seed: Uuid, until: &str) -> Result<(), Fault> {
        if seed.get_version_num() != 7 {
            return Err(Code::ValidationFailed.into());
        }
        let mutation_id = MutationId(derived(seed, id, until));
        notices().snooze(id, mutation_id, until).await
    }

    pub(super) fn channels(ticked: Ticked) -> Channels {
        Channels {
            app: ticked.app,
            browser: ticked.browser,
            mail: ticked.mail,
        }
    }
}
