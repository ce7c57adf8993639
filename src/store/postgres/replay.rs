//! The log, as a replay walks it.

use std::sync::Arc;

use async_trait::async_trait;
use sqlx::Row;
use tidings_domain::id::UserId;
use uuid::Uuid;

use super::{PostgresStore, db, job::News};
use crate::{error::Result, store::Replay};

pub(super) const NEXT_PERSON: &str =
    "SELECT user_id FROM events WHERE user_id > $1 ORDER BY user_id LIMIT 1";

/// Of one person it is the whole log that is walked, too, but once: each part goes on from the last.
pub(super) const LOG: &str = "\
SELECT n, json FROM events WHERE n > $1 AND ($2::uuid IS NULL OR user_id = $2) ORDER BY n LIMIT $3";

/// Whose the rows are; what is of nobody is found by an index only where that is said so.
macro_rules! mend_audit {
    ($e:literal, $a:literal) => {
        [
            concat!(
                "DELETE FROM inbox i USING events e WHERE i.consumer = 'audit' \
                 AND i.event_id = e.event_id AND ",
                $e,
                " AND NOT EXISTS \
                 (SELECT FROM audit a WHERE ",
                $a,
                " AND a.event_id = e.event_id)"
            ),
            concat!(
                "INSERT INTO inbox (consumer, event_id, at) \
                 SELECT 'audit', event_id, recorded_at FROM audit a \
                 WHERE ",
                $a,
                " ORDER BY event_id ON CONFLICT DO NOTHING"
            ),
        ]
    };
}
const MEND_AUDIT: [&str; 2] = mend_audit!("e.user_id = $1", "a.user_id = $1");
const MEND_AUDIT_OF_NOBODY: [&str; 2] = mend_audit!(
    "e.user_id IS NULL AND $1::uuid IS NULL",
    "a.user_id IS NULL AND $1::uuid IS NULL"
);

const MEND_STATISTICS: &str = "\
DELETE FROM statistics s WHERE user_id = $1 AND NOT EXISTS (SELECT FROM events e \
    WHERE e.user_id = $1 AND e.seq = s.seq AND e.task_id = s.task_id)";

#[async_trait]
impl Replay for PostgresStore {
    async fn next_person(&self, after: Option<UserId>) -> Result<Option<UserId>> {
        let next: Option<Uuid> = sqlx::query_scalar(NEXT_PERSON)
            .bind(after.map_or(Uuid::nil(), |user| user.0))
            .fetch_optional(&self.pool)
            .await
            .map_err(db)?;
        Ok(next.map(UserId))
    }

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

    async fn mend_audit(&self, user: Option<UserId>) -> Result<()> {
        let mend = user.map_or(MEND_AUDIT_OF_NOBODY, |_| MEND_AUDIT);
        self.mend(mend.to_vec(), user).await
    }

    async fn mend_statistics(&self, user: UserId) -> Result<()> {
        self.mend(vec![MEND_STATISTICS], Some(user)).await
    }
}

impl PostgresStore {
    async fn mend(&self, statements: Vec<&'static str>, user: Option<UserId>) -> Result<()> {
        self.jobs
            .write(News::None, move |connection| {
                Box::pin(async move {
                    // All of a person may take a while.
                    sqlx::query("SET LOCAL statement_timeout = 0")
                        .execute(&mut *connection)
                        .await
                        .map_err(db)?;
                    for sql in statements {
                        let mend = sqlx::query(sql).bind(user.map(|user| user.0));
                        mend.execute(&mut *connection).await.map_err(db)?;
                    }
                    Ok(())
                })
            })
            .await
    }
}
