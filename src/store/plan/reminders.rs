//! Turns due reminders into events.

use serde_json::json;
use tidings_domain::{
    event::{self, EventType, Metadata},
    id::{EventId, UserId},
    task::Task,
    time::{Timestamp, Zones},
};
use uuid::Uuid;

use super::rows::{EventRow, Wire};
use crate::error::{Error, Result};

/// A reminder that is told of later than this is late, in milliseconds.
const LATE_MS: i64 = 300_000;

/// The event of a task's reminder; nothing where it has none. Its id is made of the task and the
/// time, so that there is one a reminder, ever.
///
/// # Errors
/// Internal, where the event cannot be written as JSON.
pub fn reminder(
    user: UserId,
    task: &Task,
    now: Timestamp,
    zones: &dyn Zones,
) -> Result<Option<EventRow>> {
    let Some(remind_at) = task.remind_at else {
        return Ok(None);
    };
    let name = remind_at.to_string();
    let event_id = EventId(Uuid::new_v5(&task.id.0, name.as_bytes()));
    let event_type = EventType::ReminderDue;
    let data = json!({
        "task_id": task.id,
        "user_id": user,
        "title": task.title,
        "due_at": task.due_at(zones),
        "due_date": task.due_date,
        "due_time": task.due_time,
        "remind_at": remind_at,
        "late": now.0 - remind_at.0 > LATE_MS,
    });
    let wire = Wire {
        event_id,
        event_type,
        version: event::VERSION,
        timestamp: now,
        user_id: Some(user),
        task_id: Some(task.id),
        seq: None,
        task_data: None,
        data: &data,
        metadata: &Metadata::default(),
    };
    Ok(Some(EventRow {
        event_id,
        event_type,
        user_id: Some(user),
        seq: None,
        task_id: Some(task.id),
        version: Some(0),
        at: now,
        json: serde_json::to_string(&wire).map_err(Error::internal)?,
    }))
}
