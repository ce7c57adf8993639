//! What was set aside: rows of the outbox, and dead letters.

use async_trait::async_trait;
use sqlx::{
    Postgres, Row,
    postgres::{PgArguments, PgRow},
    query::Query,
};
use tidings_domain::{
    event::Topic,
    id::{EventId, UserId},
    time::Timestamp,
};

use super::{PostgresStore, db, job::News, storable};
use crate::{
    error::{Error, Result},
    store::{AsideRow, DeadLetter, DeadLetters, Failure, OutboxAside, Undelivered},
};

/// How long it is remembered why a delivery failed: a week, in milliseconds.
const KEPT_MS: i64 = 7 * 86_400_000;
/// Characters of an event's id that are kept: whoever publishes writes what they like there, and an
/// index takes no row of more than some 2,700 bytes.
const ID_MAX: usize = 500;

/// $1 topic, $2 event, $3 consumer, $4 why, $5 when, $6 what is older is forgotten.
pub(super) const NOTE: &str = "\
WITH old AS (DELETE FROM failures WHERE at < $6 AND (topic, event_id) <> ($1, $2)) \
INSERT INTO failures (topic, event_id, consumer, error, at) VALUES ($1, $2, $3, $4, $5) \
    ON CONFLICT (topic, event_id) DO UPDATE \
    SET consumer = excluded.consumer, error = excluded.error, at = excluded.at";

/// $1 topic, $2 event, $3 user, $4 task, $5 payload, $6 when.
pub(super) const KEEP: &str = "\
WITH f AS (DELETE FROM failures WHERE topic = $1 AND event_id = $2 RETURNING consumer, error) \
INSERT INTO dead_letters AS kept \
    (topic, event_id, user_id, task_id, consumer, error, payload, received_at) \
    SELECT $1, $2, $3::uuid, $4::uuid, f.consumer, f.error, $5, $6::int8 \
    FROM (SELECT 1) one LEFT JOIN f ON true \
    ON CONFLICT (topic, event_id) DO UPDATE SET received_at = excluded.received_at, \
    consumer = coalesce(excluded.consumer, kept.consumer), \
    error = coalesce(excluded.error, kept.error)";

type Statement = Query<'static, Postgres, PgArguments>;

impl PostgresStore {
    /// Carries a statement out; how many rows it changed.
    async fn change<F>(&self, news: News, statement: F) -> Result<u64>
    where
        F: Fn() -> Statement + Clone + Send + 'static,
    {
        self.jobs
            .write(news, move |connection| {
                Box::pin(async move {
                    let done = statement().execute(connection).await.map_err(db)?;
                    Ok(done.rows_affected())
                })
            })
            .await
    }
}

#[async_trait]
impl OutboxAside for PostgresStore {
    async fn aside(&self, after: i64, limit: usize) -> Result<Vec<AsideRow>> {
        let rows = sqlx::query(
            "SELECT o.id, o.topic, e.user_id, e.event_id, e.event_type, o.attempts, o.error \
             FROM outbox o JOIN events e ON e.n = o.event \
             WHERE o.dead AND o.id > $1 ORDER BY o.id LIMIT $2",
        )
        .bind(after)
        .bind(limit as i64)
        .fetch_all(&self.pool)
        .await
        .map_err(db)?;
        rows.iter()
            .map(|row| {
                let error: Option<String> = row.try_get(6).map_err(db)?;
                Ok(AsideRow {
                    id: row.try_get(0).map_err(db)?,
                    topic: topic(row)?,
                    user_id: row.try_get::<Option<_>, _>(2).map_err(db)?.map(UserId),
                    event_id: EventId(row.try_get(3).map_err(db)?),
                    event_type: row.try_get(4).map_err(db)?,
                    attempts: row.try_get(5).map_err(db)?,
                    error: error.unwrap_or_default(),
                })
            })
            .collect()
    }

    async fn put_back(&self, id: Option<i64>) -> Result<u64> {
        let update = "UPDATE outbox SET dead = false, attempts = 0, retry_at = NULL, error = NULL \
             WHERE dead AND ($1 IS NULL OR id = $1)";
        let update = move || sqlx::query(update).bind(id);
        self.change(News::Outbox, update).await
    }

    async fn drop_aside(&self, id: Option<i64>) -> Result<u64> {
        let delete = "DELETE FROM outbox WHERE dead AND ($1 IS NULL OR id = $1)";
        let delete = move || sqlx::query(delete).bind(id);
        self.change(News::None, delete).await
    }
}

#[async_trait]
impl DeadLetters for PostgresStore {
    async fn note_failure(&self, failure: &Failure) -> Result<()> {
        let failure = failure.clone();
        let note = move || {
            sqlx::query(NOTE)
                .bind(failure.topic.as_str())
                .bind(event_id(&failure.event_id))
                .bind(failure.consumer)
                .bind(storable(&failure.error))
                .bind(failure.at.0)
                .bind(failure.at.0 - KEPT_MS)
        };
        self.change(News::None, note).await.map(drop)
    }

    async fn keep(&self, letter: &Undelivered) -> Result<()> {
        let letter = letter.clone();
        let keep = move || {
            sqlx::query(KEEP)
                .bind(letter.topic.as_str())
                .bind(event_id(&letter.event_id))
                .bind(letter.user_id.map(|user| user.0))
                .bind(letter.task_id.map(|task| task.0))
                .bind(storable(&letter.payload))
                .bind(letter.received_at.0)
        };
        self.change(News::None, keep).await.map(drop)
    }

    async fn letters(&self, after: i64, limit: usize) -> Result<Vec<DeadLetter>> {
        let rows = sqlx::query(
            "SELECT id, topic, event_id, consumer, error, payload, received_at \
             FROM dead_letters WHERE id > $1 ORDER BY id LIMIT $2",
        )
        .bind(after)
        .bind(limit as i64)
        .fetch_all(&self.pool)
        .await
        .map_err(db)?;
        rows.iter()
            .map(|row| {
                Ok(DeadLetter {
                    id: row.try_get(0).map_err(db)?,
                    topic: topic(row)?,
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
            .fetch_one(&self.pool)
            .await
            .map_err(db)
    }

    async fn letter_failed(
        &self,
        id: i64,
        consumer: Option<&'static str>,
        error: &str,
    ) -> Result<()> {
        let update = "UPDATE dead_letters SET consumer = $2, error = $3 WHERE id = $1";
        let error = storable(error);
        let update = move || {
            sqlx::query(update)
                .bind(id)
                .bind(consumer)
                .bind(error.clone())
        };
        self.change(News::None, update).await.map(drop)
    }

    async fn drop_letters(&self, id: Option<i64>) -> Result<u64> {
        let delete = "DELETE FROM dead_letters WHERE $1 IS NULL OR id = $1";
        let delete = move || sqlx::query(delete).bind(id);
        self.change(News::None, delete).await
    }
}

/// Reads the topic, the second column of both.
fn topic(row: &PgRow) -> Result<Topic> {
    let name = row.try_get(1).map_err(db)?;
    Topic::parse(name).ok_or_else(|| Error::internal("unknown topic"))
}

fn event_id(text: &str) -> String {
    storable(text).chars().take(ID_MAX).collect()
}
