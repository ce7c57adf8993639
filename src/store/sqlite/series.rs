//! Where tasks stand in their series, and what consumers have taken in.

use futures_util::TryStreamExt;
use sqlx::{Row, SqliteConnection};
use tidings_domain::{
    id::{TaskId, UserId},
    series::{Occurrence, Reminder},
    time::Timestamp,
};

use super::{db, from_json, id, to_json};
use crate::{
    error::{Error, Result},
    store::{
        Receipt,
        plan::{Keys, Loaded, Standing, WriteSet},
    },
};

pub(super) const STANDINGS: &str = "SELECT j.value->>0, j.value->>1, \
     EXISTS (SELECT 1 FROM events e WHERE e.user_id = j.value->>0 AND e.task_id = j.value->>1), \
     o.recurrence, o.first, o.nth, o.remind, o.version, o.remind_date, o.remind_at \
     FROM jsonb_each(?1) j \
     LEFT JOIN occurrences o ON o.user_id = j.value->>0 AND o.task_id = j.value->>1";
pub(super) const RECEIPTS: &str = "SELECT j.key FROM jsonb_each(?1) j \
     CROSS JOIN inbox i ON i.consumer = j.value->>0 AND i.event_id = j.value->>1";

/// Receipts, then standings.
pub(super) const WRITE: &str = "\
INSERT INTO inbox (consumer, event_id, at) \
    SELECT value->>0, value->>1, value->>2 FROM jsonb_each(?) WHERE true ON CONFLICT DO NOTHING; \
INSERT INTO occurrences (user_id, task_id, recurrence, first, nth, remind, version, \
    remind_date, remind_at) \
    SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, \
    value->>7, value->>8 FROM jsonb_each(?) WHERE true \
    ON CONFLICT (user_id, task_id) DO UPDATE SET recurrence = excluded.recurrence, \
    first = excluded.first, nth = excluded.nth, remind = excluded.remind, \
    version = excluded.version, remind_date = excluded.remind_date, \
    remind_at = excluded.remind_at";

/// Loads what is under the keys.
pub(super) async fn load(
    connection: &mut SqliteConnection,
    keys: &Keys,
    loaded: &mut Loaded,
) -> Result<()> {
    if !keys.series.is_empty() {
        let mut rows = sqlx::query(STANDINGS)
            .bind(to_json(&keys.series)?)
            .fetch(&mut *connection);
        while let Some(row) = rows.try_next().await.map_err(db)? {
            let user = UserId(id(row.try_get(0).map_err(db)?)?);
            let key = (user, TaskId(id(row.try_get(1).map_err(db)?)?));
            if row.try_get(2).map_err(db)? {
                loaded.begun.insert(key);
            }
            let Some(recurrence) = row.try_get::<Option<&str>, _>(3).map_err(db)? else {
                continue;
            };
            let first: Option<&str> = row.try_get(4).map_err(db)?;
            let wall: Option<i64> = row.try_get(6).map_err(db)?;
            let date: Option<&str> = row.try_get(8).map_err(db)?;
            let date = date.map(str::parse).transpose().map_err(Error::internal)?;
            let at: Option<i64> = row.try_get(9).map_err(db)?;
            let occurrence = Occurrence {
                recurrence: from_json(recurrence)?,
                first: first.map(str::parse).transpose().map_err(Error::internal)?,
                nth: row.try_get(5).map_err(db)?,
                reminder: wall.zip(date).map(|(wall, date)| Reminder {
                    wall: Timestamp(wall),
                    date,
                    at: at.map(Timestamp),
                }),
            };
            let version = row.try_get(7).map_err(db)?;
            let standing = Standing {
                occurrence,
                version,
            };
            loaded.standings.insert(key, standing);
        }
    }
    if !keys.receipts.is_empty() {
        let receipts = keys.receipts.iter();
        let receipts: Vec<_> = receipts.map(|r| (r.consumer, r.event_id)).collect();
        let known: Vec<i64> = sqlx::query_scalar(RECEIPTS)
            .bind(to_json(&receipts)?)
            .fetch_all(connection)
            .await
            .map_err(db)?;
        let known = known.into_iter().filter_map(|at| usize::try_from(at).ok());
        let known = known.filter_map(|at| keys.receipts.get(at).copied());
        loaded.receipts.extend::<Vec<Receipt>>(known.collect());
    }
    Ok(())
}

/// Writes what a plan has of them.
pub(super) async fn store(connection: &mut SqliteConnection, set: &WriteSet) -> Result<()> {
    if set.receipts.is_empty() && set.standings.is_empty() {
        return Ok(());
    }
    let receipts = set.receipts.iter();
    let receipts = receipts.map(|(r, at)| (r.consumer, r.event_id, at.0));
    let receipts: Vec<_> = receipts.collect();
    let standings = set.standings.iter().map(|(user, task, standing)| {
        let Occurrence {
            recurrence,
            first,
            nth,
            reminder,
        } = &standing.occurrence;
        Ok((
            user,
            task,
            to_json(recurrence)?,
            first,
            nth,
            reminder.map(|r| r.wall.0),
            standing.version,
            reminder.map(|r| r.date),
            reminder.and_then(|r| r.at).map(|at| at.0),
        ))
    });
    let standings = standings.collect::<Result<Vec<_>>>()?;
    sqlx::query(WRITE)
        .bind(to_json(&receipts)?)
        .bind(to_json(&standings)?)
        .execute(connection)
        .await
        .map_err(db)?;
    Ok(())
}
