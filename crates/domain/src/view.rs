//! Views: which tasks a list holds, in which order, in which sections.

use std::cmp::Ordering;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::{
    task::Task,
    time::{self, Timestamp, Zones},
};

/// A list of tasks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum View {
    /// Everything that is not in the trash.
    #[default]
    All,
    /// Open.
    Inbox,
    /// Open and due today or before.
    Today,
    /// Open and due after today.
    Upcoming,
    /// Completed, newest first.
    Completed,
    /// In the trash, newest first.
    Trash,
    /// Open, with this tag.
    Tag(String),
}

/// Where and when the person is: what views are reckoned from.
pub struct Here<'a> {
    /// The person's zone.
    pub zone: &'a str,
    /// The date there.
    pub today: NaiveDate,
    /// Now.
    pub now: Timestamp,
    /// The zone database.
    pub zones: &'a dyn Zones,
}

impl<'a> Here<'a> {
    /// Someone in `zone` at `now`.
    pub fn at(zone: &'a str, now: Timestamp, zones: &'a dyn Zones) -> Self {
        Self {
            zone,
            today: time::local(zones, zone, now).date(),
            now,
            zones,
        }
    }

    /// The day a task is due, here.
    pub fn due_day(&self, task: &Task) -> Option<NaiveDate> {
        task.due_day(self.zone, self.zones)
    }
}

impl View {
    /// Whether the view holds the task.
    pub fn holds(&self, task: &Task, here: &Here<'_>) -> bool {
        match self {
            Self::All => task.deleted_at.is_none(),
            Self::Inbox => task.is_open(),
            Self::Today => task.is_open() && here.due_day(task).is_some_and(|d| d <= here.today),
            Self::Upcoming => task.is_open() && here.due_day(task).is_some_and(|d| d > here.today),
            Self::Completed => task.completed && task.deleted_at.is_none(),
            Self::Trash => task.deleted_at.is_some(),
            Self::Tag(tag) => task.is_open() && task.tags.iter().any(|t| t == tag),
        }
    }

    /// The order in which the view shows two tasks, ties by id.
    pub fn order(&self, a: &Task, b: &Task, here: &Here<'_>) -> Ordering {
        let by_due = |task: &Task| (here.due_day(task), task.due_at(here.zones), task.due_time);
        let first = match self {
            Self::All | Self::Inbox | Self::Tag(_) => a.position.cmp(&b.position),
            Self::Today | Self::Upcoming => by_due(a)
                .cmp(&by_due(b))
                .then_with(|| a.position.cmp(&b.position)),
            Self::Completed => b.completed_at.cmp(&a.completed_at),
            Self::Trash => b.deleted_at.cmp(&a.deleted_at),
        };
        first.then_with(|| a.id.cmp(&b.id))
    }
}

/// What the side bar counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Open tasks.
    pub inbox: u32,
    /// Open, due today or before.
    pub today: u32,
    /// Open, due after today.
    pub upcoming: u32,
    /// Open tasks by tag, in the order of the tags' names.
    pub tags: Vec<(String, u32)>,
}

/// What a page of open tasks starts from, read in one transaction: the same rows that the server
/// rendered, and where the socket goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Board {
    /// The database's id.
    pub epoch: uuid::Uuid,
    /// The feed's head.
    pub cursor: i64,
    /// The view's tasks in its order or, where `complete`, every open task by position.
    pub tasks: Vec<Task>,
    /// Whether `tasks` is every open task.
    pub complete: bool,
    /// What the side bar counts.
    pub counts: Counts,
}
