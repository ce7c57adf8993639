//! Holds the store against its own log: what must always be true, looked at.

use std::hash::{DefaultHasher, Hash, Hasher};

use futures_util::TryStreamExt;
use serde::de::IgnoredAny;
use sqlx::{Connection, Executor, Row, SqliteConnection};
use tidings_domain::{event::Event, id::UserId, task::Task, text};

use super::{SqliteStore, db, from_json, id};
use crate::{
    error::Result,
    store::{Findings, KEPT_MS, check::Fold, listing::tokens},
};

/// Each selects what is wrong, as words. All read the same transaction. Of people who are leaving,
/// something may be left.
const QUESTIONS: [&str; 5] = [
    "SELECT 'events of no feed: ' || user_id FROM events \
     WHERE seq IS NOT NULL AND user_id NOT IN (SELECT user_id FROM feeds) \
     AND 'leaving ' || user_id NOT IN (SELECT key FROM meta) GROUP BY user_id",
    "SELECT 'tasks of no feed: ' || user_id FROM tasks \
     WHERE user_id NOT IN (SELECT user_id FROM feeds) \
     AND 'leaving ' || user_id NOT IN (SELECT key FROM meta) GROUP BY user_id",
    "SELECT 'a row of the outbox without its event: ' || id FROM outbox \
     WHERE event NOT IN (SELECT n FROM events)",
    "SELECT 'columns of a task that differ from it: ' || id FROM tasks \
     WHERE id IS NOT task->>'$.id' OR position IS NOT task->>'$.position' \
     OR due_date IS NOT task->>'$.due_date' \
     OR (completed_at IS NULL) = (task->>'$.completed') \
     OR (deleted_at IS NULL) <> (task->>'$.deleted_at' IS NULL) \
     OR (remind_at IS NULL) <> (task->>'$.remind_at' IS NULL)",
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
        // All of a database is more than belongs in memory. The connection is one of its own, so that
        // nobody else goes on with that setting, however this ends.
        let mut connection = self.readers.another().await.map_err(db)?;
        connection
            .execute("PRAGMA temp_store = FILE")
            .await
            .map_err(db)?;
        let mut transaction = connection.begin().await.map_err(db)?;
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
            "SELECT count(*) FROM events WHERE n NOT IN (SELECT event FROM outbox \
             WHERE topic IN ('task-events', 'user-events', 'audit-logs')) \
             AND event_type NOT IN ('reminder.due', 'notification.created') \
             AND event_id NOT IN (SELECT event_id FROM audit)",
        )
        .fetch_one(&mut *transaction)
        .await
        .map_err(db)?;
        findings.unrecorded = unrecorded.unsigned_abs();
        // A person at a time, so that no more than one feed is in memory.
        let next = "SELECT user_id, seq, tasks FROM feeds WHERE user_id > ?1 \
                    ORDER BY user_id LIMIT 1";
        let mut last = String::new();
        while let Some(feed) = sqlx::query(next)
            .bind(&last)
            .fetch_optional(&mut *transaction)
            .await
            .map_err(db)?
        {
            last = feed.try_get(0).map_err(db)?;
            let (seq, tasks) = (feed.try_get(1).map_err(db)?, feed.try_get(2).map_err(db)?);
            let user = UserId(id(&last)?);
            fold(&mut transaction, user, seq, tasks, &mut findings).await?;
        }
        words(&mut transaction, &mut findings).await?;
        transaction.commit().await.map_err(db)?;
        connection.close().await.map_err(db)?;
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
    let mut rows = sqlx::query("SELECT task, search FROM tasks WHERE user_id = ?1")
        .bind(user.to_string())
        .fetch(connection);
    while let Some(row) = rows.try_next().await.map_err(db)? {
        let task: Task = from_json(row.try_get(0).map_err(db)?)?;
        fold.task(&task, row.try_get(1).map_err(db)?);
    }
    fold.end();
    Ok(())
}

/// Compares the index of words with the tasks. Of both no more is kept than a sum, whatever the order.
async fn words(connection: &mut SqliteConnection, findings: &mut Findings) -> Result<()> {
    let mut held = Sum::default();
    let mut rows = sqlx::query("SELECT term, doc FROM task_words_held").fetch(&mut *connection);
    while let Some(row) = rows.try_next().await.map_err(db)? {
        held.add(row.try_get(0).map_err(db)?, row.try_get(1).map_err(db)?);
    }
    drop(rows);
    let mut there = Sum::default();
    let mut rows = sqlx::query("SELECT user_id, search, rowid FROM tasks").fetch(connection);
    while let Some(row) = rows.try_next().await.map_err(db)? {
        let user = UserId(id(row.try_get(0).map_err(db)?)?);
        let task: i64 = row.try_get(2).map_err(db)?;
        for word in tokens(user, text::words(row.try_get(1).map_err(db)?)) {
            there.add(&word, task);
        }
    }
    if held != there {
        findings.add("the index of words differs from the tasks".into());
    }
    Ok(())
}

/// How many words of tasks there are, and what they come to.
#[derive(Default, PartialEq, Eq)]
struct Sum(u64, u64);

impl Sum {
    fn add(&mut self, word: &str, task: i64) {
        let mut hasher = DefaultHasher::new();
        (word, task).hash(&mut hasher);
        self.0 += 1;
        self.1 = self.1.wrapping_add(hasher.finish());
    }
}
