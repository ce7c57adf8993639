//! Tasks: reading one, lists, boards, snapshots, history and the past. Reads that must agree come
//! from one statement, or from one transaction that sees one moment.

use std::collections::BTreeMap;

use async_trait::async_trait;
use futures_util::TryStreamExt;
use serde::de::IgnoredAny;
use sqlx::{Row, postgres::PgRow};
use tidings_domain::{
    decide::apply,
    event::Event,
    id::{TaskId, UserId},
    task::Task,
    view::{Board, Counts, Here, View},
};

use super::{PostgresStore, db, feeds, from_json, list};
use crate::{
    error::Result,
    store::{
        AsOf, Mutation, Outcome, StoredEvent, TaskPage, TaskQuery, Tasks,
        listing::{count, end_of, outside_the_trash},
    },
};

/// A transaction that sees one moment.
pub(super) const MOMENT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// The head and the number of open tasks (counted up to one more than asked for), beside each open
/// task if they are few enough.
pub(super) const OPEN: &str = "SELECT t.task, h.seq, h.open FROM (SELECT \
    coalesce((SELECT seq FROM feeds WHERE user_id = $1), 0) AS seq, \
    (SELECT count(*) FROM (SELECT FROM tasks WHERE user_id = $1 \
        AND completed_at IS NULL AND deleted_at IS NULL LIMIT $2::int8 + 1) counted) AS open) h \
    LEFT JOIN tasks t ON h.open <= $2 AND t.user_id = $1 \
    AND t.completed_at IS NULL AND t.deleted_at IS NULL \
    ORDER BY t.position, t.id";

/// What the side bar counts, in SQL for those whose open tasks are many: first the views, then a row
/// a tag. $2 zone, $3 today, $4 the instant at which tomorrow begins.
pub(super) const VIEWS: &str = "SELECT count(*), \
    count(*) FILTER (WHERE CASE WHEN due_zone IS NULL OR due_zone = $2 \
        THEN due_date <= $3 ELSE due_at < $4 END), \
    count(*) FILTER (WHERE CASE WHEN due_zone IS NULL OR due_zone = $2 \
        THEN due_date > $3 ELSE due_at >= $4 END) \
    FROM tasks WHERE user_id = $1 AND completed_at IS NULL AND deleted_at IS NULL";
pub(super) const TAGS: &str = "SELECT j.tag COLLATE \"C\" AS tag, count(*) \
    FROM tasks, jsonb_array_elements_text(tags) j (tag) \
    WHERE user_id = $1 AND completed_at IS NULL AND deleted_at IS NULL AND tags IS NOT NULL \
    GROUP BY 1 ORDER BY 1";

/// Version 0 is what was deleted for good.
pub(super) const HISTORY: &str = "SELECT seq, json FROM events WHERE user_id = $1 AND task_id = $2 \
    AND version > greatest($3, 0) ORDER BY version LIMIT $4";

/// The fold keeps the last event of each task, so that only those need be read.
pub(super) const AS_OF: &str = "SELECT e.json FROM (SELECT max(seq) AS seq FROM events \
    WHERE user_id = $1 AND seq <= $2 AND at <= $3 \
    AND task_id IS NOT NULL AND event_type LIKE 'task.%' GROUP BY task_id) last \
    JOIN events e ON e.user_id = $1 AND e.seq = last.seq";

#[async_trait]
impl Tasks for PostgresStore {
    async fn mutate(&self, mutation: Mutation) -> Result<Outcome> {
        self.writers.mutate(mutation).await
    }

    async fn task(&self, user: UserId, id: TaskId) -> Result<Option<Task>> {
        let json: Option<String> =
            sqlx::query_scalar("SELECT task FROM tasks WHERE user_id = $1 AND id = $2")
                .bind(user.0)
                .bind(id.0)
                .fetch_optional(&self.pool)
                .await
                .map_err(db)?;
        json.map(|json| from_json(&json)).transpose()
    }

    async fn list(&self, user: UserId, query: &TaskQuery, here: &Here<'_>) -> Result<TaskPage> {
        list::page(&self.pool, self.epoch, user, query, here).await
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
        let mut transaction = self.pool.begin_with(MOMENT).await.map_err(db)?;
        let (cursor, mut tasks) = list::view(&mut *transaction, user, view, limit, here).await?;
        let views = sqlx::query(VIEWS)
            .bind(user.0)
            .bind(here.zone)
            .bind(here.today.to_string())
            .bind(end_of(here.today, here))
            .fetch_one(&mut *transaction)
            .await
            .map_err(db)?;
        let tags = sqlx::query(TAGS)
            .bind(user.0)
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
            counts: counts(&views, &tags)?,
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
            .bind(user.0)
            .bind(id.0)
            .bind(after)
            .bind(limit as i64)
            .fetch_all(&self.pool)
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
        let mut rows = sqlx::query(AS_OF)
            .bind(user.0)
            .bind(seq)
            .bind(at)
            .fetch(&self.pool);
        let mut tasks = BTreeMap::new();
        while let Some(row) = rows.try_next().await.map_err(db)? {
            let event: Event<IgnoredAny> = from_json(row.try_get(0).map_err(db)?)?;
            apply(&mut tasks, event);
        }
        Ok(outside_the_trash(tasks))
    }
}

impl PostgresStore {
    /// The head, how many tasks are open (counted up to one more than `limit`), and all of them if
    /// they are at most `limit`.
    async fn open_tasks(&self, user: UserId, limit: usize) -> Result<(i64, usize, Vec<Task>)> {
        let mut rows = sqlx::query(OPEN)
            .bind(user.0)
            .bind(limit as i64)
            .fetch(&self.pool);
        let (mut seq, mut open, mut tasks) = (0, 0, Vec::new());
        while let Some(row) = rows.try_next().await.map_err(db)? {
            if let Some(json) = row.try_get::<Option<&str>, _>(0).map_err(db)? {
                tasks.push(from_json(json)?);
            }
            seq = row.try_get(1).map_err(db)?;
            open = row.try_get::<i64, _>(2).map_err(db)?;
        }
        Ok((seq, usize::try_from(open).unwrap_or(usize::MAX), tasks))
    }
}

/// Reads what [`VIEWS`] and [`TAGS`] counted.
fn counts(views: &PgRow, tags: &[PgRow]) -> Result<Counts> {
    let number = |row: &PgRow, column: usize| {
        let count: i64 = row.try_get(column).map_err(db)?;
        Ok::<_, crate::error::Error>(u32::try_from(count).unwrap_or(u32::MAX))
    };
    let tag = |row: &PgRow| Ok((row.try_get(0).map_err(db)?, number(row, 1)?));
    Ok(Counts {
        inbox: number(views, 0)?,
        today: number(views, 1)?,
        upcoming: number(views, 2)?,
        tags: tags.iter().map(tag).collect::<Result<_>>()?,
    })
}
