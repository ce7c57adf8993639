//! The log.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::TryStreamExt;
use sqlx::{Row, postgres::PgRow};
use tidings_domain::id::UserId;
use uuid::Uuid;

use super::{PostgresStore, db};
use crate::{
    error::Result,
    store::{EVENTS_BYTES, Feeds, StoredEvent},
};

/// The head beside each event, or beside nothing.
pub(super) const EVENTS: &str = "SELECT e.seq, e.json, f.seq FROM feeds f \
     LEFT JOIN LATERAL (SELECT seq, json FROM events \
     WHERE user_id = $1 AND seq > $2 ORDER BY seq LIMIT $3) e ON true \
     WHERE f.user_id = $1 ORDER BY e.seq";

pub(super) const RECENT: &str = "SELECT seq, json FROM events WHERE user_id = $1 AND seq < $2 \
     ORDER BY seq DESC LIMIT $3";

#[async_trait]
impl Feeds for PostgresStore {
    fn epoch(&self) -> Uuid {
        self.epoch
    }

    async fn head(&self, user: UserId) -> Result<i64> {
        let head: Option<i64> = sqlx::query_scalar("SELECT seq FROM feeds WHERE user_id = $1")
            .bind(user.0)
            .fetch_optional(&self.pool)
            .await
            .map_err(db)?;
        Ok(head.unwrap_or(0))
    }

    async fn events(
        &self,
        user: UserId,
        after: i64,
        limit: usize,
    ) -> Result<(i64, Vec<StoredEvent>)> {
        let mut rows = sqlx::query(EVENTS)
            .bind(user.0)
            .bind(after)
            .bind(limit as i64)
            .fetch(&self.pool);
        let (mut head, mut events, mut bytes) = (0, Vec::new(), 0);
        while bytes < EVENTS_BYTES
            && let Some(row) = rows.try_next().await.map_err(db)?
        {
            head = row.try_get(2).map_err(db)?;
            if row.try_get::<Option<i64>, _>(0).map_err(db)?.is_some() {
                let event = stored(&row)?;
                bytes += event.json.len();
                events.push(event);
            }
        }
        Ok((head, events))
    }

    async fn recent(&self, user: UserId, before: i64, limit: usize) -> Result<Vec<StoredEvent>> {
        let rows = sqlx::query(RECENT)
            .bind(user.0)
            .bind(before)
            .bind(limit as i64)
            .fetch_all(&self.pool)
            .await
            .map_err(db)?;
        rows.iter().map(stored).collect()
    }
}

/// Reads `seq, json`.
pub(super) fn stored(row: &PgRow) -> Result<StoredEvent> {
    Ok(StoredEvent {
        seq: row.try_get(0).map_err(db)?,
        json: Arc::from(row.try_get::<&str, _>(1).map_err(db)?),
    })
}
