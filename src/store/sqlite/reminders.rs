//! Reminders whose time has come.

use std::collections::HashSet;

use async_trait::async_trait;
use sqlx::Row;
use tidings_domain::{
    id::UserId,
    task::Task,
    time::{Timestamp, TzDatabase},
};

use super::{SqliteStore, db, from_json, id, job::News, to_json, write::append_all};
use crate::{
    error::Result,
    store::{Reminders, plan::reminder},
};

/// Tasks that are due, the longest first. What is left of people who are gone is due to nobody.
pub(super) const DUE: &str = "SELECT rowid, user_id, task FROM tasks WHERE remind_at <= ?1 \
     AND reminded = 0 AND completed_at IS NULL AND deleted_at IS NULL \
     AND EXISTS (SELECT 1 FROM users u WHERE u.id = user_id) ORDER BY remind_at LIMIT +?2";
pub(super) const REMINDED: &str =
    "UPDATE tasks SET reminded = 1 WHERE rowid IN (SELECT value FROM jsonb_each(?1))";
/// Which of these reminders were told of before. They are no version of their task, as 0 says.
pub(super) const TOLD: &str = "SELECT e.event_id FROM jsonb_each(?1) j \
     CROSS JOIN events e ON e.task_id = j.value->>0 AND e.user_id = j.value->>1 \
     AND e.version = 0 AND e.event_id = j.value->>2";

#[async_trait]
impl Reminders for SqliteStore {
    async fn remind(&self, now: Timestamp, limit: usize) -> Result<usize> {
        // Most often there is nothing, and then nothing need be written.
        let due = sqlx::query(DUE).bind(now.0).bind(1);
        if due
            .fetch_optional(&self.readers)
            .await
            .map_err(db)?
            .is_none()
        {
            return Ok(0);
        }
        self.writer
            .write(News::Outbox, move |connection| {
                Box::pin(async move {
                    let due = sqlx::query(DUE).bind(now.0).bind(limit as i64);
                    let due = due.fetch_all(&mut *connection).await.map_err(db)?;
                    let mut rows = Vec::with_capacity(due.len());
                    let mut events = Vec::with_capacity(due.len());
                    for row in &due {
                        rows.push(row.try_get::<i64, _>(0).map_err(db)?);
                        let user = UserId(id(row.try_get(1).map_err(db)?)?);
                        let task: Task = from_json(row.try_get(2).map_err(db)?)?;
                        events.extend(reminder(user, &task, now, &TzDatabase)?);
                    }
                    let keys = events.iter().map(|e| (e.task_id, e.user_id, e.event_id));
                    let told = sqlx::query_scalar(TOLD)
                        .bind(to_json(&keys.collect::<Vec<_>>())?)
                        .fetch_all(&mut *connection);
                    let told: HashSet<String> = told.await.map_err(db)?.into_iter().collect();
                    events.retain(|event| !told.contains(&event.event_id.to_string()));
                    sqlx::query(REMINDED)
                        .bind(to_json(&rows)?)
                        .execute(&mut *connection)
                        .await
                        .map_err(db)?;
                    append_all(connection, &events).await?;
                    Ok(due.len())
                })
            })
            .await
    }
}
