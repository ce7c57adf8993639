//! Tasks: reading one, lists, boards, snapshots, history and the past. Reads that must agree come
//! from one statement, which is one transaction.

use async_trait::async_trait;
use futures_util::TryStreamExt;
use sqlx::{Connection, Row, sqlite::SqliteRow};
use std::collections::BTreeMap;
use tidings_domain::{
    decide::apply,
    event::Event,
    id::{TaskId, UserId},
    task::Task,
    view::{Board, Counts, Here, View},
};

use serde::de::IgnoredAny;

use super::{SqliteStore, db, feeds, from_json, list};
use crate::{
    error::Result,
    store::{
        AsOf, Mutation, Outcome, StoredEvent, TaskPage, TaskQuery, Tasks,
        listing::{count, end_of, outside_the_trash},
    },
};

/// The head and the number of open tasks, and the open tasks if they are few enough: all of them as
/// one text, since each row that SQLite hands over costs a change of thread.
pub(super) const OPEN: &str = "\
WITH head (seq, open) AS (SELECT \
    coalesce((SELECT seq FROM feeds WHERE user_id = ?1), 0), \
    (SELECT count(*) FROM (SELECT 1 FROM tasks INDEXED BY tasks_open WHERE user_id = ?1 \
        AND completed_at IS NULL AND deleted_at IS NULL LIMIT ?2 + 1))) \
SELECT seq, open, (SELECT group_concat(task) FROM (SELECT task FROM tasks INDEXED BY tasks_open \
    WHERE user_id = ?1 AND completed_at IS NULL AND deleted_at IS NULL AND open <= ?2 \
    ORDER BY position, id)) FROM head";

/// What the side bar counts, in SQL for those whose open tasks are many: first the views, then a row
/// a tag. ?2 zone, ?3 today, ?4 the instant at which tomorrow begins.
pub(super) const COUNTS: &str = "\
SELECT NULL, count(*), \
    total(CASE WHEN due_zone IS NULL OR due_zone = ?2 THEN due_date <= ?3 ELSE due_at < ?4 END), \
    total(CASE WHEN due_zone IS NULL OR due_zone = ?2 THEN due_date > ?3 ELSE due_at >= ?4 END) \
    FROM tasks INDEXED BY tasks_open WHERE user_id = ?1 AND completed_at IS NULL AND deleted_at IS NULL \
UNION ALL SELECT * FROM (SELECT j.value, count(*), 0.0, 0.0 FROM tasks INDEXED BY tasks_open, json_each(tags) j \
    WHERE user_id = ?1 AND completed_at IS NULL AND deleted_at IS NULL AND tags IS NOT NULL \
    GROUP BY j.value ORDER BY j.value)";

/// Version 0 is what was deleted for good.
pub(super) const HISTORY: &str = "SELECT seq, json FROM events WHERE user_id = ?1 AND task_id = ?2 \
             AND version > max(?3, 0) ORDER BY version LIMIT +?4";

/// The fold keeps the last event of each task, so that only those need be read: next to max(), SQLite
/// takes the other columns from the row that has it.
pub(super) const AS_OF: &str = "SELECT max(seq), json FROM events WHERE user_id = ?1 AND seq <= ?2 AND at <= ?3 \
             AND task_id IS NOT NULL AND event_type LIKE 'task.%' GROUP BY task_id";

#[async_trait]
impl Tasks for SqliteStore {
    async fn mutate(&self, mutation: Mutation) -> Result<Outcome> {
        self.writer.mutate(mutation).await
    }

    async fn task(&self, user: UserId, id: TaskId) -> Result<Option<Task>> {
        let json = self.single.task(user, id).await?;
        json.map(|json| from_json(&json)).transpose()
    }

    async fn list(&self, user: UserId, query: &TaskQuery, here: &Here<'_>) -> Result<TaskPage> {
        list::page(&self.readers, self.epoch, user, query, here).await
    }

    async fn board(
        &self,
        user: UserId,
        view: &View,
        limit: usize,
        here: &Here<'_>,
    ) -> Result<Board> {
        let (cursor, open, tasks) = self.open_tasks(user, limit).await?;
        if open <= limit {
            let counts = count(&tasks, here);
            return Ok(Board {
                epoch: self.epoch,
                cursor,
                tasks,
                complete: true,
                counts,
            });
        }
        let mut reader = self.readers.get().await.map_err(db)?;
        let begun = reader.connection().map_err(db)?.begin().await;
        let mut transaction = begun.map_err(db)?;
        let (cursor, mut tasks) = list::view(&mut transaction, user, view, limit, here).await?;
        let rows = sqlx::query(COUNTS)
            .bind(user.to_string())
            .bind(here.zone)
            .bind(here.today.to_string())
            .bind(end_of(here.today, here))
            .fetch_all(&mut *transaction)
            .await
            .map_err(db)?;
        transaction.commit().await.map_err(db)?;
        tasks.sort_by(|a, b| view.order(a, b, here));
        Ok(Board {
            epoch: self.epoch,
            cursor,
            tasks,
            complete: false,
            counts: counts(&rows)?,
        })
    }

    async fn snapshot(&self, user: UserId) -> Result<(i64, Vec<Task>)> {
        let _turn = self.heavy.take().await?;
        let (seq, _, tasks) = self.open_tasks(user, i32::MAX as usize).await?;
        Ok((seq, tasks))
    }

    async fn history(
        &self,
        user: UserId,
        id: TaskId,
        after: i64,
        limit: usize,
    ) -> Result<Vec<StoredEvent>> {
        let rows = sqlx::query(HISTORY)
            .bind(user.to_string())
            .bind(id.to_string())
            .bind(after)
            .bind(limit as i64)
            .fetch_all(&self.readers)
            .await
            .map_err(db)?;
        rows.iter().map(feeds::stored).collect()
    }

    async fn as_of(&self, user: UserId, moment: AsOf) -> Result<Vec<Task>> {
        let (seq, at) = match moment {
            AsOf::Seq(seq) => (seq, i64::MAX),
            AsOf::At(at) => (i64::MAX, at.0),
        };
        let _turn = self.heavy.take().await?;
        let mut reader = self.readers.get().await.map_err(db)?;
        let mut rows = sqlx::query(AS_OF)
            .bind(user.to_string())
            .bind(seq)
            .bind(at)
            .fetch(reader.connection().map_err(db)?);
        let mut tasks = BTreeMap::new();
        while let Some(row) = rows.try_next().await.map_err(db)? {
            let event: Event<IgnoredAny> = from_json(row.try_get(1).map_err(db)?)?;
            apply(&mut tasks, event);
        }
        Ok(outside_the_trash(tasks))
    }
}

impl SqliteStore {
    /// The head, how many tasks are open (counted up to one more than `limit`), and all of them if
    /// they are at most `limit`.
    async fn open_tasks(&self, user: UserId, limit: usize) -> Result<(i64, usize, Vec<Task>)> {
        let row = sqlx::query(OPEN)
            .bind(user.to_string())
            .bind(limit as i64)
            .fetch_one(&self.readers)
            .await
            .map_err(db)?;
        let open: i64 = row.try_get(1).map_err(db)?;
        let texts: Option<&str> = row.try_get(2).map_err(db)?;
        let tasks = texts.map(|texts| ["[", texts, "]"].concat());
        let tasks = tasks.map_or_else(|| Ok(Vec::new()), |tasks| from_json(&tasks))?;
        Ok((
            row.try_get(0).map_err(db)?,
            usize::try_from(open).unwrap_or(usize::MAX),
            tasks,
        ))
    }
}

/// Reads what [`COUNTS`] counted.
fn counts(rows: &[SqliteRow]) -> Result<Counts> {
    let mut counts = Counts::default();
    for row in rows {
        let number = u32::try_from(row.try_get::<i64, _>(1).map_err(db)?).unwrap_or(u32::MAX);
        match row.try_get::<Option<String>, _>(0).map_err(db)? {
            Some(tag) => counts.tags.push((tag, number)),
            None => {
                counts.inbox = number;
                counts.today = row.try_get::<f64, _>(2).map_err(db)? as u32;
                counts.upcoming = row.try_get::<f64, _>(3).map_err(db)? as u32;
            }
        }
    }
    Ok(counts)
}
