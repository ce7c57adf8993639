//! What consumers never took in.

use std::{collections::HashSet, sync::Arc};

use async_trait::async_trait;
use tidings_domain::{
    event::{EventType, Topic},
    id::EventId,
};

use super::{SqliteStore, db, id, job::News, to_json};
use crate::{error::Result, store::Missed};

/// The least row that waits is found by walking what waits, which is little, or little often.
pub(super) const PUBLISHED_TO: &str = "\
SELECT coalesce((SELECT min(event) - 1 FROM outbox \
    WHERE dead = 0 AND topic IN (SELECT value FROM jsonb_each(?1))), \
    (SELECT max(n) FROM events), 0)";

/// ?1 consumer, ?2 from, ?3 to, ?4 types.
pub(super) const MISSED: &str = "\
SELECT json FROM events e WHERE n > ?2 AND n <= ?3 \
    AND event_type IN (SELECT value FROM jsonb_each(?4)) \
    AND NOT EXISTS (SELECT 1 FROM inbox i WHERE i.consumer = ?1 AND i.event_id = e.event_id) \
    ORDER BY n";

pub(super) const NOTED: &str = "\
SELECT i.event_id FROM jsonb_each(?2) j CROSS JOIN inbox i \
    ON i.consumer = ?1 AND i.event_id = j.value";

#[async_trait]
impl Missed for SqliteStore {
    async fn published_to(&self, topics: &[Topic]) -> Result<i64> {
        let topics: Vec<_> = topics.iter().map(|topic| topic.as_str()).collect();
        let to = sqlx::query_scalar(PUBLISHED_TO).bind(to_json(&topics)?);
        to.fetch_one(&self.readers).await.map_err(db)
    }

    async fn compared_to(&self, consumer: &str) -> Result<i64> {
        let to = "SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'compared ' || ?1";
        let to = sqlx::query_scalar(to).bind(consumer);
        let to = to.fetch_optional(&self.readers).await.map_err(db)?;
        Ok(to.unwrap_or(0))
    }

    async fn compared(&self, consumer: &str, from: i64, to: i64) -> Result<()> {
        let set = "INSERT INTO meta (key, value) VALUES ('compared ' || ?1, ?3) \
            ON CONFLICT (key) DO UPDATE SET value = excluded.value WHERE value = ?2";
        let set = sqlx::query(set)
            .bind(consumer.to_owned())
            .bind(from.to_string())
            .bind(to.to_string());
        self.writer.execute(News::None, set).await.map(drop)
    }

    async fn missed(
        &self,
        consumer: &str,
        types: &[EventType],
        from: i64,
        to: i64,
    ) -> Result<Vec<Arc<str>>> {
        let types: Vec<_> = types.iter().map(|it| it.as_str()).collect();
        let missed = sqlx::query_scalar(MISSED)
            .bind(consumer)
            .bind(from)
            .bind(to)
            .bind(to_json(&types)?);
        let missed: Vec<String> = missed.fetch_all(&self.readers).await.map_err(db)?;
        Ok(missed.into_iter().map(Arc::from).collect())
    }

    async fn noted(&self, consumer: &str, ids: &[EventId]) -> Result<HashSet<EventId>> {
        let noted = sqlx::query_scalar(NOTED).bind(consumer).bind(to_json(ids)?);
        let noted: Vec<String> = noted.fetch_all(&self.readers).await.map_err(db)?;
        noted.iter().map(|it| Ok(EventId(id(it)?))).collect()
    }
}
