//! Locks the feeds of a group of mutations, and loads what it touches, in a constant number of
//! statements.

use sqlx::{PgConnection, Row};
use tidings_domain::{
    event::Event,
    id::{MutationId, UserId},
    task::Task,
    time::Timestamp,
};

use serde::de::IgnoredAny;

use super::{db, from_json, series};
use crate::{
    error::{Error, Result},
    store::plan::{Feed, Keys, Loaded, Seen},
};

/// In the order of their ids, so that no two wait for each other. A statement of its own: only what
/// begins after it sees all that was written under the locks before.
pub(super) const LOCK: &str =
    "SELECT FROM feeds WHERE user_id = ANY ($1::uuid[]) ORDER BY user_id FOR UPDATE";
pub(super) const FEEDS: &str = "SELECT f.user_id, f.seq, f.at, f.tasks, u.time_zone, \
     (SELECT t.position FROM tasks t WHERE t.user_id = f.user_id \
     AND t.completed_at IS NULL AND t.deleted_at IS NULL ORDER BY t.position, t.id LIMIT 1) \
     FROM feeds f JOIN users u ON u.id = f.user_id WHERE f.user_id = ANY ($1::uuid[])";
/// A version may come again after the task was deleted for good and made anew; it is then not this
/// answer's.
pub(super) const SEEN: &str = "SELECT m.user_id, m.mutation_id, m.fingerprint, m.seq, e.json \
     FROM unnest($1::uuid[], $2::uuid[]) j (user_id, mutation_id) \
     JOIN mutations m ON m.user_id = j.user_id AND m.mutation_id = j.mutation_id \
     LEFT JOIN events e ON e.user_id = m.user_id AND e.task_id = m.task_id \
     AND e.version = m.version AND e.seq <= m.seq";
pub(super) const TASKS: &str = "SELECT t.user_id, t.task \
     FROM unnest($1::uuid[], $2::uuid[]) j (user_id, id) \
     JOIN tasks t ON t.user_id = j.user_id AND t.id = j.id";
pub(super) const VERSIONS: &str = "SELECT e.user_id, e.json \
     FROM unnest($1::uuid[], $2::uuid[], $3::int8[]) j (user_id, task_id, version) \
     JOIN events e ON e.user_id = j.user_id AND e.task_id = j.task_id AND e.version = j.version";

/// Locks the feeds, and loads what is under the keys.
pub(super) async fn load(connection: &mut PgConnection, keys: &Keys) -> Result<Loaded> {
    let mut loaded = Loaded::default();
    let users: Vec<_> = keys.users.iter().map(|user| user.0).collect();
    sqlx::query(LOCK)
        .bind(&users)
        .execute(&mut *connection)
        .await
        .map_err(db)?;
    let rows = sqlx::query(FEEDS)
        .bind(&users)
        .fetch_all(&mut *connection)
        .await
        .map_err(db)?;
    for row in rows {
        let feed = Feed {
            seq: row.try_get(1).map_err(db)?,
            at: Timestamp(row.try_get(2).map_err(db)?),
            tasks: row.try_get(3).map_err(db)?,
            time_zone: row.try_get(4).map_err(db)?,
            first_position: row.try_get(5).map_err(db)?,
        };
        let user = UserId(row.try_get(0).map_err(db)?);
        loaded.feeds.insert(user, feed);
    }
    if !keys.mutations.is_empty() {
        let (users, ids): (Vec<_>, Vec<_>) = keys.mutations.iter().map(|m| (m.0.0, m.1.0)).unzip();
        let rows = sqlx::query(SEEN)
            .bind(users)
            .bind(ids)
            .fetch_all(&mut *connection)
            .await
            .map_err(db)?;
        for row in rows {
            let user = UserId(row.try_get(0).map_err(db)?);
            let mutation = MutationId(row.try_get(1).map_err(db)?);
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
    let (users, ids): (Vec<_>, Vec<_>) = keys.tasks.iter().map(|t| (t.0.0, t.1.0)).unzip();
    let rows = sqlx::query(TASKS)
        .bind(users)
        .bind(ids)
        .fetch_all(&mut *connection)
        .await
        .map_err(db)?;
    for row in rows {
        let user = UserId(row.try_get(0).map_err(db)?);
        let task: Task = from_json(row.try_get(1).map_err(db)?)?;
        loaded.tasks.insert((user, task.id), task);
    }
    if !keys.versions.is_empty() {
        let versions = keys.versions.iter();
        let (users, rest): (Vec<_>, Vec<_>) = versions.map(|v| (v.0.0, (v.1.0, v.2))).unzip();
        let (tasks, versions): (Vec<_>, Vec<_>) = rest.into_iter().unzip();
        let rows = sqlx::query(VERSIONS)
            .bind(users)
            .bind(tasks)
            .bind(versions)
            .fetch_all(&mut *connection)
            .await
            .map_err(db)?;
        for row in rows {
            let user = UserId(row.try_get(0).map_err(db)?);
            if let Some(task) = task_of(row.try_get(1).map_err(db)?)? {
                let key = (user, task.id, task.version);
                loaded.versions.insert(key, task);
            }
        }
    }
    series::load(connection, keys, &mut loaded).await?;
    Ok(loaded)
}

/// The task of an event.
fn task_of(json: &str) -> Result<Option<Task>> {
    Ok(from_json::<Event<IgnoredAny>>(json)?.task_data)
}
