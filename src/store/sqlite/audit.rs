//! The audit trail.

use std::collections::HashSet;

use async_trait::async_trait;
use sqlx::Row;
use tidings_domain::id::{EventId, UserId};

use super::{SqliteStore, db, id, job::News, to_json};
use crate::{
    error::Result,
    store::{AuditEntry, AuditRow, AuditTrail},
};

/// Rows of events that neither the inbox has, unless ?2, nor the trail, since the inbox forgets; then the
/// inbox.
pub(super) const RECORD: &str = "\
INSERT INTO audit (event_id, event_type, user_id, seq, at, recorded_at) \
    SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5 FROM jsonb_each(?1) \
    WHERE (?2 OR NOT EXISTS \
        (SELECT 1 FROM inbox WHERE consumer = 'audit' AND event_id = value->>0)) \
    AND NOT EXISTS (SELECT 1 FROM audit WHERE audit.event_id = value->>0); \
INSERT INTO inbox (consumer, event_id, at) \
    SELECT 'audit', value->>0, value->>5 FROM jsonb_each(?1) WHERE true \
    ON CONFLICT DO NOTHING";

#[async_trait]
impl AuditTrail for SqliteStore {
    async fn record_audit(&self, entries: &[AuditEntry], again: bool) -> Result<()> {
        let mut known = HashSet::new();
        let rows: Vec<_> = entries
            .iter()
            .filter(|e| known.insert(e.event_id))
            .map(|e| {
                let (at, recorded_at) = (e.timestamp.0, e.recorded_at.0);
                (e.event_id, &e.event_type, e.user_id, e.seq, at, recorded_at)
            })
            .collect();
        let record = sqlx::query(RECORD).bind(to_json(&rows)?).bind(again);
        self.writer.execute(News::None, record).await.map(drop)
    }

    async fn audit(&self, user: UserId, after: i64, limit: usize) -> Result<Vec<AuditRow>> {
        let rows = sqlx::query(
            "SELECT n, seq, event_id, event_type, recorded_at FROM audit \
             WHERE user_id = ?1 AND n > ?2 ORDER BY n LIMIT +?3",
        )
        .bind(user.to_string())
        .bind(after)
        .bind(limit as i64)
        .fetch_all(&self.readers)
        .await
        .map_err(db)?;
        rows.iter()
            .map(|row| {
                Ok(AuditRow {
                    n: row.try_get(0).map_err(db)?,
                    seq: row.try_get(1).map_err(db)?,
                    event_id: EventId(id(row.try_get(2).map_err(db)?)?),
                    event_type: row.try_get(3).map_err(db)?,
                    recorded_at: tidings_domain::time::Timestamp(row.try_get(4).map_err(db)?),
                })
            })
            .collect()
    }
}
