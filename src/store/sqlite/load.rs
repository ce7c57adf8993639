//! Loads what a group of mutations touches, in a constant number of statements: lists are bound as
//! JSON.

use futures_util::TryStreamExt;
use serde::de::IgnoredAny;
use sqlx::{Row, SqliteConnection};
use tidings_domain::{
    event::Event,
    id::{MutationId, UserId},
    task::Task,
    time::Timestamp,
};

use super::{db, from_json, id, series, to_json};
use crate::{
    error::{Error, Result},
    store::plan::{Feed, Keys, Loaded, Seen},
};

/// Feeds, with the log's last row in each.
pub(super) const FEEDS: &str = "SELECT f.user_id, f.seq, f.at, f.tasks, u.time_zone, \
     (SELECT min(position) FROM tasks INDEXED BY tasks_open WHERE user_id = f.user_id \
     AND completed_at IS NULL AND deleted_at IS NULL), \
     (SELECT max(n) FROM events) \
     FROM jsonb_each(?1) j CROSS JOIN feeds f ON f.user_id = j.value \
     CROSS JOIN users u ON u.id = f.user_id";
/// A version may come again after the task was deleted for good and made anew; it is then not this
/// answer's.
pub(super) const SEEN: &str = "SELECT m.user_id, m.mutation_id, m.fingerprint, m.seq, e.json \
     FROM jsonb_each(?1) j \
     CROSS JOIN mutations m ON m.user_id = j.value->>0 AND m.mutation_id = j.value->>1 \
     LEFT JOIN events e ON e.user_id = m.user_id AND e.task_id = m.task_id \
     AND e.version = m.version AND e.seq <= m.seq";
pub(super) const TASKS: &str = "SELECT t.user_id, t.task FROM jsonb_each(?1) j \
     CROSS JOIN tasks t ON t.user_id = j.value->>0 AND t.id = j.value->>1";
pub(super) const VERSIONS: &str = "SELECT e.user_id, e.json FROM jsonb_each(?1) j \
     CROSS JOIN events e ON e.user_id = j.value->>0 AND e.task_id = j.value->>1 \
     AND e.version = j.value->>2";

/// Loads what is under the keys, and the log's last row.
pub(super) async fn load(connection: &mut SqliteConnection, keys: &Keys) -> Result<(Loaded, i64)> {
    let mut loaded = Loaded::default();
    let mut last = 0;
    let mut rows = sqlx::query(FEEDS)
        .bind(to_json(&keys.users)?)
        .fetch(&mut *connection);
    while let Some(row) = rows.try_next().await.map_err(db)? {
        let feed = Feed {
            seq: row.try_get(1).map_err(db)?,
            at: Timestamp(row.try_get(2).map_err(db)?),
            tasks: row.try_get(3).map_err(db)?,
            time_zone: row.try_get(4).map_err(db)?,
            first_position: row.try_get(5).map_err(db)?,
        };
        last = row.try_get::<Option<i64>, _>(6).map_err(db)?.unwrap_or(0);
        let user = UserId(id(row.try_get(0).map_err(db)?)?);
        loaded.feeds.insert(user, feed);
    }
    drop(rows);
    if !keys.mutations.is_empty() {
        let mut rows = sqlx::query(SEEN)
            .bind(to_json(&keys.mutations)?)
            .fetch(&mut *connection);
        while let Some(row) = rows.try_next().await.map_err(db)? {
            let user = UserId(id(row.try_get(0).map_err(db)?)?);
            let mutation = MutationId(id(row.try_get(1).map_err(db)?)?);
            let fingerprint: &[u8] = row.try_get(2).map_err(db)?;
            let json: Option<&str> = row.try_get(4).map_err(db)?;
            let seen = Seen {
                fingerprint: fingerprint.try_into().map_err(Error::internal)?,
                seq: row.try_get(3).map_err(db)?,
                task: json.map(task_of).transpose()?.flatten(),
            };
            loaded.seen.insert((user, mutation), seen);
        }
    }
    let mut rows = sqlx::query(TASKS)
        .bind(to_json(&keys.tasks)?)
        .fetch(&mut *connection);
    while let Some(row) = rows.try_next().await.map_err(db)? {
        let user = UserId(id(row.try_get(0).map_err(db)?)?);
        let task: Task = from_json(row.try_get(1).map_err(db)?)?;
        loaded.tasks.insert((user, task.id), task);
    }
    drop(rows);
    if !keys.versions.is_empty() {
        let mut rows = sqlx::query(VERSIONS)
            .bind(to_json(&keys.versions)?)
            .fetch(&mut *connection);
        while let Some(row) = rows.try_next().await.map_err(db)? {
            let user = UserId(id(row.try_get(0).map_err(db)?)?);
            if let Some(task) = task_of(row.try_get(1).map_err(db)?)? {
                let key = (user, task.id, task.version);
                loaded.versions.insert(key, task);
            }
        }
    }
    series::load(connection, keys, &mut loaded).await?;
    Ok((loaded, last))
}

/// The task of an event.
fn task_of(json: &str) -> Result<Option<Task>> {
    Ok(from_json::<Event<IgnoredAny>>(json)?.task_data)
}
