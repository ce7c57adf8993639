//! What is counted of people's tasks.

use async_trait::async_trait;
use sqlx::{Connection, Row};
use tidings_domain::{
    id::UserId,
    statistics::{Counted, QUARTER_MS},
    time::Timestamp,
};

use super::{SqliteStore, db, job::News, to_json};
use crate::{
    error::Result,
    store::{
        Statistics, Tally,
        statistics::{TAGS_MAX, priority},
    },
};

/// What the events say that the inbox does not have, or all of them with ?2; and then the inbox.
pub(super) const TALLY: &str = "\
INSERT INTO statistics (user_id, task_id, seq, created_at, completed_at, priority, tags) \
    SELECT value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, value->>7 \
    FROM jsonb_each(?1) WHERE value->>1 IN (SELECT id FROM users) AND (?2 OR NOT EXISTS \
    (SELECT 1 FROM inbox WHERE consumer = 'analytics' AND event_id = value->>0)) \
    ON CONFLICT (task_id, user_id) DO UPDATE SET seq = excluded.seq, \
    created_at = excluded.created_at, completed_at = excluded.completed_at, \
    priority = excluded.priority, tags = excluded.tags WHERE excluded.seq >= statistics.seq; \
INSERT INTO inbox (consumer, event_id, at) \
    SELECT 'analytics', value->>0, ?3 FROM jsonb_each(?1) WHERE true \
    ON CONFLICT DO NOTHING";

/// ?3 is a quarter of an hour, here and below.
pub(super) const CREATED: &str = "\
SELECT created_at / ?3 AS quarter, count(*), count(completed_at) FROM statistics \
    WHERE user_id = ?1 AND created_at >= ?2 GROUP BY quarter";

pub(super) const COMPLETED: &str = "\
SELECT completed_at / ?3 AS quarter, priority, count(*) FROM statistics \
    WHERE user_id = ?1 AND completed_at >= ?2 GROUP BY quarter, priority";

/// The one in the middle, or the mean of the two there.
pub(super) const MEDIAN: &str = "\
SELECT sum(minutes) / count(*) FROM (SELECT (completed_at - created_at) / 60000 AS minutes, \
    row_number() OVER (ORDER BY completed_at - created_at) AS nth, count(*) OVER () AS n \
    FROM statistics WHERE user_id = ?1 AND completed_at >= ?2) \
    WHERE nth IN ((n + 1) / 2, (n + 2) / 2)";

pub(super) const TAGS: &str = "\
SELECT j.value, count(*) FROM statistics s, json_each(s.tags) j \
    WHERE s.user_id = ?1 AND s.completed_at >= ?2 \
    GROUP BY j.value ORDER BY count(*) DESC, j.value LIMIT +?3";

pub(super) const EVER: &str = "\
SELECT completed_at / ?2 AS quarter, count(*) FROM statistics \
    WHERE user_id = ?1 AND completed_at IS NOT NULL GROUP BY quarter ORDER BY quarter DESC";

#[async_trait]
impl Statistics for SqliteStore {
    async fn tally(&self, tallies: &[Tally], again: bool) -> Result<()> {
        let rows: Vec<_> = tallies
            .iter()
            .map(|tally| {
                let task = tally.task.as_ref();
                let counts = task.and_then(|task| task.counts.as_ref());
                (
                    tally.event_id,
                    task.map(|task| task.user_id),
                    task.map(|task| task.task_id),
                    task.map(|task| task.seq),
                    counts.map(|c| c.created_at.0),
                    counts.and_then(|c| c.completed_at).map(|at| at.0),
                    counts.map(|c| c.priority as i64),
                    counts.map(|c| &c.tags).filter(|tags| !tags.is_empty()),
                )
            })
            .collect();
        let tally = sqlx::query(TALLY).bind(to_json(&rows)?).bind(again);
        let tally = tally.bind(self.ambient.clock.now().0);
        self.writer.execute(News::None, tally).await.map(drop)
    }

    async fn counted(&self, user: UserId, since: Timestamp) -> Result<Counted> {
        let user = user.to_string();
        let mut counted = Counted::default();
        let mut reader = self.readers.get().await.map_err(db)?;
        let begun = reader.connection().map_err(db)?.begin().await;
        let mut moment = begun.map_err(db)?;
        let created = sqlx::query(CREATED)
            .bind(&user)
            .bind(since.0)
            .bind(QUARTER_MS);
        for row in created.fetch_all(&mut *moment).await.map_err(db)? {
            let get = |at: usize| row.try_get(at).map_err(db);
            counted
                .created
                .push((row.try_get(0).map_err(db)?, get(1)?, get(2)?));
        }
        let completed = sqlx::query(COMPLETED)
            .bind(&user)
            .bind(since.0)
            .bind(QUARTER_MS);
        for row in completed.fetch_all(&mut *moment).await.map_err(db)? {
            let of = priority(row.try_get(1).map_err(db)?);
            let count = row.try_get(2).map_err(db)?;
            counted
                .completed
                .push((row.try_get(0).map_err(db)?, of, count));
        }
        let median = sqlx::query_scalar(MEDIAN).bind(&user).bind(since.0);
        counted.median_minutes = median.fetch_one(&mut *moment).await.map_err(db)?;
        let tags = sqlx::query_as(TAGS)
            .bind(&user)
            .bind(since.0)
            .bind(TAGS_MAX);
        counted.tags = tags.fetch_all(&mut *moment).await.map_err(db)?;
        let ever = sqlx::query_as(EVER).bind(&user).bind(QUARTER_MS);
        counted.ever = ever.fetch_all(&mut *moment).await.map_err(db)?;
        moment.commit().await.map_err(db)?;
        Ok(counted)
    }
}
