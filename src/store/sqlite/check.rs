//! Holds the store against its own log: what must always be true, looked at.

use futures_util::TryStreamExt;
use serde::de::IgnoredAny;
use sqlx::{Row, SqliteConnection};
use tidings_domain::{event::Event, id::UserId, task::Task};

use super::{SqliteStore, db, from_json, id};
use crate::{
    error::Result,
    store::{Findings, KEPT_MS, check::Fold},
};

/// Each selects what is wrong, as words. All read the same transaction.
const QUESTIONS: [&str; 5] = [
    "SELECT 'events of no feed: ' || user_id FROM events \
     WHERE seq IS NOT NULL AND user_id NOT IN (SELECT user_id FROM feeds) GROUP BY user_id",
    "SELECT 'tasks of no feed: ' || user_id FROM tasks \
     WHERE user_id NOT IN (SELECT user_id FROM feeds) GROUP BY user_id",
    "SELECT 'a row of the outbox without its event: ' || id FROM outbox \
     WHERE event NOT IN (SELECT n FROM events)",
    "SELECT 'columns of a task that differ from it: ' || id FROM tasks \
     WHERE id IS NOT task->>'$.id' OR position IS NOT task->>'$.position' \
     OR due_date IS NOT task->>'$.due_date' \
     OR (completed_at IS NULL) = (task->>'$.completed') \
     OR (deleted_at IS NULL) <> (task->>'$.deleted_at' IS NULL)",
    "SELECT 'a row of the audit trail without its event: ' || n FROM audit a \
     WHERE (user_id IS NULL OR user_id IN (SELECT user_id FROM feeds)) \
     AND event_id NOT IN (SELECT event_id FROM events)",
];

/// The inbox forgets, the trail does not. ?1 is since when the inbox has everything.
const INBOX: &str = "SELECT 'an event that is in the audit trail and in the inbox not as often: ' || event_id FROM \
     (SELECT event_id, 1 AS trail, recorded_at AS at FROM audit \
     UNION ALL SELECT event_id, 0, at FROM inbox WHERE consumer = 'audit') \
     GROUP BY event_id HAVING sum(trail) <> 1 OR count(*) > 2 OR (count(*) = 1 AND max(at) > ?1)";

impl SqliteStore {
    /// [`crate::store::Store::check`].
    pub(super) async fn findings(&self) -> Result<Findings> {
        let mut findings = Findings::default();
        let mut transaction = self.readers.begin().await.map_err(db)?;
        for question in QUESTIONS {
            let mut rows = sqlx::query_scalar::<_, String>(question).fetch(&mut *transaction);
            while let Some(fault) = rows.try_next().await.map_err(db)? {
                findings.add(fault);
            }
        }
        let since = self.clock.now().plus_ms(-KEPT_MS);
        let faults = sqlx::query_scalar::<_, String>(INBOX).bind(since.0);
        let mut rows = faults.fetch(&mut *transaction);
        while let Some(fault) = rows.try_next().await.map_err(db)? {
            findings.add(fault);
        }
        drop(rows);
        let unrecorded: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM events WHERE n NOT IN (SELECT event FROM outbox \
             WHERE topic IN ('task-events', 'user-events', 'audit-logs')) \
             AND event_id NOT IN (SELECT event_id FROM audit)",
        )
        .fetch_one(&mut *transaction)
        .await
        .map_err(db)?;
        findings.unrecorded = unrecorded.unsigned_abs();
        let feeds = sqlx::query("SELECT user_id, seq, tasks FROM feeds ORDER BY user_id")
            .fetch_all(&mut *transaction)
            .await
            .map_err(db)?;
        // A person at a time, so that no more than one feed is in memory.
        for feed in feeds {
            let user = UserId(id(feed.try_get(0).map_err(db)?)?);
            let (seq, tasks) = (feed.try_get(1).map_err(db)?, feed.try_get(2).map_err(db)?);
            fold(&mut transaction, user, seq, tasks, &mut findings).await?;
        }
        transaction.commit().await.map_err(db)?;
        Ok(findings)
    }
}

/// Folds a person's events and compares.
async fn fold(
    connection: &mut SqliteConnection,
    user: UserId,
    head: i64,
    kept: i64,
    findings: &mut Findings,
) -> Result<()> {
    let mut fold = Fold::new(user, findings);
    let mut rows = sqlx::query(
        "SELECT seq, json FROM events WHERE user_id = ?1 AND seq IS NOT NULL ORDER BY seq",
    )
    .bind(user.to_string())
    .fetch(&mut *connection);
    while let Some(row) = rows.try_next().await.map_err(db)? {
        let event: Event<IgnoredAny> = from_json(row.try_get(1).map_err(db)?)?;
        fold.event(row.try_get(0).map_err(db)?, event);
    }
    drop(rows);
    fold.feed(head, kept);
    let mut rows = sqlx::query_scalar::<_, String>("SELECT task FROM tasks WHERE user_id = ?1")
        .bind(user.to_string())
        .fetch(connection);
    while let Some(json) = rows.try_next().await.map_err(db)? {
        fold.task(&from_json::<Task>(&json)?);
    }
    fold.end();
    Ok(())
}
