//! What consumers never took in.

use std::sync::Arc;

use async_trait::async_trait;
use tidings_domain::event::Topic;

use super::{SqliteStore, db, job::News, to_json};
use crate::{error::Result, store::Missed};

/// The least row that waits is found by walking what waits, which is little, or little often.
pub(super) const PUBLISHED_TO: &str = "\
SELECT coalesce((SELECT min(event) - 1 FROM outbox \
    WHERE dead = 0 AND topic IN (SELECT value FROM json_each(?1))), \
    (SELECT max(n) FROM events), 0)";

/// ?1 consumer, ?2 from, ?3 to.
pub(super) const MISSED: &str = "\
SELECT json FROM events e WHERE n > ?2 AND n <= ?3 \
    AND NOT EXISTS (SELECT 1 FROM inbox i WHERE i.consumer = ?1 AND i.event_id = e.event_id) \
    ORDER BY n";

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

    async fn missed(&self, consumer: &str, from: i64, to: i64) -> Result<Vec<Arc<str>>> {
        let missed = sqlx::query_scalar(MISSED)
            .bind(consumer)
            .bind(from)
            .bind(to);
        let missed: Vec<String> = missed.fetch_all(&self.readers).await.map_err(db)?;
        Ok(missed.into_iter().map(Arc::from).collect())
    }
}
