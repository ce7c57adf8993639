//! What waits to be sent: the tables of mail and of pushes have the same columns for that.

use sqlx::{Row, postgres::PgRow};
use tidings_domain::{id::UserId, notice::Kind, time::Timestamp};

use super::{PostgresStore, db, job::News, storable};
use crate::{
    error::Result,
    store::{Posted, QueueDepth, Unsent},
};

/// The statements of a queue.
pub(super) struct Queue {
    /// $1 rows that are done, $2 to $4 rows that are not, with when they are due again or null.
    pub(super) settle: &'static str,
    depth: &'static str,
    failed: &'static str,
    put_back: &'static str,
    drop: &'static str,
}

macro_rules! queue {
    ($table:literal) => {
        Queue {
            settle: concat!(
                "WITH d AS (DELETE FROM ",
                $table,
                " WHERE n = ANY ($1::int8[])) UPDATE ",
                $table,
                " q SET attempts = attempts + 1, error = j.error, aside = j.due_at IS NULL, \
                 due_at = coalesce(j.due_at, q.due_at) \
                 FROM unnest($2::int8[], $3::int8[], $4::text[]) j (n, due_at, error) \
                 WHERE q.n = j.n"
            ),
            depth: concat!(
                "SELECT count(*) FILTER (WHERE NOT aside), count(*) FILTER (WHERE aside) FROM ",
                $table
            ),
            failed: concat!(
                "SELECT n, user_id, kind, created_at, attempts, coalesce(error, ''), \
                 CASE WHEN NOT aside THEN due_at END FROM ",
                $table,
                " WHERE (aside OR attempts > 0) AND n > $1 ORDER BY n LIMIT $2"
            ),
            put_back: concat!(
                "UPDATE ",
                $table,
                " SET aside = false, attempts = 0, created_at = $2, due_at = $2 \
                 WHERE aside AND n = coalesce($1, n)"
            ),
            drop: concat!(
                "DELETE FROM ",
                $table,
                " WHERE aside AND n = coalesce($1, n)"
            ),
        }
    };
}

pub(super) const MAILS: Queue = queue!("mails");
pub(super) const PUSHES: Queue = queue!("pushes");

impl PostgresStore {
    pub(super) async fn settle(&self, queue: &'static Queue, posted: &[Posted]) -> Result<()> {
        let mut done = Vec::new();
        let (mut left, mut due, mut errors) = (Vec::new(), Vec::new(), Vec::new());
        for posted in posted {
            let (n, at, error) = match posted {
                Posted::Done(n) => {
                    done.push(*n);
                    continue;
                }
                Posted::Retry { n, at, error } => (*n, Some(at.0), error),
                Posted::Aside { n, error } => (*n, None, error),
            };
            left.push(n);
            due.push(at);
            errors.push(storable(error));
        }
        self.jobs
            .write(News::None, move |connection| {
                Box::pin(async move {
                    let settle = sqlx::query(queue.settle).bind(done).bind(left);
                    let settle = settle.bind(due).bind(errors).execute(connection).await;
                    settle.map_err(db)?;
                    Ok(())
                })
            })
            .await
    }

    pub(super) async fn queue_depth(&self, queue: &Queue) -> Result<QueueDepth> {
        let row = sqlx::query(queue.depth).fetch_one(&self.pool).await;
        let row = row.map_err(db)?;
        Ok(QueueDepth {
            waiting: row.try_get(0).map_err(db)?,
            aside: row.try_get(1).map_err(db)?,
        })
    }

    pub(super) async fn unsent(
        &self,
        queue: &Queue,
        after: i64,
        limit: usize,
    ) -> Result<Vec<Unsent>> {
        let rows = sqlx::query(queue.failed).bind(after).bind(limit as i64);
        let rows = rows.fetch_all(&self.pool).await.map_err(db)?;
        let unsent = |row: &PgRow| {
            Ok(Unsent {
                n: row.try_get(0).map_err(db)?,
                user_id: UserId(row.try_get(1).map_err(db)?),
                kind: kind(row, 2)?,
                created_at: Timestamp(row.try_get(3).map_err(db)?),
                attempts: row.try_get(4).map_err(db)?,
                error: row.try_get(5).map_err(db)?,
                again: row.try_get::<Option<i64>, _>(6).map_err(db)?.map(Timestamp),
            })
        };
        rows.iter().map(unsent).collect()
    }

    pub(super) async fn put_back(
        &self,
        queue: &'static Queue,
        n: Option<i64>,
        now: Timestamp,
    ) -> Result<u64> {
        self.jobs
            .write(News::None, move |connection| {
                Box::pin(async move {
                    let back = sqlx::query(queue.put_back).bind(n).bind(now.0);
                    let done = back.execute(connection).await.map_err(db)?;
                    Ok(done.rows_affected())
                })
            })
            .await
    }

    pub(super) async fn drop_unsent(&self, queue: &'static Queue, n: Option<i64>) -> Result<u64> {
        self.jobs
            .write(News::None, move |connection| {
                Box::pin(async move {
                    let done = sqlx::query(queue.drop).bind(n).execute(connection).await;
                    Ok(done.map_err(db)?.rows_affected())
                })
            })
            .await
    }

    /// A secret of the database: `fresh`, the first time, and then the same.
    pub(super) async fn secret(&self, name: &'static str, fresh: &str) -> Result<String> {
        let fresh = fresh.to_owned();
        self.jobs
            .write(News::None, move |connection| {
                Box::pin(async move {
                    let make =
                        "INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT DO NOTHING";
                    let make = sqlx::query(make).bind(name).bind(fresh);
                    make.execute(&mut *connection).await.map_err(db)?;
                    let kept = sqlx::query_scalar("SELECT value FROM meta WHERE key = $1");
                    let kept = kept.bind(name).fetch_one(connection).await;
                    kept.map_err(db)
                })
            })
            .await
    }
}

/// What a row is about, in a column.
pub(super) fn kind(row: &PgRow, at: usize) -> Result<Option<Kind>> {
    let kind: Option<&str> = row.try_get(at).map_err(db)?;
    Ok(kind.and_then(Kind::parse))
}
