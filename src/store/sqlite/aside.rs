//! What was set aside: rows of the outbox, and dead letters.

use async_trait::async_trait;
use sqlx::{Row, query::Query, sqlite::SqliteArguments};
use tidings_domain::{
    event::Topic,
    id::{EventId, UserId},
    time::Timestamp,
};

use super::{SqliteStore, db, id, job::News};
use crate::{
    error::{Error, Result},
    store::{AsideRow, DeadLetter, DeadLetters, Failure, OutboxAside, Undelivered},
};

/// How long it is remembered why a delivery failed: a week, in milliseconds.
const KEPT_MS: i64 = 7 * 86_400_000;

/// Statements that share one call take their parameters in turn.
const NOTE: &str = "\
INSERT INTO failures (topic, event_id, consumer, error, at) VALUES (?, ?, ?, ?, ?) \
    ON CONFLICT (topic, event_id) DO UPDATE \
    SET consumer = excluded.consumer, error = excluded.error, at = excluded.at; \
DELETE FROM failures WHERE at < ?";

/// ?1 topic, ?2 event, ?3 user, ?4 payload, ?5 when, ?6 task.
const KEEP: &str = "\
INSERT INTO dead_letters \
    (topic, event_id, user_id, task_id, consumer, error, payload, received_at) \
    SELECT ?1, ?2, ?3, ?6, f.consumer, f.error, ?4, ?5 FROM (SELECT 1) \
    LEFT JOIN failures f ON f.topic = ?1 AND f.event_id = ?2 WHERE true \
    ON CONFLICT (topic, event_id) DO UPDATE SET received_at = excluded.received_at, \
    consumer = coalesce(excluded.consumer, consumer), error = coalesce(excluded.error, error); \
DELETE FROM failures WHERE topic = ?1 AND event_id = ?2";

type Statement = Query<'static, sqlx::Sqlite, SqliteArguments>;

impl SqliteStore {
    /// Carries a statement out; how many rows it changed.
    async fn change(&self, statement: Statement, news: News) -> Result<u64> {
        self.writer.execute(news, statement).await
    }
}

#[async_trait]
impl OutboxAside for SqliteStore {
    async fn aside(&self, after: i64, limit: usize) -> Result<Vec<AsideRow>> {
        let rows = sqlx::query(
            "SELECT o.id, o.topic, e.user_id, e.event_id, e.event_type, o.attempts, o.error \
             FROM outbox o JOIN events e ON e.n = o.event \
             WHERE o.dead = 1 AND o.id > ?1 ORDER BY o.id LIMIT +?2",
        )
        .bind(after)
        .bind(limit as i64)
        .fetch_all(&self.readers)
        .await
        .map_err(db)?;
        rows.iter()
            .map(|row| {
                let user: Option<&str> = row.try_get(2).map_err(db)?;
                let error: Option<String> = row.try_get(6).map_err(db)?;
                Ok(AsideRow {
                    id: row.try_get(0).map_err(db)?,
                    topic: topic(row.try_get(1).map_err(db)?)?,
                    user_id: user.map(id).transpose()?.map(UserId),
                    event_id: EventId(id(row.try_get(3).map_err(db)?)?),
                    event_type: row.try_get(4).map_err(db)?,
                    attempts: row.try_get(5).map_err(db)?,
                    error: error.unwrap_or_default(),
                })
            })
            .collect()
    }

    async fn put_back(&self, id: Option<i64>) -> Result<u64> {
        let statement = sqlx::query(
            "UPDATE outbox SET dead = 0, attempts = 0, retry_at = NULL, error = NULL \
             WHERE dead = 1 AND (?1 IS NULL OR id = ?1)",
        );
        self.change(statement.bind(id), News::Outbox).await
    }

    async fn drop_aside(&self, id: Option<i64>) -> Result<u64> {
        let statement =
            sqlx::query("DELETE FROM outbox WHERE dead = 1 AND (?1 IS NULL OR id = ?1)");
        self.change(statement.bind(id), News::None).await
    }
}

#[async_trait]
impl DeadLetters for SqliteStore {
    async fn note_failure(&self, failure: &Failure) -> Result<()> {
        let statement = sqlx::query(NOTE)
            .bind(failure.topic.as_str())
            .bind(failure.event_id.clone())
            .bind(failure.consumer)
            .bind(failure.error.clone())
            .bind(failure.at.0)
            .bind(failure.at.0 - KEPT_MS);
        self.change(statement, News::None).await.map(drop)
    }

    async fn keep(&self, letter: &Undelivered) -> Result<()> {
        let statement = sqlx::query(KEEP)
            .bind(letter.topic.as_str())
            .bind(letter.event_id.clone())
            .bind(letter.user_id.map(|user| user.to_string()))
            .bind(letter.payload.clone())
            .bind(letter.received_at.0)
            .bind(letter.task_id.map(|task| task.to_string()));
        self.change(statement, News::None).await.map(drop)
    }

    async fn letters(&self, after: i64, limit: usize) -> Result<Vec<DeadLetter>> {
        let rows = sqlx::query(
            "SELECT id, topic, event_id, consumer, error, payload, received_at \
             FROM dead_letters WHERE id > ?1 ORDER BY id LIMIT +?2",
        )
        .bind(after)
        .bind(limit as i64)
        .fetch_all(&self.readers)
        .await
        .map_err(db)?;
        rows.iter()
            .map(|row| {
                Ok(DeadLetter {
                    id: row.try_get(0).map_err(db)?,
                    topic: topic(row.try_get(1).map_err(db)?)?,
                    event_id: row.try_get(2).map_err(db)?,
                    consumer: row.try_get(3).map_err(db)?,
                    error: row.try_get(4).map_err(db)?,
                    payload: row.try_get(5).map_err(db)?,
                    received_at: Timestamp(row.try_get(6).map_err(db)?),
                })
            })
            .collect()
    }

    async fn count_letters(&self) -> Result<i64> {
        sqlx::query_scalar("SELECT count(*) FROM dead_letters")
            .fetch_one(&self.readers)
            .await
            .map_err(db)
    }

    async fn letter_failed(
        &self,
        id: i64,
        consumer: Option<&'static str>,
        error: &str,
    ) -> Result<()> {
        let statement =
            sqlx::query("UPDATE dead_letters SET consumer = ?2, error = ?3 WHERE id = ?1")
                .bind(id)
                .bind(consumer)
                .bind(error.to_owned());
        self.change(statement, News::None).await.map(drop)
    }

    async fn drop_letters(&self, id: Option<i64>) -> Result<u64> {
        let statement = sqlx::query("DELETE FROM dead_letters WHERE ?1 IS NULL OR id = ?1");
        self.change(statement.bind(id), News::None).await
    }
}

fn topic(name: &str) -> Result<Topic> {
    Topic::parse(name).ok_or_else(|| Error::internal("unknown topic"))
}
