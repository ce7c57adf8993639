//! The outbox. A lease is a pair of topic and person that a holder has; how long it lasts, the holder
//! says for all of its leases at once, so that going on costs one write, not one a row. Whoever takes
//! or lets go of leases does so under one lock, and so sees what all others have.

use std::sync::Arc;

use async_trait::async_trait;
use sqlx::{PgConnection, Row, postgres::PgRow};
use tidings_domain::{
    event::Topic,
    id::{EventId, UserId},
    time::Timestamp,
};
use uuid::Uuid;

use super::{PostgresStore, db, job::News, storable};
use crate::{
    error::{Error, Result},
    store::{CLAIM_BYTES, Outbox, OutboxDepth, OutboxRow, Settled},
};

/// A statement of its own: only what begins after it sees what was written under the lock before.
const LOCK: &str = "SELECT pg_advisory_xact_lock($1, 0)";
/// "outb".
const LOCK_SPACE: i32 = 0x6f75_7462;
/// How long the leases of a holder that is not seen any more are kept, in milliseconds.
const KEPT_MS: i64 = 3_600_000;

/// Goes on with the holder's leases.
const HOLD: &str = "INSERT INTO holders (id, until) VALUES ($1, $2) \
    ON CONFLICT (id) DO UPDATE SET until = excluded.until";

/// Rows that no other holder leases and that stand behind none that waits. $1 holder, $2 now.
macro_rules! free {
    () => {
        "FROM outbox o LEFT JOIN leases l ON l.topic = o.topic AND l.partition = o.partition \
        LEFT JOIN holders h ON h.id = l.holder \
        WHERE NOT o.dead AND (l.holder IS NULL OR l.holder = $1 OR h.until IS NULL OR h.until <= $2) \
        AND NOT EXISTS (SELECT FROM outbox w WHERE w.topic = o.topic \
            AND w.partition = o.partition AND w.retry_at > $2 AND w.id <= o.id AND NOT w.dead)"
    };
}

/// Whether there is anything to claim. $1 holder, $2 now.
pub(super) const WAITS: &str = concat!("SELECT EXISTS (SELECT ", free!(), ")");

/// Takes those pairs of the oldest rows that are free. $1 holder, $2 now, $3 limit.
pub(super) const LEASE: &str = concat!(
    "INSERT INTO leases (topic, partition, holder) \
    SELECT DISTINCT topic, partition, $1::uuid FROM (SELECT o.topic, o.partition, l.holder ",
    free!(),
    " ORDER BY o.id LIMIT $3) oldest WHERE holder IS DISTINCT FROM $1 \
    ON CONFLICT (topic, partition) DO UPDATE SET holder = excluded.holder"
);

/// The oldest rows under the holder's leases, but for those behind a row that waits.
/// $1 holder, $2 now, $3 limit, $4 bytes.
pub(super) const CLAIMED: &str = "\
SELECT id, topic, user_id, event_id, event_type, task_id, at, json, attempts \
    FROM (SELECT *, sum(bytes) OVER (ORDER BY id) AS upto \
    FROM (SELECT o.id, o.topic, e.user_id, e.event_id, e.event_type, e.task_id, e.at, e.json, \
    o.attempts, octet_length(e.json) AS bytes \
    FROM outbox o JOIN leases l ON l.topic = o.topic AND l.partition = o.partition \
    JOIN events e ON e.n = o.event \
    WHERE NOT o.dead AND l.holder = $1 \
    AND NOT EXISTS (SELECT FROM outbox w WHERE w.topic = o.topic \
        AND w.partition = o.partition AND w.retry_at > $2 AND w.id <= o.id AND NOT w.dead) \
    ORDER BY o.id LIMIT $3) oldest) o WHERE upto <= $4 OR upto = bytes ORDER BY id";

/// $1 done, $2 to $4 to try again: id, when, why; $5, $6 dead: id, why.
pub(super) const SETTLE: &str = "\
WITH done AS (DELETE FROM outbox WHERE id = ANY ($1::int8[])), \
retry AS (UPDATE outbox o SET attempts = attempts + 1, retry_at = j.at, error = j.error \
    FROM unnest($2::int8[], $3::int8[], $4::text[]) j (id, at, error) WHERE o.id = j.id) \
UPDATE outbox o SET attempts = attempts + 1, retry_at = NULL, dead = true, error = j.error \
    FROM unnest($5::int8[], $6::text[]) j (id, error) WHERE o.id = j.id";

#[async_trait]
impl Outbox for PostgresStore {
    async fn claim(
        &self,
        holder: Uuid,
        now: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<OutboxRow>> {
        // A relay with nothing to do looks every second; that should not write.
        let waits: bool = sqlx::query_scalar(WAITS)
            .bind(holder)
            .bind(now.0)
            .fetch_one(&self.pool)
            .await
            .map_err(db)?;
        if !waits {
            return Ok(Vec::new());
        }
        let limit = limit as i64;
        self.jobs
            .write(News::None, move |connection| {
                Box::pin(async move {
                    lock(connection).await?;
                    let hold = sqlx::query(HOLD).bind(holder).bind(until.0);
                    hold.execute(&mut *connection).await.map_err(db)?;
                    let lease = sqlx::query(LEASE).bind(holder).bind(now.0).bind(limit);
                    lease.execute(&mut *connection).await.map_err(db)?;
                    let claimed = sqlx::query(CLAIMED).bind(holder).bind(now.0).bind(limit);
                    let claimed = claimed.bind(CLAIM_BYTES as i64);
                    let rows = claimed.fetch_all(connection).await.map_err(db)?;
                    rows.iter().map(outbox_row).collect()
                })
            })
            .await
    }

    async fn settle(&self, rows: &[Settled]) -> Result<()> {
        let (mut done, mut retry, mut dead) = (Vec::new(), Columns::default(), Columns::default());
        for row in rows {
            match row {
                Settled::Done(id) => done.push(*id),
                Settled::Retry { id, at, error } => retry.push(*id, at.0, error),
                Settled::Dead { id, error } => dead.push(*id, 0, error),
            }
        }
        self.jobs
            .write(News::None, move |connection| {
                Box::pin(async move {
                    sqlx::query(SETTLE)
                        .bind(done)
                        .bind(retry.ids)
                        .bind(retry.times)
                        .bind(retry.errors)
                        .bind(dead.ids)
                        .bind(dead.errors)
                        .execute(connection)
                        .await
                        .map_err(db)?;
                    Ok(())
                })
            })
            .await
    }

    async fn release(&self, holder: Uuid) -> Result<()> {
        self.jobs
            .write(News::None, move |connection| {
                Box::pin(async move {
                    lock(connection).await?;
                    for sql in [
                        "DELETE FROM leases WHERE holder = $1",
                        "DELETE FROM holders WHERE id = $1",
                    ] {
                        let delete = sqlx::query(sql).bind(holder);
                        delete.execute(&mut *connection).await.map_err(db)?;
                    }
                    Ok(())
                })
            })
            .await
    }

    async fn depth(&self) -> Result<Vec<OutboxDepth>> {
        let rows = sqlx::query(
            "SELECT topic, pending, aside, (SELECT at FROM events WHERE n = oldest) \
             FROM (SELECT topic, count(*) FILTER (WHERE NOT dead) AS pending, \
             count(*) FILTER (WHERE dead) AS aside, min(event) FILTER (WHERE NOT dead) AS oldest \
             FROM outbox GROUP BY topic) depths",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(db)?;
        let mut depths = Topic::ALL.map(|topic| OutboxDepth {
            topic,
            pending: 0,
            dead: 0,
            oldest: None,
        });
        for row in &rows {
            let name: &str = row.try_get(0).map_err(db)?;
            let Some(depth) = depths.iter_mut().find(|d| d.topic.as_str() == name) else {
                continue;
            };
            depth.pending = row.try_get(1).map_err(db)?;
            depth.dead = row.try_get(2).map_err(db)?;
            depth.oldest = row.try_get::<Option<i64>, _>(3).map_err(db)?.map(Timestamp);
        }
        Ok(depths.to_vec())
    }
}

/// Rows that failed, by column.
#[derive(Clone, Default)]
struct Columns {
    ids: Vec<i64>,
    times: Vec<i64>,
    errors: Vec<String>,
}

impl Columns {
    fn push(&mut self, id: i64, at: i64, error: &str) {
        self.ids.push(id);
        self.times.push(at);
        self.errors.push(storable(error));
    }
}

/// Keeps others from leases until the transaction ends.
async fn lock(connection: &mut PgConnection) -> Result<()> {
    let lock = sqlx::query(LOCK).bind(LOCK_SPACE);
    lock.execute(connection).await.map_err(db)?;
    Ok(())
}

/// Forgets holders that are not seen any more.
pub(super) async fn prune(connection: &mut PgConnection, now: i64) -> Result<()> {
    lock(connection).await?;
    for sql in [
        "DELETE FROM leases USING holders h WHERE h.id = holder AND h.until <= $1",
        "DELETE FROM holders WHERE until <= $1",
    ] {
        let delete = sqlx::query(sql).bind(now - KEPT_MS);
        delete.execute(&mut *connection).await.map_err(db)?;
    }
    Ok(())
}

fn outbox_row(row: &PgRow) -> Result<OutboxRow> {
    let topic: &str = row.try_get(1).map_err(db)?;
    let user: Option<Uuid> = row.try_get(2).map_err(db)?;
    let event: Uuid = row.try_get(3).map_err(db)?;
    let task: Option<Uuid> = row.try_get(5).map_err(db)?;
    Ok(OutboxRow {
        id: row.try_get(0).map_err(db)?,
        topic: Topic::parse(topic).ok_or_else(|| Error::internal("unknown topic"))?,
        user_id: user.map(UserId),
        event_id: EventId(event),
        event_type: row.try_get(4).map_err(db)?,
        // An event that is about nobody known is about itself.
        subject: task.or(user).unwrap_or(event).to_string(),
        timestamp: Timestamp(row.try_get(6).map_err(db)?),
        json: Arc::from(row.try_get::<&str, _>(7).map_err(db)?),
        attempts: row.try_get(8).map_err(db)?,
    })
}
