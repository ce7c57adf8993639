//! The task, as it is stored, sent and shown.

use std::{fmt, str::FromStr};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::{
    id::TaskId,
    time::{self, TimeOfDay, Timestamp, Zones},
};

/// Unicode scalar values in a title, after trimming.
pub const TITLE_MAX: usize = 200;
/// Unicode scalar values in a description.
pub const DESCRIPTION_MAX: usize = 10_000;
/// Tags of a task.
pub const TAGS_MAX: usize = 20;
/// Unicode scalar values in a tag.
pub const TAG_MAX: usize = 40;
/// Tasks of a person outside the trash.
pub const TASKS_MAX: i64 = 20_000;

/// How much a task matters. Ordered from none to urgent.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// Not said.
    #[default]
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

impl Priority {
    /// All, ascending.
    pub const ALL: [Self; 5] = [
        Self::None,
        Self::Low,
        Self::Medium,
        Self::High,
        Self::Urgent,
    ];

    /// The word for it, lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Urgent => "urgent",
        }
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Priority {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|p| p.as_str() == text).ok_or(())
    }
}

/// What the next occurrence is counted from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RecurFrom {
    /// From the due date.
    #[default]
    Due,
    /// From the day of completion.
    Completion,
}

/// How a task repeats.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recurrence {
    /// An RFC 5545 RRULE without `RRULE:`, checked by [`crate::recurrence`].
    pub rule: String,
    /// What the next occurrence is counted from.
    #[serde(default)]
    pub from: RecurFrom,
}

/// A task. Its owner is not part of it: tasks are keyed (user, id).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Made by the client (version 7) or the server.
    pub id: TaskId,
    /// Trimmed, 1 to [`TITLE_MAX`].
    pub title: String,
    /// May be empty; up to [`DESCRIPTION_MAX`].
    pub description: String,
    /// Whether it is done.
    pub completed: bool,
    /// When it was done.
    pub completed_at: Option<Timestamp>,
    /// How much it matters.
    pub priority: Priority,
    /// In the person's order, without doubles.
    pub tags: Vec<String>,
    /// The day it is due.
    #[serde(default, with = "time::json_date")]
    pub due_date: Option<NaiveDate>,
    /// The time on that day; without it the task is due all day.
    pub due_time: Option<TimeOfDay>,
    /// The IANA zone of `due_date` and `due_time`.
    pub time_zone: String,
    /// When to remind.
    pub remind_at: Option<Timestamp>,
    /// How it repeats.
    pub recurrence: Option<Recurrence>,
    /// The first task of the series, once it repeats.
    pub series_id: Option<TaskId>,
    /// Its place among the person's tasks; see [`crate::position`].
    pub position: String,
    /// Starts at 1, one more with each event of the task.
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its last event was.
    pub updated_at: Timestamp,
    /// When it went to the trash; `None` outside it.
    pub deleted_at: Option<Timestamp>,
}

impl Task {
    /// Neither completed nor in the trash.
    pub fn is_open(&self) -> bool {
        !self.completed && self.deleted_at.is_none()
    }

    /// When it is due, as an instant; an all-day task at local midnight.
    pub fn due_at(&self, zones: &dyn Zones) -> Option<Timestamp> {
        let time = self.due_time.unwrap_or(TimeOfDay::MIDNIGHT);
        Some(time::instant(zones, &self.time_zone, self.due_date?, time))
    }

    /// The day on which it is due for someone in `zone`. An all-day task keeps its date in every
    /// zone; a timed one counts by its instant.
    pub fn due_day(&self, zone: &str, zones: &dyn Zones) -> Option<NaiveDate> {
        let date = self.due_date?;
        if self.due_time.is_none() || self.time_zone == zone {
            return Some(date);
        }
        Some(time::local(zones, zone, self.due_at(zones)?).date())
    }
}
