//! Reminders whose time has come.

use std::collections::HashSet;

use async_trait::async_trait;
use sqlx::Row;
use tidings_domain::{
    id::UserId,
    task::Task,
    time::{Timestamp, TzDatabase},
};
use uuid::Uuid;

use super::{PostgresStore, db, from_json, job::News, load::LOCK, write::log};
use crate::{
    error::Result,
    store::{Reminders, plan::reminder},
};

/// Tasks that are due, the longest first.
pub(super) const DUE: &str = "SELECT user_id, id FROM tasks WHERE remind_at <= $1 \
     AND NOT reminded AND completed_at IS NULL AND deleted_at IS NULL ORDER BY remind_at LIMIT $2";
/// Those of them that still are, under the locks of their feeds. What must hold stands in a CASE, so that
/// they are found by their keys: by what is due, all of it would be walked for each of them, which
/// looks cheap where PostgreSQL has not counted it yet.
pub(super) const REMINDED: &str = "UPDATE tasks t SET reminded = true \
     FROM unnest($1::uuid[], $2::uuid[]) j (user_id, id) \
     WHERE t.user_id = j.user_id AND t.id = j.id AND CASE WHEN t.reminded THEN false \
     ELSE t.remind_at <= $3 AND t.completed_at IS NULL AND t.deleted_at IS NULL END \
     RETURNING t.user_id, t.task";
/// Which of these reminders were told of before. They are no version of their task, as 0 says.
pub(super) const TOLD: &str = "SELECT e.event_id \
     FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) j (user_id, task_id, event_id) \
     JOIN events e ON e.user_id = j.user_id AND e.task_id = j.task_id AND e.version = 0 \
     AND e.event_id = j.event_id";

#[async_trait]
impl Reminders for PostgresStore {
    async fn remind(&self, now: Timestamp, limit: usize) -> Result<usize> {
        let due = sqlx::query(DUE).bind(now.0).bind(limit as i64);
        let due = due.fetch_all(&self.pool).await.map_err(db)?;
        if due.is_empty() {
            return Ok(0);
        }
        let mut users = Vec::with_capacity(due.len());
        let mut tasks = Vec::with_capacity(due.len());
        for row in &due {
            users.push(row.try_get::<Uuid, _>(0).map_err(db)?);
            tasks.push(row.try_get::<Uuid, _>(1).map_err(db)?);
        }
        let count = due.len();
        self.jobs
            .write(News::Outbox, move |connection| {
                Box::pin(async move {
                    let lock = sqlx::query(LOCK).bind(&users);
                    lock.execute(&mut *connection).await.map_err(db)?;
                    let rows = sqlx::query(REMINDED)
                        .bind(&users)
                        .bind(&tasks)
                        .bind(now.0)
                        .fetch_all(&mut *connection)
                        .await
                        .map_err(db)?;
                    let mut events = Vec::with_capacity(rows.len());
                    for row in rows {
                        let user = UserId(row.try_get(0).map_err(db)?);
                        let task: Task = from_json(row.try_get(1).map_err(db)?)?;
                        events.extend(reminder(user, &task, now, &TzDatabase)?);
                    }
                    let user = |id: Option<UserId>| id.map(|user| user.0);
                    let told = sqlx::query_scalar(TOLD)
                        .bind(Vec::from_iter(events.iter().map(|e| user(e.user_id))))
                        .bind(Vec::from_iter(
                            events.iter().map(|e| e.task_id.map(|task| task.0)),
                        ))
                        .bind(Vec::from_iter(events.iter().map(|e| e.event_id.0)))
                        .fetch_all(&mut *connection);
                    let told: HashSet<Uuid> = told.await.map_err(db)?.into_iter().collect();
                    events.retain(|event| !told.contains(&event.event_id.0));
                    log(connection, &events).await?;
                    Ok(count)
                })
            })
            .await
    }
}
