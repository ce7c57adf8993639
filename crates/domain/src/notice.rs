//! Notifications: what a person is told of, and how.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{id::TaskId, time::Timestamp};

/// What a notification is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The time of a reminder has come.
    Reminder,
    /// A task was made.
    TaskCreated,
    /// A task was done.
    TaskCompleted,
    /// Something was done on each of some days.
    Streak,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Reminder,
        Self::TaskCreated,
        Self::TaskCompleted,
        Self::Streak,
    ];

    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reminder => "reminder",
            Self::TaskCreated => "task_created",
            Self::TaskCompleted => "task_completed",
            Self::Streak => "streak",
        }
    }

    /// The kind that is written so.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// By which ways a person wants to be told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Channels {
    /// In the list of notifications.
    pub app: bool,
    /// By the browser.
    pub browser: bool,
    /// By mail.
    pub mail: bool,
}

impl Channels {
    /// Everywhere.
    pub const ALL: Self = Self {
        app: true,
        browser: true,
        mail: true,
    };

    /// Whether a tab hears of it.
    pub fn shows(self) -> bool {
        self.app || self.browser
    }

    /// Whether it comes by any way at all.
    pub fn any(self) -> bool {
        self.shows() || self.mail
    }
}

/// What a person chose, by kind. What is left out is as it is by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Of reminders; everywhere by default.
    pub reminder: Channels,
    /// Of new tasks; off by default.
    pub task_created: Channels,
    /// Of tasks that are done; off by default.
    pub task_completed: Channels,
    /// Of streaks; in the app by default.
    pub streak: Channels,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            reminder: Channels::ALL,
            task_created: Channels::default(),
            task_completed: Channels::default(),
            streak: Channels {
                app: true,
                ..Channels::default()
            },
        }
    }
}

impl Settings {
    /// Of a kind.
    pub fn of(&self, kind: Kind) -> Channels {
        match kind {
            Kind::Reminder => self.reminder,
            Kind::TaskCreated => self.task_created,
            Kind::TaskCompleted => self.task_completed,
            Kind::Streak => self.streak,
        }
    }

    /// Of a kind, to change.
    pub fn of_mut(&mut self, kind: Kind) -> &mut Channels {
        match kind {
            Kind::Reminder => &mut self.reminder,
            Kind::TaskCreated => &mut self.task_created,
            Kind::TaskCompleted => &mut self.task_completed,
            Kind::Streak => &mut self.streak,
        }
    }
}

/// A notification in a person's list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    /// Its id.
    pub id: Uuid,
    /// What it is about.
    pub kind: Kind,
    /// A few words; a task's title where it is about one.
    pub title: String,
    /// A sentence.
    pub body: String,
    /// The task that it is about.
    pub task_id: Option<TaskId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was read.
    pub read_at: Option<Timestamp>,
}
