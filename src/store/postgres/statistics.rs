//! What is counted of people's tasks.

use async_trait::async_trait;
use tidings_domain::{
    id::UserId,
    statistics::{Counted, QUARTER_MS},
    time::Timestamp,
};

use super::{PostgresStore, db, job::News, tasks::MOMENT};
use crate::{
    error::{Error, Result},
    store::{
        Counts, Statistics, Tally, TallyTask,
        statistics::{TAGS_MAX, priority},
    },
};

/// The inbox, and then the last word on each task of the events that it did not have, or of all of
/// them with $9.
pub(super) const TALLY: &str = "\
WITH j AS (SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::int8[], $5::int8[], \
    $6::int8[], $7::int8[], $8::text[]) \
    j (event_id, user_id, task_id, seq, created_at, completed_at, priority, tags)), \
i AS (INSERT INTO inbox (consumer, event_id, at) \
    SELECT 'analytics', event_id, $10 FROM j ORDER BY event_id \
    ON CONFLICT DO NOTHING RETURNING event_id) \
INSERT INTO statistics (user_id, task_id, seq, created_at, completed_at, priority, tags) \
    SELECT DISTINCT ON (j.user_id, j.task_id) j.user_id, j.task_id, j.seq, j.created_at, \
    j.completed_at, j.priority, j.tags::jsonb FROM j JOIN users u ON u.id = j.user_id \
    WHERE $9 OR EXISTS (SELECT FROM i WHERE i.event_id = j.event_id) \
    ORDER BY j.user_id, j.task_id, j.seq DESC \
    ON CONFLICT (user_id, task_id) DO UPDATE SET seq = excluded.seq, \
    created_at = excluded.created_at, completed_at = excluded.completed_at, \
    priority = excluded.priority, tags = excluded.tags WHERE excluded.seq >= statistics.seq";

/// $3 is a quarter of an hour, here and below.
pub(super) const CREATED: &str = "\
SELECT created_at / $3 AS quarter, count(*), count(completed_at) FROM statistics \
    WHERE user_id = $1 AND created_at >= $2 GROUP BY quarter";

pub(super) const COMPLETED: &str = "\
SELECT completed_at / $3 AS quarter, priority, count(*) FROM statistics \
    WHERE user_id = $1 AND completed_at >= $2 GROUP BY quarter, priority";

/// The one in the middle, or the mean of the two there.
pub(super) const MEDIAN: &str = "\
SELECT sum(minutes)::int8 / count(*) FROM (SELECT (completed_at - created_at) / 60000 AS minutes, \
    row_number() OVER (ORDER BY completed_at - created_at) AS nth, count(*) OVER () AS n \
    FROM statistics WHERE user_id = $1 AND completed_at >= $2) m \
    WHERE nth IN ((n + 1) / 2, (n + 2) / 2) HAVING count(*) > 0";

pub(super) const TAGS: &str = "\
SELECT tag, count(*) FROM statistics s, jsonb_array_elements_text(s.tags) tag \
    WHERE s.user_id = $1 AND s.completed_at >= $2 \
    GROUP BY tag ORDER BY count(*) DESC, tag COLLATE \"C\" LIMIT $3";

pub(super) const EVER: &str = "\
SELECT completed_at / $2 AS quarter, count(*) FROM statistics \
    WHERE user_id = $1 AND completed_at IS NOT NULL GROUP BY quarter ORDER BY quarter DESC";

#[async_trait]
impl Statistics for PostgresStore {
    async fn tally(&self, tallies: &[Tally], again: bool) -> Result<()> {
        let tallies = tallies.to_vec();
        let now = self.ambient.clock.now();
        self.jobs
            .write(News::None, move |connection| {
                Box::pin(async move {
                    sqlx::query(TALLY)
                        .bind(Vec::from_iter(tallies.iter().map(|t| t.event_id.0)))
                        .bind(of_task(&tallies, |task| task.user_id.0))
                        .bind(of_task(&tallies, |task| task.task_id.0))
                        .bind(of_task(&tallies, |task| task.seq))
                        .bind(of_counts(&tallies, |c| Some(c.created_at.0)))
                        .bind(of_counts(&tallies, |c| c.completed_at.map(|at| at.0)))
                        .bind(of_counts(&tallies, |c| Some(c.priority as i64)))
                        .bind(of_counts(&tallies, tags))
                        .bind(again)
                        .bind(now.0)
                        .execute(connection)
                        .await
                        .map_err(db)?;
                    Ok(())
                })
            })
            .await
    }

    async fn counted(&self, user: UserId, since: Timestamp) -> Result<Counted> {
        let mut moment = self.pool.begin_with(MOMENT).await.map_err(db)?;
        let created = sqlx::query_as(CREATED)
            .bind(user.0)
            .bind(since.0)
            .bind(QUARTER_MS);
        let created: Vec<(i64, i64, i64)> = created.fetch_all(&mut *moment).await.map_err(db)?;
        let completed = sqlx::query_as(COMPLETED)
            .bind(user.0)
            .bind(since.0)
            .bind(QUARTER_MS);
        let completed: Vec<(i64, i64, i64)> =
            completed.fetch_all(&mut *moment).await.map_err(db)?;
        let median = sqlx::query_scalar(MEDIAN).bind(user.0).bind(since.0);
        let median_minutes = median.fetch_optional(&mut *moment).await.map_err(db)?;
        let tags = sqlx::query_as(TAGS)
            .bind(user.0)
            .bind(since.0)
            .bind(TAGS_MAX);
        let tags: Vec<(String, i64)> = tags.fetch_all(&mut *moment).await.map_err(db)?;
        let ever = sqlx::query_as(EVER).bind(user.0).bind(QUARTER_MS);
        let ever: Vec<(i64, i64)> = ever.fetch_all(&mut *moment).await.map_err(db)?;
        moment.commit().await.map_err(db)?;
        let created = created.into_iter();
        let created = created.map(|(at, made, done)| Ok((at, count(made)?, count(done)?)));
        let completed = completed.into_iter();
        let completed = completed.map(|(at, of, n)| Ok((at, priority(of), count(n)?)));
        Ok(Counted {
            created: created.collect::<Result<_>>()?,
            completed: completed.collect::<Result<_>>()?,
            median_minutes,
            tags: counts(tags)?,
            ever: counts(ever)?,
        })
    }
}

fn count(rows: i64) -> Result<u32> {
    u32::try_from(rows).map_err(Error::internal)
}

fn counts<T>(rows: Vec<(T, i64)>) -> Result<Vec<(T, u32)>> {
    let rows = rows.into_iter().map(|(of, n)| Ok((of, count(n)?)));
    rows.collect()
}

fn tags(counts: &Counts) -> Option<String> {
    let tags = Some(&counts.tags).filter(|tags| !tags.is_empty());
    tags.map(|tags| serde_json::json!(tags).to_string())
}

fn of_task<T>(tallies: &[Tally], part: impl Fn(&TallyTask) -> T) -> Vec<Option<T>> {
    tallies
        .iter()
        .map(|tally| tally.task.as_ref().map(&part))
        .collect()
}

fn of_counts<T>(tallies: &[Tally], part: impl Fn(&Counts) -> Option<T>) -> Vec<Option<T>> {
    let counts = |tally: &Tally| part(tally.task.as_ref()?.counts.as_ref()?);
    tallies.iter().map(counts).collect()
}
