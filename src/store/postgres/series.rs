//! Where tasks stand in their series, and what consumers have taken in.

use sqlx::{PgConnection, Row};
use tidings_domain::{
    id::{EventId, TaskId, UserId},
    series::{Occurrence, Reminder},
    time::Timestamp,
};

use super::{db, from_json};
use crate::{
    error::{Error, Result},
    store::{
        plan::{Keys, Loaded, Standing, WriteSet},
        postgres::write::list,
    },
};

pub(super) const STANDINGS: &str = "SELECT j.user_id, j.task_id, \
     EXISTS (SELECT FROM events e WHERE e.user_id = j.user_id AND e.task_id = j.task_id), \
     o.recurrence, o.first, o.nth, o.remind, o.version, o.remind_date, o.remind_at \
     FROM unnest($1::uuid[], $2::uuid[]) j (user_id, task_id) \
     LEFT JOIN occurrences o ON o.user_id = j.user_id AND o.task_id = j.task_id";
pub(super) const RECEIPTS: &str = "SELECT i.consumer, i.event_id \
     FROM unnest($1::text[], $2::uuid[]) j (consumer, event_id) \
     JOIN inbox i ON i.consumer = j.consumer AND i.event_id = j.event_id";

/// Receipts, $1 to $3, and standings, $4 to $12.
pub(super) const WRITE: &str = "\
WITH i AS (INSERT INTO inbox (consumer, event_id, at) \
    SELECT * FROM unnest($1::text[], $2::uuid[], $3::int8[]) ON CONFLICT DO NOTHING) \
INSERT INTO occurrences (user_id, task_id, recurrence, first, nth, remind, version, \
    remind_date, remind_at) \
    SELECT * FROM unnest($4::uuid[], $5::uuid[], $6::text[], $7::text[], $8::int8[], $9::int8[], \
    $10::int8[], $11::text[], $12::int8[]) \
    ON CONFLICT (user_id, task_id) DO UPDATE SET recurrence = excluded.recurrence, \
    first = excluded.first, nth = excluded.nth, remind = excluded.remind, \
    version = excluded.version, remind_date = excluded.remind_date, \
    remind_at = excluded.remind_at";

/// Loads what is under the keys. Comes after the locks: another process that takes the same event in
/// is done by then, or has not begun.
pub(super) async fn load(
    connection: &mut PgConnection,
    keys: &Keys,
    loaded: &mut Loaded,
) -> Result<()> {
    if !keys.series.is_empty() {
        let (users, tasks): (Vec<_>, Vec<_>) = keys.series.iter().map(|k| (k.0.0, k.1.0)).unzip();
        let rows = sqlx::query(STANDINGS)
            .bind(users)
            .bind(tasks)
            .fetch_all(&mut *connection)
            .await
            .map_err(db)?;
        for row in rows {
            let user = UserId(row.try_get(0).map_err(db)?);
            let key = (user, TaskId(row.try_get(1).map_err(db)?));
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
        let rows = sqlx::query(RECEIPTS)
            .bind(list(&keys.receipts, |r| r.consumer))
            .bind(list(&keys.receipts, |r| r.event_id.0))
            .fetch_all(connection)
            .await
            .map_err(db)?;
        for row in rows {
            let consumer: &str = row.try_get(0).map_err(db)?;
            let event_id = EventId(row.try_get(1).map_err(db)?);
            let mut asked = keys.receipts.iter();
            let asked = asked.find(|r| r.consumer == consumer && r.event_id == event_id);
            loaded.receipts.extend(asked);
        }
    }
    Ok(())
}

/// Writes what a plan has of them.
pub(super) async fn store(connection: &mut PgConnection, set: &WriteSet) -> Result<()> {
    let (receipts, standings) = (&set.receipts, &set.standings);
    if receipts.is_empty() && standings.is_empty() {
        return Ok(());
    }
    let rules = standings
        .iter()
        .map(|s| serde_json::to_string(&s.2.occurrence.recurrence));
    let rules = rules
        .collect::<Result<Vec<_>, _>>()
        .map_err(Error::internal)?;
    let of = |s: &'_ (UserId, TaskId, Standing)| s.2.occurrence.clone();
    sqlx::query(WRITE)
        .bind(list(receipts, |(r, _)| r.consumer))
        .bind(list(receipts, |(r, _)| r.event_id.0))
        .bind(list(receipts, |(_, at)| at.0))
        .bind(list(standings, |s| s.0.0))
        .bind(list(standings, |s| s.1.0))
        .bind(rules)
        .bind(list(standings, |s| of(s).first.map(|day| day.to_string())))
        .bind(list(standings, |s| of(s).nth))
        .bind(list(standings, |s| of(s).reminder.map(|r| r.wall.0)))
        .bind(list(standings, |s| s.2.version))
        .bind(list(standings, |s| {
            of(s).reminder.map(|r| r.date.to_string())
        }))
        .bind(list(standings, |s| {
            of(s).reminder.and_then(|r| r.at).map(|at| at.0)
        }))
        .execute(connection)
        .await
        .map_err(db)?;
    Ok(())
}
