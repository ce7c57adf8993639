//! The log, as a replay walks it.

use std::sync::Arc;

use async_trait::async_trait;
use sqlx::Row;
use tidings_domain::id::UserId;

use super::{SqliteStore, db, id, job::News};
use crate::{error::Result, store::Replay};

pub(super) const NEXT_PERSON: &str = "\
SELECT min(user_id) FROM (\
    SELECT min(user_id) AS user_id FROM events WHERE seq IS NOT NULL AND user_id > ?1 \
    UNION ALL SELECT min(user_id) FROM events WHERE seq IS NULL AND user_id > ?1)";

/// Of one person it is the whole log that is walked, too, but once: each part goes on from the last.
pub(super) const LOG: &str = "\
SELECT n, json FROM events WHERE n > ?1 AND (?2 IS NULL OR user_id = ?2) ORDER BY n LIMIT ?3";

pub(super) const MEND_AUDIT: &str = "\
DELETE FROM inbox WHERE consumer = 'audit' AND event_id IN (\
    SELECT event_id FROM events WHERE user_id IS ?1 AND seq IS NOT NULL \
    UNION ALL SELECT event_id FROM events WHERE user_id IS ?1 AND seq IS NULL) \
    AND event_id NOT IN (SELECT event_id FROM audit WHERE user_id IS ?1); \
INSERT INTO inbox (consumer, event_id, at) \
    SELECT 'audit', event_id, recorded_at FROM audit WHERE user_id IS ?1 \
    ON CONFLICT DO NOTHING";

pub(super) const MEND_STATISTICS: &str = "\
DELETE FROM statistics WHERE user_id = ?1 AND NOT EXISTS (SELECT 1 FROM events e \
    WHERE e.user_id = ?1 AND e.seq = statistics.seq AND e.task_id = statistics.task_id)";

#[async_trait]
impl Replay for SqliteStore {
    async fn next_person(&self, after: Option<UserId>) -> Result<Option<UserId>> {
        let next: Option<String> = sqlx::query_scalar(NEXT_PERSON)
            .bind(after.map_or_else(String::new, |user| user.to_string()))
            .fetch_one(&self.readers)
            .await
            .map_err(db)?;
        next.map(|user| id(&user).map(UserId)).transpose()
    }

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

    async fn mend_audit(&self, user: Option<UserId>) -> Result<()> {
        self.mend(MEND_AUDIT, user).await
    }

    async fn mend_statistics(&self, user: UserId) -> Result<()> {
        self.mend(MEND_STATISTICS, Some(user)).await
    }
}

impl SqliteStore {
    async fn mend(&self, sql: &'static str, user: Option<UserId>) -> Result<()> {
        let mend = sqlx::query(sql).bind(user.map(|user| user.to_string()));
        self.writer.execute(News::None, mend).await.map(drop)
    }
}
