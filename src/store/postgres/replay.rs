//! The log, as a replay walks it.

use std::sync::Arc;

use async_trait::async_trait;
use sqlx::Row;
use tidings_domain::id::{TaskId, UserId};
use uuid::Uuid;

use super::{PostgresStore, db, job::News};
use crate::{error::Result, store::Replay};

/// Of one person it is the whole log that is walked, too, but once: each part goes on from the last.
pub(super) const LOG: &str = "\
SELECT n, json FROM events WHERE n > $1 AND ($2::uuid IS NULL OR user_id = $2) ORDER BY n LIMIT $3";

/// The trail, walked in the same way.
pub(super) const TRAIL: &str = "\
SELECT n, event_id, recorded_at FROM audit WHERE n > $1 AND ($2::uuid IS NULL OR user_id = $2) \
    ORDER BY n LIMIT $3";

/// $1 events, $2 when each was recorded.
pub(super) const NOTE: &str = "\
INSERT INTO inbox (consumer, event_id, at) \
    SELECT 'audit', e, at FROM unnest($1::uuid[], $2::int8[]) j (e, at) ORDER BY e \
    ON CONFLICT DO NOTHING";

/// What is counted, and whether an event made it. $1 and $2 are the last one seen.
pub(super) const COUNTED: &str = "\
SELECT user_id, task_id, seq, EXISTS (SELECT FROM events e WHERE e.user_id = s.user_id \
        AND e.seq = s.seq AND e.task_id = s.task_id) \
    FROM statistics s WHERE (user_id, task_id) > ($1, $2) AND ($3::uuid IS NULL OR user_id = $3) \
    ORDER BY user_id, task_id LIMIT $4";

/// Unless an event has made it anew since. $1 to $3 are rows.
pub(super) const STRAY: &str = "\
DELETE FROM statistics s USING unnest($1::uuid[], $2::uuid[], $3::int8[]) j (user_id, task_id, seq) \
    WHERE s.user_id = j.user_id AND s.task_id = j.task_id AND s.seq = j.seq";

#[async_trait]
impl Replay for PostgresStore {
    async fn log(
        &self,
        user: Option<UserId>,
        after: i64,
        limit: usize,
    ) -> Result<Vec<(i64, Arc<str>)>> {
        let rows = sqlx::query(LOG)
            .bind(after)
            .bind(user.map(|user| user.0))
            .bind(limit as i64)
            .fetch_all(&self.pool)
            .await
            .map_err(db)?;
        rows.iter()
            .map(|row| {
                let json: &str = row.try_get(1).map_err(db)?;
                Ok((row.try_get(0).map_err(db)?, json.into()))
            })
            .collect()
    }

    async fn mend_audit(
        &self,
        user: Option<UserId>,
        after: i64,
        limit: usize,
    ) -> Result<Option<i64>> {
        let rows: Vec<(i64, Uuid, i64)> = sqlx::query_as(TRAIL)
            .bind(after)
            .bind(user.map(|user| user.0))
            .bind(limit as i64)
            .fetch_all(&self.pool)
            .await
            .map_err(db)?;
        let Some(&(last, ..)) = rows.last() else {
            return Ok(None);
        };
        self.jobs
            .write(News::None, move |connection| {
                Box::pin(async move {
                    let note = sqlx::query(NOTE)
                        .bind(Vec::from_iter(rows.iter().map(|row| row.1)))
                        .bind(Vec::from_iter(rows.iter().map(|row| row.2)));
                    note.execute(connection).await.map_err(db)
                })
            })
            .await?;
        Ok(Some(last))
    }

    async fn mend_statistics(
        &self,
        user: Option<UserId>,
        after: Option<(UserId, TaskId)>,
        limit: usize,
    ) -> Result<Option<(UserId, TaskId)>> {
        let (last_user, last_task) = after.unwrap_or((UserId(Uuid::nil()), TaskId(Uuid::nil())));
        let rows: Vec<(Uuid, Uuid, i64, bool)> = sqlx::query_as(COUNTED)
            .bind(last_user.0)
            .bind(last_task.0)
            .bind(user.map(|user| user.0))
            .bind(limit as i64)
            .fetch_all(&self.pool)
            .await
            .map_err(db)?;
        let Some(&(user, task, ..)) = rows.last() else {
            return Ok(None);
        };
        let strays: Vec<_> = rows.into_iter().filter(|(.., made)| !made).collect();
        if !strays.is_empty() {
            self.jobs
                .write(News::None, move |connection| {
                    Box::pin(async move {
                        let stray = sqlx::query(STRAY)
                            .bind(Vec::from_iter(strays.iter().map(|row| row.0)))
                            .bind(Vec::from_iter(strays.iter().map(|row| row.1)))
                            .bind(Vec::from_iter(strays.iter().map(|row| row.2)));
                        stray.execute(connection).await.map_err(db)
                    })
                })
                .await?;
        }
        Ok(Some((UserId(user), TaskId(task))))
    }
}
