//! The audit trail.

use std::collections::{BTreeSet, HashSet};

use async_trait::async_trait;
use sqlx::Row;
use tidings_domain::{
    id::{EventId, UserId},
    time::Timestamp,
};
use uuid::Uuid;

use super::{PostgresStore, db, job::News};
use crate::{
    error::Result,
    store::{AuditEntry, AuditRow, AuditTrail},
};

/// The trail is walked by `n`, so that of a person's rows a lower one must not become visible after a
/// higher one. Writers share out people to so many locks.
const LOCKS: u128 = 64;
/// Taken in order. $1 is what the locks are of, $2 which.
pub(super) const LOCK: &str = "SELECT pg_advisory_xact_lock($1, n) FROM unnest($2::int4[]) n";
/// "audt".
const LOCK_SPACE: i32 = 0x6175_6474;

/// The inbox, and then the trail's rows of events that it did not have, or of all with $7.
pub(super) const RECORD: &str = "\
WITH j AS (SELECT * FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::int8[], $5::int8[], \
    $6::int8[]) WITH ORDINALITY j (event_id, event_type, user_id, seq, at, recorded_at, nth)), \
i AS (INSERT INTO inbox (consumer, event_id, at) \
    SELECT 'audit', event_id, recorded_at FROM j ORDER BY event_id \
    ON CONFLICT DO NOTHING RETURNING event_id) \
INSERT INTO audit (event_id, event_type, user_id, seq, at, recorded_at) \
    SELECT j.event_id, event_type, user_id, seq, at, recorded_at \
    FROM j WHERE ($7 OR EXISTS (SELECT FROM i WHERE i.event_id = j.event_id)) \
    AND NOT EXISTS (SELECT FROM audit a WHERE a.event_id = j.event_id) ORDER BY nth";

#[async_trait]
impl AuditTrail for PostgresStore {
    async fn record_audit(&self, entries: &[AuditEntry], again: bool) -> Result<()> {
        let mut known = HashSet::new();
        let entries = entries.iter().filter(|e| known.insert(e.event_id));
        let entries: Vec<_> = entries.cloned().collect();
        self.jobs
            .write(News::None, move |connection| {
                Box::pin(async move {
                    let user = |e: &AuditEntry| e.user_id.map(|user| user.0);
                    let lock = |e| user(e).unwrap_or(Uuid::nil()).as_u128() % LOCKS;
                    let locks: BTreeSet<_> = entries.iter().map(|e| lock(e) as i32).collect();
                    sqlx::query(LOCK)
                        .bind(LOCK_SPACE)
                        .bind(Vec::from_iter(locks))
                        .execute(&mut *connection)
                        .await
                        .map_err(db)?;
                    let all = || entries.iter();
                    sqlx::query(RECORD)
                        .bind(all().map(|e| e.event_id.0).collect::<Vec<_>>())
                        .bind(all().map(|e| &*e.event_type).collect::<Vec<_>>())
                        .bind(all().map(user).collect::<Vec<_>>())
                        .bind(all().map(|e| e.seq).collect::<Vec<_>>())
                        .bind(all().map(|e| e.timestamp.0).collect::<Vec<_>>())
                        .bind(all().map(|e| e.recorded_at.0).collect::<Vec<_>>())
                        .bind(again)
                        .execute(connection)
                        .await
                        .map_err(db)?;
                    Ok(())
                })
            })
            .await
    }

    async fn audit(&self, user: UserId, after: i64, limit: usize) -> Result<Vec<AuditRow>> {
        let rows = sqlx::query(
            "SELECT n, seq, event_id, event_type, recorded_at FROM audit \
             WHERE user_id = $1 AND n > $2 ORDER BY n LIMIT $3",
        )
        .bind(user.0)
        .bind(after)
        .bind(limit as i64)
        .fetch_all(&self.pool)
        .await
        .map_err(db)?;
        rows.iter()
            .map(|row| {
                Ok(AuditRow {
                    n: row.try_get(0).map_err(db)?,
                    seq: row.try_get(1).map_err(db)?,
                    event_id: EventId(row.try_get(2).map_err(db)?),
                    event_type: row.try_get(3).map_err(db)?,
                    recorded_at: Timestamp(row.try_get(4).map_err(db)?),
                })
            })
            .collect()
    }
}
