//! The outbox. A lease is a pair of topic and person that a holder has; how long it lasts, the holder
//! says for all of its leases at once, so that going on costs one write, not one a row.

use std::sync::Arc;

use async_trait::async_trait;
use sqlx::Row;
use tidings_domain::{
    event::Topic,
    id::{EventId, UserId},
    time::Timestamp,
};
use uuid::Uuid;

use super::{SqliteStore, db, id, job::News, to_json};
use crate::{
    error::{Error, Result},
    store::{CLAIM_BYTES, Outbox, OutboxDepth, OutboxRow, Settled},
};

/// Goes on with the holder's leases.
const HOLD: &str = "INSERT INTO holders (id, until) VALUES (?1, ?2) \
    ON CONFLICT (id) DO UPDATE SET until = excluded.until";

/// Rows that no other holder leases and that stand behind none that waits. ?1 holder, ?2 now.
macro_rules! free {
    () => {
        "FROM outbox o LEFT JOIN leases l ON l.topic = o.topic AND l.partition = o.partition \
        LEFT JOIN holders h ON h.id = l.holder \
        WHERE o.dead = 0 AND (l.holder IS NULL OR l.holder = ?1 OR h.until IS NULL OR h.until <= ?2) \
        AND NOT EXISTS (SELECT 1 FROM outbox w WHERE w.topic = o.topic \
            AND w.partition = o.partition AND w.retry_at > ?2 AND w.id <= o.id AND w.dead = 0)"
    };
}

/// Whether there is anything to claim. ?1 holder, ?2 now.
pub(super) const WAITS: &str = concat!("SELECT EXISTS (SELECT 1 ", free!(), ")");

/// Takes those pairs of the oldest rows that are free. ?1 holder, ?2 now, ?3 limit.
pub(super) const LEASE: &str = concat!(
    "INSERT INTO leases (topic, partition, holder) \
    SELECT DISTINCT topic, partition, ?1 FROM (SELECT o.topic, o.partition, l.holder ",
    free!(),
    " ORDER BY o.id LIMIT +?3) WHERE holder IS NOT ?1 \
    ON CONFLICT (topic, partition) DO UPDATE SET holder = excluded.holder"
);

/// The oldest rows under the holder's leases, but for those behind a row that waits: all of them as
/// one text, a line a row, its parts between tabs, of which JSON has neither. Each row that SQLite
/// hands over costs a change of thread. Events are read once it is known which fit in.
/// ?1 holder, ?2 now, ?3 limit, ?4 bytes.
pub(super) const CLAIMED: &str = "\
SELECT group_concat(id || char(9) || topic || char(9) || user_id || char(9) || event_id || char(9) \
    || event_type || char(9) || task_id || char(9) || at || char(9) || attempts || char(9) || json, char(10)) \
    FROM (SELECT head.id, topic, coalesce(e.user_id, '') user_id, e.event_id, e.event_type, \
    coalesce(e.task_id, '') task_id, e.at, attempts, e.json \
    FROM (SELECT id, topic, event, attempts, sum(bytes) OVER (ROWS UNBOUNDED PRECEDING) upto, bytes \
    FROM (SELECT o.id, o.topic, o.event, o.attempts, octet_length(e.json) bytes \
    FROM outbox o CROSS JOIN leases l ON l.topic = o.topic AND l.partition = o.partition \
    CROSS JOIN events e ON e.n = o.event \
    WHERE o.dead = 0 AND l.holder = ?1 \
    AND NOT EXISTS (SELECT 1 FROM outbox w WHERE w.topic = o.topic \
        AND w.partition = o.partition AND w.retry_at > ?2 AND w.id <= o.id AND w.dead = 0) \
    ORDER BY o.id LIMIT +?3)) head CROSS JOIN events e ON e.n = event \
    WHERE upto <= ?4 OR upto = bytes)";

/// Ids that are done; id, when, why; id, why.
pub(super) const SETTLE: &str = "\
DELETE FROM outbox WHERE id IN (SELECT value FROM jsonb_each(?)); \
UPDATE outbox SET attempts = attempts + 1, retry_at = j.value->>1, error = j.value->>2 \
    FROM jsonb_each(?) j WHERE outbox.id = j.value->>0; \
UPDATE outbox SET attempts = attempts + 1, retry_at = NULL, dead = 1, error = j.value->>1 \
    FROM jsonb_each(?) j WHERE outbox.id = j.value->>0";

#[async_trait]
impl Outbox for SqliteStore {
    async fn claim(
        &self,
        holder: Uuid,
        now: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<OutboxRow>> {
        // A relay with nothing to do looks every second; that should not write.
        let waits: bool = sqlx::query_scalar(WAITS)
            .bind(holder.to_string())
            .bind(now.0)
            .fetch_one(&self.readers)
            .await
            .map_err(db)?;
        if !waits {
            return Ok(Vec::new());
        }
        let hold = sqlx::query(HOLD).bind(holder.to_string()).bind(until.0);
        let lease = sqlx::query(LEASE)
            .bind(holder.to_string())
            .bind(now.0)
            .bind(limit as i64);
        let claimed = sqlx::query_scalar(CLAIMED)
            .bind(holder.to_string())
            .bind(now.0)
            .bind(limit as i64)
            .bind(CLAIM_BYTES as i64);
        // Read by the writer, too, whose pages are up to date: a reader's are not after each commit.
        let rows: Option<String> = self
            .writer
            .write(News::None, move |connection| {
                Box::pin(async move {
                    hold.execute(&mut *connection).await.map_err(db)?;
                    lease.execute(&mut *connection).await.map_err(db)?;
                    claimed.fetch_one(connection).await.map_err(db)
                })
            })
            .await?;
        rows.unwrap_or_default().lines().map(outbox_row).collect()
    }

    async fn settle(&self, rows: &[Settled]) -> Result<()> {
        let (mut done, mut retry, mut dead) = (Vec::new(), Vec::new(), Vec::new());
        for row in rows {
            match row {
                Settled::Done(id) => done.push(*id),
                Settled::Retry { id, at, error } => retry.push((*id, at.0, error)),
                Settled::Dead { id, error } => dead.push((*id, error)),
            }
        }
        let settle = sqlx::query(SETTLE)
            .bind(to_json(&done)?)
            .bind(to_json(&retry)?)
            .bind(to_json(&dead)?);
        self.writer.execute(News::None, settle).await.map(drop)
    }

    async fn release(&self, holder: Uuid) -> Result<()> {
        let release =
            sqlx::query("DELETE FROM leases WHERE holder = ?1; DELETE FROM holders WHERE id = ?1")
                .bind(holder.to_string());
        self.writer.execute(News::None, release).await.map(drop)
    }

    async fn depth(&self) -> Result<Vec<OutboxDepth>> {
        let rows = sqlx::query(
            "SELECT topic, pending, aside, (SELECT at FROM events WHERE n = oldest) \
             FROM (SELECT topic, total(dead = 0) AS pending, total(dead) AS aside, \
             min(CASE WHEN dead = 0 THEN event END) AS oldest FROM outbox GROUP BY topic)",
        )
        .fetch_all(&self.readers)
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
            depth.pending = row.try_get::<f64, _>(1).map_err(db)? as i64;
            depth.dead = row.try_get::<f64, _>(2).map_err(db)? as i64;
            depth.oldest = row.try_get::<Option<i64>, _>(3).map_err(db)?.map(Timestamp);
        }
        Ok(depths.to_vec())
    }
}

/// Reads a line of [`CLAIMED`].
fn outbox_row(line: &str) -> Result<OutboxRow> {
    let mut parts = line.splitn(9, '\t');
    let mut next = || {
        parts
            .next()
            .ok_or_else(|| Error::internal("no row of the outbox"))
    };
    let number = |text: &str| text.parse::<i64>().map_err(Error::internal);
    let (row, topic, user, event) = (next()?, next()?, next()?, next()?);
    let (event_type, task, at, attempts) = (next()?, next()?, next()?, next()?);
    // An event that is about nobody known is about itself.
    let subject = [task, user, event].into_iter().find(|id| !id.is_empty());
    let user = Some(user).filter(|user| !user.is_empty());
    Ok(OutboxRow {
        id: number(row)?,
        topic: Topic::parse(topic).ok_or_else(|| Error::internal("unknown topic"))?,
        user_id: user.map(id).transpose()?.map(UserId),
        event_id: EventId(id(event)?),
        event_type: event_type.to_owned(),
        subject: subject.unwrap_or_default().to_owned(),
        timestamp: Timestamp(number(at)?),
        json: Arc::from(next()?),
        attempts: number(attempts)?,
    })
}
