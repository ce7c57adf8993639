//! What happened to a task, and to all of a person's tasks.

use serde_json::{Map, Value, json};
use tidings_domain::{
    error::Code,
    event::{Event, EventType, changes},
    id::TaskId,
    task::{Priority, Task},
};

use super::Tasks;
use crate::{
    auth::Actor,
    error::{Error, Result},
    store::StoredEvent,
};

/// One version of a task.
#[derive(Clone, Debug, PartialEq)]
pub struct Version {
    /// The event that made it.
    pub event: Event,
    /// The task's version after it.
    pub version: i64,
    /// `{field: {old, new}}`.
    pub changes: Map<String, Value>,
}

/// One line of a person's own log.
#[derive(Clone, Debug, PartialEq)]
pub struct ActivityLine {
    /// The task; nothing once it was deleted for good.
    pub task: Option<Task>,
    /// What happened.
    pub version: Version,
}

impl Tasks {
    /// Versions of a task after `after`, oldest first, at most `limit`, and whether there are more.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn history(
        &self,
        actor: &Actor,
        id: TaskId,
        after: i64,
        limit: usize,
    ) -> Result<(Vec<Version>, bool)> {
        // The version before the first one shows what that one changed; one more shows the end.
        let from = after.saturating_sub(1).max(0);
        let before = usize::from(after > 0);
        let wanted = limit.saturating_add(1).saturating_add(before);
        let stored = self.store.history(actor.user.id, id, from, wanted).await?;
        if stored.is_empty() && self.store.task(actor.user.id, id).await?.is_none() {
            return Err(Code::NotFound.into());
        }
        let mut previous: Option<Task> = None;
        let mut versions = Vec::with_capacity(stored.len());
        for event in &stored {
            let event = read(event)?;
            let version = version(event, previous.as_ref());
            previous.clone_from(&version.event.task_data);
            if version.version > after {
                versions.push(version);
            }
        }
        let more = versions.len() > limit;
        versions.truncate(limit);
        Ok((versions, more))
    }

    /// The person's own log before the seq `before`, newest first.
    ///
    /// # Errors
    /// Only the store's.
    pub async fn activity(
        &self,
        actor: &Actor,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<ActivityLine>> {
        let before = before.unwrap_or(i64::MAX);
        let stored = self.store.recent(actor.user.id, before, limit).await?;
        let lines = stored.iter().map(|event| {
            let event = read(event)?;
            Ok(ActivityLine {
                task: event.task_data.clone(),
                version: version(event, None),
            })
        });
        lines.collect()
    }
}

fn read(stored: &StoredEvent) -> Result<Event> {
    serde_json::from_str(&stored.json).map_err(Error::internal)
}

/// What an event did to its task: by the task before it where that is known, else by what the event
/// itself tells.
fn version(event: Event, before: Option<&Task>) -> Version {
    let changes = match (&event.task_data, before) {
        (None, _) => Map::new(),
        (Some(after), _) if event.event_type == EventType::TaskCreated => created(after),
        (Some(after), Some(before)) => changes(before, after),
        (Some(after), None) => told(&event, after),
    };
    Version {
        version: event.task_data.as_ref().map_or(0, |task| task.version),
        event,
        changes,
    }
}

/// What a new task was given beyond what every new task has; there is no old value.
fn created(after: &Task) -> Map<String, Value> {
    let blank = Task {
        title: String::new(),
        description: String::new(),
        completed: false,
        completed_at: None,
        priority: Priority::None,
        tags: Vec::new(),
        due_date: None,
        due_time: None,
        remind_at: None,
        recurrence: None,
        series_id: None,
        deleted_at: None,
        ..after.clone()
    };
    let mut given = changes(&blank, after);
    for (_, change) in &mut given {
        change["old"] = Value::Null;
    }
    given
}

fn told(event: &Event, after: &Task) -> Map<String, Value> {
    let one = |field: &str, old: Value, new: Value| {
        Map::from_iter([(field.to_owned(), json!({ "old": old, "new": new }))])
    };
    match event.event_type {
        EventType::TaskUpdated => match event.data.get("changes") {
            Some(Value::Object(changes)) => changes.clone(),
            _ => Map::new(),
        },
        EventType::TaskCompleted => one("completed", json!(false), json!(true)),
        EventType::TaskDeleted => one("deleted_at", Value::Null, json!(after.deleted_at)),
        // When it was deleted, this event does not tell.
        EventType::TaskRestored => one("deleted_at", Value::Null, Value::Null),
        _ => Map::new(),
    }
}
