//! The log.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::TryStreamExt;
use sqlx::{Row, sqlite::SqliteRow};
use tidings_domain::id::UserId;
use uuid::Uuid;

use super::{SqliteStore, db};
use crate::{
    error::Result,
    store::{EVENTS_BYTES, Feeds, StoredEvent},
};

/// The head first, then events.
pub(super) const EVENTS: &str = "SELECT seq, NULL FROM feeds WHERE user_id = ?1 \
             UNION ALL SELECT * FROM (SELECT seq, json FROM events \
             WHERE user_id = ?1 AND seq > ?2 ORDER BY seq LIMIT +?3)";

pub(super) const RECENT: &str = "SELECT seq, json FROM events WHERE user_id = ?1 AND seq < ?2 \
             AND event_type <> 'notification.created' ORDER BY seq DESC LIMIT +?3";

#[async_trait]
impl Feeds for SqliteStore {
    fn epoch(&self) -> Uuid {
        self.epoch
    }

    async fn head(&self, user: UserId) -> Result<i64> {
        let head: Option<i64> = sqlx::query_scalar("SELECT seq FROM feeds WHERE user_id = ?1")
            .bind(user.to_string())
            .fetch_optional(&self.readers)
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
        let mut reader = self.readers.get().await.map_err(db)?;
        let mut rows = sqlx::query(EVENTS)
            .bind(user.to_string())
            .bind(after)
            .bind(limit as i64)
            .fetch(reader.connection().map_err(db)?);
        let Some(head) = rows.try_next().await.map_err(db)? else {
            return Ok((0, Vec::new()));
        };
        let head = head.try_get(0).map_err(db)?;
        let (mut events, mut bytes) = (Vec::new(), 0);
        while bytes < EVENTS_BYTES
            && let Some(row) = rows.try_next().await.map_err(db)?
        {
            let event = stored(&row)?;
            bytes += event.json.len();
            events.push(event);
        }
        Ok((head, events))
    }

    async fn recent(&self, user: UserId, before: i64, limit: usize) -> Result<Vec<StoredEvent>> {
        let rows = sqlx::query(RECENT)
            .bind(user.to_string())
            .bind(before)
            .bind(limit as i64)
            .fetch_all(&self.readers)
            .await
            .map_err(db)?;
        rows.iter().map(stored).collect()
    }

    async fn unread(&self, user: UserId) -> Result<i64> {
        let count = "SELECT count(*) FROM notifications WHERE user_id = ?1 AND read_at IS NULL";
        let count = sqlx::query_scalar(count).bind(user.to_string());
        count.fetch_one(&self.readers).await.map_err(db)
    }
}

/// Reads `seq, json`.
pub(super) fn stored(row: &SqliteRow) -> Result<StoredEvent> {
    Ok(StoredEvent {
        seq: row.try_get(0).map_err(db)?,
        json: Arc::from(row.try_get::<&str, _>(1).map_err(db)?),
    })
}
