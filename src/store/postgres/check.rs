//! Holds the store against its own log: what must always be true, looked at.

use futures_util::TryStreamExt;
use serde::de::IgnoredAny;
use sqlx::{Executor, PgConnection, Row};
use tidings_domain::{event::Event, id::UserId, task::Task};
use uuid::Uuid;

use super::{PostgresStore, db, from_json, tasks::MOMENT};
use crate::{
    error::Result,
    store::{Findings, KEPT_MS, check::Fold},
};

/// Each selects what is wrong, as words. All read the same transaction.
const QUESTIONS: [&str; 5] = [
    "SELECT 'events of no feed: ' || user_id FROM events e WHERE seq IS NOT NULL \
     AND NOT EXISTS (SELECT FROM feeds f WHERE f.user_id = e.user_id) GROUP BY user_id",
    "SELECT 'tasks of no feed: ' || user_id FROM tasks t \
     WHERE NOT EXISTS (SELECT FROM feeds f WHERE f.user_id = t.user_id) GROUP BY user_id",
    "SELECT 'a row of the outbox without its event: ' || id FROM outbox o \
     WHERE NOT EXISTS (SELECT FROM events e WHERE e.n = o.event)",
    "SELECT 'columns of a task that differ from it: ' || id \
     FROM (SELECT *, task::json AS j FROM tasks) t \
     WHERE id::text IS DISTINCT FROM j->>'id' OR position IS DISTINCT FROM j->>'position' \
     OR due_date IS DISTINCT FROM j->>'due_date' \
     OR (completed_at IS NULL) = (j->>'completed')::boolean \
     OR (deleted_at IS NULL) <> (j->>'deleted_at' IS NULL) \
     OR (remind_at IS NULL) <> (j->>'remind_at' IS NULL)",
    "SELECT 'a row of the audit trail without its event: ' || n FROM audit a \
     WHERE (user_id IS NULL OR EXISTS (SELECT FROM feeds f WHERE f.user_id = a.user_id)) \
     AND NOT EXISTS (SELECT FROM events e WHERE e.event_id = a.event_id)",
];

/// The inbox forgets, the trail does not. $1 is since when the inbox has everything.
const INBOX: &str = "SELECT 'an event that is in the audit trail and in the inbox not as often: ' || event_id FROM \
     (SELECT event_id, 1 AS trail, recorded_at AS at FROM audit \
     UNION ALL SELECT event_id, 0, at FROM inbox WHERE consumer = 'audit') rows \
     GROUP BY event_id HAVING sum(trail) <> 1 OR count(*) > 2 OR (count(*) = 1 AND max(at) > $1)";

/// All of a database may take a while, and is best walked as a whole.
const ALL: &str = "SET LOCAL statement_timeout = 0; SET LOCAL enable_seqscan = on; \
     SET LOCAL enable_hashjoin = on; SET LOCAL enable_mergejoin = on";

impl PostgresStore {
    /// [`crate::store::Store::check`].
    pub(super) async fn findings(&self) -> Result<Findings> {
        let mut findings = Findings::default();
        let mut transaction = self.pool.begin_with(MOMENT).await.map_err(db)?;
        transaction.execute(ALL).await.map_err(db)?;
        for question in QUESTIONS {
            let mut rows = sqlx::query_scalar::<_, String>(question).fetch(&mut *transaction);
            while let Some(fault) = rows.try_next().await.map_err(db)? {
                findings.add(fault);
            }
        }
        let since = self.ambient.clock.now().plus_ms(-KEPT_MS);
        let faults = sqlx::query_scalar::<_, String>(INBOX).bind(since.0);
        let mut rows = faults.fetch(&mut *transaction);
        while let Some(fault) = rows.try_next().await.map_err(db)? {
            findings.add(fault);
        }
        drop(rows);
        let unrecorded: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM events e WHERE NOT EXISTS (SELECT FROM outbox o \
             WHERE o.event = e.n AND o.topic IN ('task-events', 'user-events', 'audit-logs')) \
             AND e.event_type NOT IN ('reminder.due', 'notification.created') \
             AND NOT EXISTS (SELECT FROM audit a WHERE a.event_id = e.event_id)",
        )
        .fetch_one(&mut *transaction)
        .await
        .map_err(db)?;
        findings.unrecorded = unrecorded.unsigned_abs();
        // A person at a time, so that no more than one feed is in memory.
        let next = "SELECT user_id, seq, tasks FROM feeds WHERE $1 IS NULL OR user_id > $1 \
                    ORDER BY user_id LIMIT 1";
        let mut last = None::<Uuid>;
        while let Some(feed) = sqlx::query(next)
            .bind(last)
            .fetch_optional(&mut *transaction)
            .await
            .map_err(db)?
        {
            let user = UserId(feed.try_get(0).map_err(db)?);
            last = Some(user.0);
            let (seq, tasks) = (feed.try_get(1).map_err(db)?, feed.try_get(2).map_err(db)?);
            fold(&mut transaction, user, seq, tasks, &mut findings).await?;
        }
        transaction.commit().await.map_err(db)?;
        Ok(findings)
    }
}

/// Folds a person's events and compares.
async fn fold(
    connection: &mut PgConnection,
    user: UserId,
    head: i64,
    kept: i64,
    findings: &mut Findings,
) -> Result<()> {
    let mut fold = Fold::new(user, findings);
    let mut rows = sqlx::query(
        "SELECT seq, json FROM events WHERE user_id = $1 AND seq IS NOT NULL ORDER BY seq",
    )
    .bind(user.0)
    .fetch(&mut *connection);
    while let Some(row) = rows.try_next().await.map_err(db)? {
        let event: Event<IgnoredAny> = from_json(row.try_get(1).map_err(db)?)?;
        fold.event(row.try_get(0).map_err(db)?, event);
    }
    drop(rows);
    fold.feed(head, kept);
    let mut rows = sqlx::query("SELECT task, search FROM tasks WHERE user_id = $1")
        .bind(user.0)
        .fetch(connection);
    while let Some(row) = rows.try_next().await.map_err(db)? {
        let task: Task = from_json(row.try_get(0).map_err(db)?)?;
        fold.task(&task, row.try_get(1).map_err(db)?);
    }
    fold.end();
    Ok(())
}
