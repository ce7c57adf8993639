//! What is kept no longer than it is needed.

use async_trait::async_trait;
use sqlx::{Connection, Row, SqliteConnection};
use tidings_domain::{
    id::{TaskId, UserId},
    time::Timestamp,
};
use uuid::Uuid;

use super::{SqliteStore, accounts::sweep, db, id};
use crate::{
    error::Result,
    store::{
        Expired, Retention,
        retention::{KEPT_MS, PRUNED},
    },
};

/// Of everybody. ?1 before, ?2 to ?4 the last one seen, ?5 limit.
pub(super) const EXPIRED: &str = "SELECT user_id, id, task->>'$.version', deleted_at FROM tasks \
    WHERE deleted_at < ?1 AND (deleted_at, user_id, id) > (?2, ?3, ?4) \
    ORDER BY deleted_at, user_id, id LIMIT +?5";

/// Rows lie in the order in which they were written, so the old ones come first. ?1 before, ?2 limit.
const ANSWERS: &str = "DELETE FROM mutations WHERE n IN (SELECT n FROM \
    (SELECT n, at FROM mutations ORDER BY n LIMIT +?2) WHERE at < ?1)";

/// ?1 before, ?2 limit.
pub(super) const SESSIONS: &str = "DELETE FROM sessions WHERE token_hash IN (SELECT token_hash FROM sessions \
    WHERE expires_at <= ?1 ORDER BY expires_at LIMIT +?2)";

/// But for what may be delivered again: dead letters and what was set aside, when an operator says so,
/// and whatever waits in the outbox. ?1 before, ?2 limit.
pub(super) const INBOX: &str = "DELETE FROM inbox WHERE (consumer, event_id) IN (SELECT consumer, event_id \
    FROM inbox WHERE at < ?1 AND event_id NOT IN (SELECT event_id FROM dead_letters) \
    AND event_id NOT IN (SELECT e.event_id FROM outbox o CROSS JOIN events e ON e.n = o.event \
        WHERE o.dead = 1) ORDER BY at LIMIT +?2) \
    AND coalesce((SELECT e.at FROM outbox o CROSS JOIN events e ON e.n = o.event WHERE o.dead = 0 \
        ORDER BY o.id LIMIT 1), ?1) >= ?1";

/// Of no use to anybody by then: what they told is a day's. ?1 before, ?2 limit.
pub(super) const REFUSED: &str = "DELETE FROM pushes WHERE n IN (SELECT n FROM pushes \
    WHERE aside = 1 AND created_at < ?1 ORDER BY created_at LIMIT +?2)";

#[async_trait]
impl Retention for SqliteStore {
    async fn expired_trash(
        &self,
        before: Timestamp,
        after: Option<Expired>,
        limit: usize,
    ) -> Result<Vec<Expired>> {
        let first = (i64::MIN, Uuid::nil(), Uuid::nil());
        let (at, user, task) = after.map_or(first, |last| {
            (last.deleted_at.0, last.user_id.0, last.task_id.0)
        });
        let rows = sqlx::query(EXPIRED)
            .bind(before.0)
            .bind(at)
            .bind(user.to_string())
            .bind(task.to_string())
            .bind(limit as i64);
        let rows = rows.fetch_all(&self.readers).await.map_err(db)?;
        rows.iter()
            .map(|row| {
                Ok(Expired {
                    user_id: UserId(id(row.try_get(0).map_err(db)?)?),
                    task_id: TaskId(id(row.try_get(1).map_err(db)?)?),
                    version: row.try_get(2).map_err(db)?,
                    deleted_at: Timestamp(row.try_get(3).map_err(db)?),
                })
            })
            .collect()
    }
}

/// Removes answers, sessions, the notes of consumers and refused pushes that are kept no longer, and
/// what is left of people who are gone, a bounded number at a time; whether there may be more.
pub(super) async fn prune(connection: &mut SqliteConnection, now: Timestamp) -> Result<bool> {
    let before = now.0 - KEPT_MS;
    let mut more = false;
    for (sql, before) in [
        (ANSWERS, before),
        (SESSIONS, now.0),
        (INBOX, before),
        (REFUSED, before),
    ] {
        let delete = sqlx::query(sql).bind(before).bind(PRUNED as i64);
        let done = delete.execute(&mut *connection).await.map_err(db)?;
        more |= done.rows_affected() == PRUNED;
    }
    let mut part = connection.begin().await.map_err(db)?;
    more |= sweep(&mut part).await?;
    part.commit().await.map_err(db)?;
    Ok(more)
}
