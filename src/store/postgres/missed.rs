//! What consumers never took in.

use std::{collections::HashSet, sync::Arc};

use async_trait::async_trait;
use tidings_domain::{
    event::{EventType, Topic},
    id::EventId,
};
use uuid::Uuid;

use super::{PostgresStore, db, job::News};
use crate::{error::Result, store::Missed};

/// The least row that waits is found by walking what waits, which is little, or little often.
pub(super) const PUBLISHED_TO: &str = "\
SELECT coalesce((SELECT min(event) - 1 FROM outbox WHERE NOT dead AND topic = ANY ($1::text[])), \
    (SELECT max(n) FROM events), 0)";

/// $1 consumer, $2 from, $3 to, $4 types.
pub(super) const MISSED: &str = "\
SELECT json FROM events e WHERE n > $2 AND n <= $3 AND event_type = ANY ($4::text[]) \
    AND NOT EXISTS (SELECT FROM inbox i WHERE i.consumer = $1 AND i.event_id = e.event_id) \
    ORDER BY n";

pub(super) const NOTED: &str =
    "SELECT event_id FROM inbox WHERE consumer = $1 AND event_id = ANY ($2::uuid[])";

#[async_trait]
impl Missed for PostgresStore {
    async fn published_to(&self, topics: &[Topic]) -> Result<i64> {
        let topics: Vec<_> = topics.iter().map(|topic| topic.as_str()).collect();
        let to = sqlx::query_scalar(PUBLISHED_TO).bind(topics);
        to.fetch_one(&self.pool).await.map_err(db)
    }

    async fn compared_to(&self, consumer: &str) -> Result<i64> {
        let to = "SELECT value::int8 FROM meta WHERE key = 'compared ' || $1";
        let to = sqlx::query_scalar(to).bind(consumer);
        let to = to.fetch_optional(&self.pool).await.map_err(db)?;
        Ok(to.unwrap_or(0))
    }

    async fn compared(&self, consumer: &str, from: i64, to: i64) -> Result<()> {
        let (consumer, [from, to]) = (consumer.to_owned(), [from, to].map(|n| n.to_string()));
        self.jobs
            .write(News::None, move |connection| {
                Box::pin(async move {
                    let set = "INSERT INTO meta (key, value) VALUES ('compared ' || $1, $3) \
                        ON CONFLICT (key) DO UPDATE SET value = excluded.value \
                        WHERE meta.value = $2";
                    let set = sqlx::query(set).bind(consumer).bind(from).bind(to);
                    set.execute(connection).await.map_err(db)?;
                    Ok(())
                })
            })
            .await
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
            .bind(types);
        let missed: Vec<String> = missed.fetch_all(&self.pool).await.map_err(db)?;
        Ok(missed.into_iter().map(Arc::from).collect())
    }

    async fn noted(&self, consumer: &str, ids: &[EventId]) -> Result<HashSet<EventId>> {
        let ids: Vec<_> = ids.iter().map(|id| id.0).collect();
        let noted = sqlx::query_scalar(NOTED).bind(consumer).bind(ids);
        let noted: Vec<Uuid> = noted.fetch_all(&self.pool).await.map_err(db)?;
        Ok(noted.into_iter().map(EventId).collect())
    }
}
