//! What may be asked of a task, parsed and checked field by field.

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{
    error::{Fault, FieldError},
    id::TaskId,
    position, recurrence,
    task::{DESCRIPTION_MAX, Priority, Recurrence, TAG_MAX, TAGS_MAX, TITLE_MAX, Task},
    text::has_control,
    time::{TimeOfDay, Timestamp, json_date},
};

mod json;

/// Changes to the fields of a task. An outer `None` leaves a field alone; an inner one clears it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TaskPatch {
    /// The new title, trimmed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The new description.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Done or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completed: Option<bool>,
    /// How much it matters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// All tags.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    /// The day it is due.
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "some_date",
        deserialize_with = "nullable_date"
    )]
    pub due_date: Option<Option<NaiveDate>>,
    /// The time it is due.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "nullable")]
    pub due_time: Option<Option<TimeOfDay>>,
    /// The zone of both; `Some(None)` is the person's own.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "nullable")]
    pub time_zone: Option<Option<String>>,
    /// When to remind.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "nullable")]
    pub remind_at: Option<Option<Timestamp>>,
    /// How it repeats.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "nullable")]
    pub recurrence: Option<Option<Recurrence>>,
    /// Its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<String>,
}

fn nullable<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

fn nullable_date<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<NaiveDate>>, D::Error> {
    json_date::deserialize(deserializer).map(Some)
}

fn some_date<S: Serializer>(
    date: &Option<Option<NaiveDate>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    json_date::serialize(&date.flatten(), serializer)
}

/// What may be asked of a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Make it. What the patch leaves out takes its default; the title must be there.
    Create(TaskPatch),
    /// Change some fields.
    Edit(TaskPatch),
    /// Set all fields: what the patch leaves out takes its default, but for the position.
    Replace(TaskPatch),
    /// Done or not; `None` turns it round.
    Complete(Option<bool>),
    /// Into the trash.
    Delete,
    /// Out of the trash, or, with a version, its fields as they were at that version.
    Restore(Option<i64>),
    /// Remove it from the trash for good.
    Purge,
}

/// What `If-Match` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum IfMatch {
    /// Any version, but the task must be there.
    Any,
    /// This version, or another of several: none matches 0.
    Version(i64),
}

/// Fields that a client may read but not set; PUT ignores them, PATCH refuses them.
pub const READ_ONLY: [&str; 7] = [
    "id",
    "completed_at",
    "series_id",
    "version",
    "created_at",
    "updated_at",
    "deleted_at",
];

/// What to do with a field that cannot be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadOnly {
    /// Pass over it, as PUT does.
    Ignore,
    /// Refuse it, naming it.
    Refuse,
}

impl TaskPatch {
    /// Brings every text into its stored form (trimmed title and tags, tags without doubles,
    /// canonical rule) and checks what can be checked without the task.
    ///
    /// # Errors
    /// `validation_failed`, naming every field that is wrong.
    pub fn checked(mut self) -> Result<Self, Fault> {
        let mut errors = Vec::new();
        let mut check = |field: &str, outcome: Result<(), (&str, String)>| {
            if let Err((code, message)) = outcome {
                errors.push(FieldError::new(field, code, message));
            }
        };
        if let Some(title) = &mut self.title {
            *title = title.trim().to_owned();
            check("title", length("Title", title, 1, TITLE_MAX));
        }
        if let Some(description) = &self.description {
            check(
                "description",
                length("Description", description, 0, DESCRIPTION_MAX),
            );
        }
        if let Some(tags) = &mut self.tags {
            check("tags", tidy_tags(tags));
        }
        if let Some(Some(date)) = &self.due_date
            && !(1..=9999).contains(&date.year())
        {
            let words = "Due date is written YYYY-MM-DD.".to_owned();
            check("due_date", Err(("invalid", words)));
        }
        if let Some(Some(recurrence)) = &mut self.recurrence {
            match recurrence::canonical(&recurrence.rule) {
                Ok(rule) => recurrence.rule = rule,
                Err(words) => check("recurrence", Err(("invalid", words))),
            }
        }
        if let Some(position) = &self.position
            && !position::is_valid(position)
        {
            let words = "Position is 1 to 64 letters and digits.".to_owned();
            check("position", Err(("invalid", words)));
        }
        if errors.is_empty() {
            Ok(self)
        } else {
            Err(Fault::fields(errors))
        }
    }

    /// All fields that a person may set, as they are in `task`: what brings a task back to it.
    pub fn of(task: &Task) -> Self {
        Self {
            title: Some(task.title.clone()),
            description: Some(task.description.clone()),
            completed: Some(task.completed),
            priority: Some(task.priority),
            tags: Some(task.tags.clone()),
            due_date: Some(task.due_date),
            due_time: Some(task.due_time),
            time_zone: Some(Some(task.time_zone.clone())),
            remind_at: Some(task.remind_at),
            recurrence: Some(task.recurrence.clone()),
            position: Some(task.position.clone()),
        }
    }

    /// The same with every field set, those left out to their default. Position is left out if it
    /// was: nobody means to move a task by not naming its place.
    #[must_use]
    pub fn whole(self) -> Self {
        Self {
            title: self.title,
            description: Some(self.description.unwrap_or_default()),
            completed: Some(self.completed.unwrap_or_default()),
            priority: Some(self.priority.unwrap_or_default()),
            tags: Some(self.tags.unwrap_or_default()),
            due_date: Some(self.due_date.unwrap_or_default()),
            due_time: Some(self.due_time.unwrap_or_default()),
            time_zone: Some(self.time_zone.unwrap_or_default()),
            remind_at: Some(self.remind_at.unwrap_or_default()),
            recurrence: Some(self.recurrence.unwrap_or_default()),
            position: self.position,
        }
    }
}

/// Checks a text's length in scalar values and its characters.
///
/// # Errors
/// A code and words for a [`FieldError`].
pub fn length(
    name: &str,
    text: &str,
    min: usize,
    max: usize,
) -> Result<(), (&'static str, String)> {
    let count = text.chars().count();
    if count == 0 && min > 0 {
        Err(("required", format!("{name} is needed.")))
    } else if count < min {
        Err((
            "too_short",
            format!("{name} must have at least {min} characters."),
        ))
    } else if count > max {
        Err((
            "too_long",
            format!("{name} can have at most {max} characters, this has {count}."),
        ))
    } else if has_control(text) {
        Err((
            "invalid",
            format!("{name} holds a character that cannot be shown."),
        ))
    } else {
        Ok(())
    }
}

fn tidy_tags(tags: &mut Vec<String>) -> Result<(), (&'static str, String)> {
    let mut kept: Vec<String> = Vec::with_capacity(tags.len().min(TAGS_MAX + 1));
    for tag in tags.iter().map(|t| t.trim()) {
        length("A tag", tag, 1, TAG_MAX)?;
        // Addresses have a meaning for these, so no page could be at theirs.
        if tag == "." || tag == ".." {
            return Err(("invalid", "A tag is more than dots.".to_owned()));
        }
        if !kept.iter().any(|k| k == tag) {
            kept.push(tag.to_owned());
        }
        if kept.len() > TAGS_MAX {
            return Err((
                "too_many",
                format!("A task can have at most {TAGS_MAX} tags."),
            ));
        }
    }
    *tags = kept;
    Ok(())
}

/// Checks an id that a client made.
///
/// # Errors
/// `validation_failed` on `id` unless it is a version 7 UUID.
pub fn client_made(id: TaskId) -> Result<TaskId, Fault> {
    if id.is_v7() {
        Ok(id)
    } else {
        Err(Fault::field(
            "id",
            "invalid",
            "An id made by a client is a version 7 UUID.",
        ))
    }
}
