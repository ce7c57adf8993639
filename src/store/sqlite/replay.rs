//! The log, as a replay walks it.

use std::sync::Arc;

use async_trait::async_trait;
use sqlx::Row;
use tidings_domain::id::{TaskId, UserId};
use uuid::Uuid;

use super::{SqliteStore, db, id, job::News, to_json};
use crate::{error::Result, store::Replay};

/// Of one person it is the whole log that is walked, too, but once: each part goes on from the last.
pub(super) const LOG: &str = "\
SELECT n, json FROM events WHERE n > ?1 AND (?2 IS NULL OR user_id = ?2) ORDER BY n LIMIT +?3";

/// The trail, walked in the same way.
pub(super) const TRAIL: &str = "\
SELECT n, event_id, recorded_at FROM audit WHERE n > ?1 AND (?2 IS NULL OR user_id = ?2) \
    ORDER BY n LIMIT +?3";

/// ?1 rows of the trail.
pub(super) const NOTE: &str = "\
INSERT INTO inbox (consumer, event_id, at) \
    SELECT 'audit', value->>1, value->>2 FROM jsonb_each(?1) WHERE true \
    ON CONFLICT DO NOTHING";

/// What is counted, and whether an event made it. ?1 and ?2 are the last one seen.
pub(super) const COUNTED: &str = "\
SELECT user_id, task_id, seq, EXISTS (SELECT 1 FROM events e WHERE e.user_id = s.user_id \
        AND e.seq = s.seq AND e.task_id = s.task_id) \
    FROM statistics s WHERE (task_id, user_id) > (?2, ?1) AND (?3 IS NULL OR user_id = ?3) \
    ORDER BY task_id, user_id LIMIT +?4";

/// Unless an event has made it anew since. ?1 rows.
pub(super) const STRAY: &str = "\
DELETE FROM statistics WHERE (user_id, task_id, seq) IN \
    (SELECT value->>0, value->>1, value->>2 FROM jsonb_each(?1))";

#[async_trait]
impl Replay for SqliteStore {
    async fn log(
        &self,
        user: Option<UserId>,
        after: i64,
        limit: usize,
    ) -> Result<Vec<(i64, Arc<str>)>> {
        let rows = sqlx::query(LOG)
            .bind(after)
            .bind(user.map(|user| user.to_string()))
            .bind(limit as i64)
            .fetch_all(&self.readers)
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
        let rows: Vec<(i64, String, i64)> = sqlx::query_as(TRAIL)
            .bind(after)
            .bind(user.map(|user| user.to_string()))
            .bind(limit as i64)
            .fetch_all(&self.readers)
            .await
            .map_err(db)?;
        let Some(&(last, ..)) = rows.last() else {
            return Ok(None);
        };
        let note = sqlx::query(NOTE).bind(to_json(&rows)?);
        self.writer.execute(News::None, note).await?;
        Ok(Some(last))
    }

    async fn mend_statistics(
        &self,
        user: Option<UserId>,
        after: Option<(UserId, TaskId)>,
        limit: usize,
    ) -> Result<Option<(UserId, TaskId)>> {
        let (last_user, last_task) = after.unwrap_or((UserId(Uuid::nil()), TaskId(Uuid::nil())));
        let rows: Vec<(String, String, i64, bool)> = sqlx::query_as(COUNTED)
            .bind(last_user.to_string())
            .bind(last_task.to_string())
            .bind(user.map(|user| user.to_string()))
            .bind(limit as i64)
            .fetch_all(&self.readers)
            .await
            .map_err(db)?;
        let Some((user, task, ..)) = rows.last() else {
            return Ok(None);
        };
        let last = (UserId(id(user)?), TaskId(id(task)?));
        let strays = rows.iter().filter(|(.., made)| !made);
        let strays: Vec<_> = strays
            .map(|(user, task, seq, _)| (user, task, seq))
            .collect();
        if !strays.is_empty() {
            let stray = sqlx::query(STRAY).bind(to_json(&strays)?);
            self.writer.execute(News::None, stray).await?;
        }
        Ok(Some(last))
    }
}
