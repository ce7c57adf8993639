//! What waits to be sent: the tables of mail and of pushes have the same columns for that.

use sqlx::{Row, sqlite::SqliteRow};
use tidings_domain::{id::UserId, notice::Kind, time::Timestamp};

use super::{SqliteStore, db, id, job::News, to_json};
use crate::{
    error::Result,
    store::{Posted, QueueDepth, Unsent},
};

/// The statements of a queue.
pub(super) struct Queue {
    pub(super) claim: &'static str,
    /// Rows that are done, and rows that are not, with when they are due again or null.
    pub(super) settle: &'static str,
    depth: &'static str,
    failed: &'static str,
    put_back: &'static str,
    drop: &'static str,
}

macro_rules! queue {
    ($table:literal) => {
        Queue {
            claim: concat!(
                "UPDATE ",
                $table,
                " SET due_at = ?2 WHERE n IN (SELECT value FROM jsonb_each(?1))"
            ),
            settle: concat!(
                "DELETE FROM ",
                $table,
                " WHERE n IN (SELECT value FROM jsonb_each(?)); UPDATE ",
                $table,
                " SET attempts = attempts + 1, error = j.value->>2, aside = j.value->>1 IS NULL, \
                 due_at = coalesce(j.value->>1, due_at) FROM jsonb_each(?) j WHERE n = j.value->>0"
            ),
            depth: concat!("SELECT count(*), coalesce(sum(aside), 0) FROM ", $table),
            failed: concat!(
                "SELECT n, user_id, kind, created_at, attempts, coalesce(error, ''), \
                 CASE WHEN aside = 0 THEN due_at END FROM ",
                $table,
                " WHERE (aside = 1 OR attempts > 0) AND n > ?1 ORDER BY n LIMIT +?2"
            ),
            put_back: concat!(
                "UPDATE ",
                $table,
                " SET aside = 0, attempts = 0, created_at = ?2, due_at = ?2 \
                 WHERE aside = 1 AND n = coalesce(?1, n)"
            ),
            drop: concat!(
                "DELETE FROM ",
                $table,
                " WHERE aside = 1 AND n = coalesce(?1, n)"
            ),
        }
    };
}

pub(super) const MAILS: Queue = queue!("mails");
pub(super) const PUSHES: Queue = queue!("pushes");

impl SqliteStore {
    /// Takes what `due` selects, whose first column is the row's number.
    pub(super) async fn claim_due<T: Send + 'static>(
        &self,
        queue: &'static Queue,
        due: &'static str,
        now: Timestamp,
        until: Timestamp,
        limit: usize,
        read: fn(&SqliteRow) -> Result<T>,
    ) -> Result<Vec<T>> {
        // Most often there is nothing, and then nothing need be written.
        let any = sqlx::query(due).bind(now.0).bind(1);
        let any = any.fetch_optional(&self.readers).await.map_err(db)?;
        if any.is_none() {
            return Ok(Vec::new());
        }
        self.writer
            .write(News::None, move |connection| {
                Box::pin(async move {
                    let due = sqlx::query(due).bind(now.0).bind(limit as i64);
                    let due = due.fetch_all(&mut *connection).await.map_err(db)?;
                    let items = due.iter().map(read).collect::<Result<Vec<_>>>()?;
                    let rows = due.iter().map(|row| row.try_get(0).map_err(db));
                    let rows = rows.collect::<Result<Vec<i64>>>()?;
                    let claim = sqlx::query(queue.claim).bind(to_json(&rows)?).bind(until.0);
                    claim.execute(connection).await.map_err(db)?;
                    Ok(items)
                })
            })
            .await
    }

    pub(super) async fn settle(&self, queue: &Queue, posted: &[Posted]) -> Result<()> {
        let mut done = Vec::new();
        let mut left = Vec::new();
        for posted in posted {
            match posted {
                Posted::Done(n) => done.push(n),
                Posted::Retry { n, at, error } => left.push((n, Some(at.0), error)),
                Posted::Aside { n, error } => left.push((n, None, error)),
            }
        }
        let settle = sqlx::query(queue.settle)
            .bind(to_json(&done)?)
            .bind(to_json(&left)?);
        self.writer.execute(News::None, settle).await.map(drop)
    }

    pub(super) async fn queue_depth(&self, queue: &Queue) -> Result<QueueDepth> {
        let row = sqlx::query(queue.depth).fetch_one(&self.readers).await;
        let row = row.map_err(db)?;
        let (all, aside): (i64, i64) = (row.try_get(0).map_err(db)?, row.try_get(1).map_err(db)?);
        Ok(QueueDepth {
            waiting: all - aside,
            aside,
        })
    }

    pub(super) async fn unsent(
        &self,
        queue: &Queue,
        after: i64,
        limit: usize,
    ) -> Result<Vec<Unsent>> {
        let rows = sqlx::query(queue.failed).bind(after).bind(limit as i64);
        let rows = rows.fetch_all(&self.readers).await.map_err(db)?;
        let unsent = |row: &SqliteRow| {
            Ok(Unsent {
                n: row.try_get(0).map_err(db)?,
                user_id: UserId(id(row.try_get(1).map_err(db)?)?),
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
        queue: &Queue,
        n: Option<i64>,
        now: Timestamp,
    ) -> Result<u64> {
        let back = sqlx::query(queue.put_back).bind(n).bind(now.0);
        self.writer.execute(News::None, back).await
    }

    pub(super) async fn drop_unsent(&self, queue: &Queue, n: Option<i64>) -> Result<u64> {
        let drop = sqlx::query(queue.drop).bind(n);
        self.writer.execute(News::None, drop).await
    }

    /// A secret of the database: `fresh`, the first time, and then the same.
    pub(super) async fn secret(&self, name: &'static str, fresh: &str) -> Result<String> {
        let make = "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
        let make = sqlx::query(make).bind(name).bind(fresh.to_owned());
        self.writer
            .write(News::None, move |connection| {
                Box::pin(async move {
                    make.execute(&mut *connection).await.map_err(db)?;
                    let kept = sqlx::query_scalar("SELECT value FROM meta WHERE key = ?1");
                    let kept = kept.bind(name).fetch_one(connection).await;
                    kept.map_err(db)
                })
            })
            .await
    }
}

/// What a row is about, in a column.
pub(super) fn kind(row: &SqliteRow, at: usize) -> Result<Option<Kind>> {
    let kind: Option<&str> = row.try_get(at).map_err(db)?;
    Ok(kind.and_then(Kind::parse))
}
