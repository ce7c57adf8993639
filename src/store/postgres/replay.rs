//! The log, as a replay walks it.

use std::sync::Arc;

use async_trait::async_trait;
use sqlx::Row;
use tidings_domain::id::{TaskId, UserId};
use uuid::Uuid;

use super::{PostgresStore, db, job::News};
use crate::{error::Result, store::Replay};

/// Everybody's. $1 the last one seen, $2 limit.
pub(super) const LOG: &str = "SELECT n, json FROM events WHERE n > $1 ORDER BY n LIMIT $2";

/// A person's, which must not walk past everybody else's: first those that stand in no feed, and then
/// the feed, whose places are told from theirs by the sign. $1 the last one seen, $2 limit, $3 person.
pub(super) const LOOSE: &str = "SELECT n, json FROM events \
    WHERE user_id = $3 AND seq IS NULL AND n > $1 ORDER BY n + 0 LIMIT $2";
pub(super) const FEED: &str = "SELECT -seq, json FROM events \
    WHERE user_id = $3 AND seq > -$1::int8 ORDER BY seq LIMIT $2";

/// The trail of everybody. $1 the last one seen, $2 limit.
pub(super) const TRAIL: &str =
    "SELECT n, event_id, recorded_at FROM audit WHERE n > $1 ORDER BY n LIMIT $2";

/// That of a person, $3.
pub(super) const TRAIL_OF: &str = "SELECT n, event_id, recorded_at FROM audit \
    WHERE user_id = $3 AND n > $1 ORDER BY user_id, n LIMIT $2";

/// $1 events, $2 when each was recorded.
pub(super) const NOTE: &str = "\
INSERT INTO inbox (consumer, event_id, at) \
    SELECT 'audit', e, at FROM unnest($1::uuid[], $2::int8[]) j (e, at) ORDER BY e \
    ON CONFLICT DO NOTHING";

/// What is counted, and whether an event made it. $1 and $2 are the last one seen, $3 the last person.
pub(super) const COUNTED: &str = "\
SELECT user_id, task_id, seq, EXISTS (SELECT FROM events e WHERE e.user_id = s.user_id \
        AND e.seq = s.seq AND e.task_id = s.task_id) \
    FROM statistics s WHERE (user_id, task_id) > ($1, $2) AND user_id <= $3 \
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
        let part = async |sql: &'static str, after: i64, limit: usize| {
            let part = sqlx::query(sql).bind(after).bind(limit as i64);
            let part = match user {
                Some(user) => part.bind(user.0),
                None => part,
            };
            part.fetch_all(&self.pool).await.map_err(db)
        };
        let rows = match user {
            None => part(LOG, after, limit).await?,
            Some(_) if after < 0 => part(FEED, after, limit).await?,
            Some(_) => {
                let mut rows = part(LOOSE, after, limit).await?;
                rows.extend(part(FEED, 0, limit - rows.len()).await?);
                rows
            }
        };
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
        let trail = sqlx::query_as(user.map_or(TRAIL, |_| TRAIL_OF));
        let trail = trail.bind(after).bind(limit as i64);
        let trail = match user {
            Some(user) => trail.bind(user.0),
            None => trail,
        };
        let rows: Vec<(i64, Uuid, i64)> = trail.fetch_all(&self.pool).await.map_err(db)?;
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
        let (first, last) = user.map_or((Uuid::nil(), Uuid::max()), |user| (user.0, user.0));
        let (last_user, last_task) = after.unwrap_or((UserId(first), TaskId(Uuid::nil())));
        let rows: Vec<(Uuid, Uuid, i64, bool)> = sqlx::query_as(COUNTED)
            .bind(last_user.0)
            .bind(last_task.0)
            .bind(last)
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
