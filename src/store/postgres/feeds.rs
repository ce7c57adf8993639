//! The log.

use std::sync::Arc;

use async_trait::async_trait;
use sqlx::{Row, postgres::PgRow};
use tidings_domain::id::UserId;
use uuid::Uuid;

use super::{PostgresStore, db};
use crate::{
    error::Result,
    store::{EVENTS_BYTES, Feeds, StoredEvent},
};

/// The head beside each event, or beside nothing. An event comes where those before it have less than
/// $4 bytes: how long a text is, the database knows without reading it.
pub(super) const EVENTS: &str = "SELECT e.seq, e.json, f.seq FROM feeds f \
     LEFT JOIN LATERAL (SELECT seq, json FROM (SELECT seq, json, \
         sum(octet_length(json)) OVER (ORDER BY seq ROWS UNBOUNDED PRECEDING) bytes \
         FROM (SELECT seq, json FROM events \
         WHERE user_id = $1 AND seq > $2 ORDER BY seq LIMIT $3) page) page \
     WHERE bytes - octet_length(json) < $4) e ON true \
     WHERE f.user_id = $1 ORDER BY e.seq";

pub(super) const RECENT: &str = "SELECT seq, json FROM events WHERE user_id = $1 AND seq < $2 \
     AND event_type <> 'notification.created' ORDER BY seq DESC LIMIT $3";

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
        let rows = sqlx::query(EVENTS)
            .bind(user.0)
            .bind(after)
            .bind(limit as i64)
            .bind(EVENTS_BYTES as i64)
            .fetch_all(&self.pool)
            .await
            .map_err(db)?;
        let Some(first) = rows.first() else {
            return Ok((0, Vec::new()));
        };
        let head = first.try_get(2).map_err(db)?;
        let none = first.try_get::<Option<i64>, _>(0).map_err(db)?.is_none();
        let events = if none { &[] } else { &rows[..] };
        Ok((head, events.iter().map(stored).collect::<Result<_>>()?))
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

    async fn unread(&self, user: UserId) -> Result<i64> {
        let count = "SELECT count(*) FROM notifications WHERE user_id = $1 AND read_at IS NULL";
        let count = sqlx::query_scalar(count).bind(user.0);
        count.fetch_one(&self.pool).await.map_err(db)
    }
}

/// Reads `seq, json`.
pub(super) fn stored(row: &PgRow) -> Result<StoredEvent> {
    Ok(StoredEvent {
        seq: row.try_get(0).map_err(db)?,
        json: Arc::from(row.try_get::<&str, _>(1).map_err(db)?),
    })
}
