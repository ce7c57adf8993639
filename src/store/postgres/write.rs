//! Writes what was planned, in a constant number of statements: a column of all rows is bound as one
//! array.

use std::collections::HashSet;

use serde_json::value::RawValue;
use sqlx::PgConnection;
use tidings_domain::{
    id::{TaskId, UserId},
    task::Task,
    time::TzDatabase,
};
use uuid::Uuid;

use super::{db, series};
use crate::{
    error::{Error, Result},
    store::{
        LooseEvent, listing,
        plan::{EventRow, WriteSet},
    },
};

/// Events, $1 to $8, and their rows of the outbox, $9 to $11. The outbox numbers its rows in the order
/// of the events.
pub(super) const LOG: &str = "\
WITH e AS (INSERT INTO events \
    (event_id, event_type, user_id, seq, task_id, version, at, json) \
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::int8[], $5::uuid[], $6::int8[], \
    $7::int8[], $8::text[]) RETURNING event_id, n) \
INSERT INTO outbox (topic, partition, event) SELECT o.topic, o.partition, e.n \
    FROM unnest($9::uuid[], $10::text[], $11::uuid[]) WITH ORDINALITY \
    o (event_id, topic, partition, nth) JOIN e ON e.event_id = o.event_id ORDER BY o.nth";

/// Tasks, $1 to $16, answers, $17 to $23, and feeds, $24 to $27.
pub(super) const REST: &str = "\
WITH t AS (INSERT INTO tasks (user_id, id, position, title_key, search, priority, tags, due_date, \
    due_at, due_zone, completed_at, deleted_at, created_at, updated_at, task, remind_at) \
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::int8[], \
    $7::jsonb[], $8::text[], $9::int8[], $10::text[], $11::int8[], $12::int8[], $13::int8[], \
    $14::int8[], $15::text[], $16::int8[]) \
    ON CONFLICT (user_id, id) DO UPDATE SET position = excluded.position, \
    title_key = excluded.title_key, search = excluded.search, priority = excluded.priority, \
    tags = excluded.tags, due_date = excluded.due_date, due_at = excluded.due_at, \
    due_zone = excluded.due_zone, completed_at = excluded.completed_at, \
    deleted_at = excluded.deleted_at, created_at = excluded.created_at, \
    updated_at = excluded.updated_at, task = excluded.task, reminded = tasks.reminded \
    AND tasks.remind_at IS NOT DISTINCT FROM excluded.remind_at, \
    remind_at = excluded.remind_at), \
m AS (INSERT INTO mutations (user_id, mutation_id, fingerprint, seq, task_id, version, at) \
    SELECT * FROM unnest($17::uuid[], $18::uuid[], $19::bytea[], $20::int8[], $21::uuid[], \
    $22::int8[], $23::int8[])) \
UPDATE feeds SET seq = f.seq, at = f.at, tasks = f.tasks \
    FROM unnest($24::uuid[], $25::int8[], $26::int8[], $27::int8[]) f (user_id, seq, at, tasks) \
    WHERE feeds.user_id = f.user_id";

/// Comes after appending: events of this very group lose their contents too. $1, $2 tasks that go,
/// $3 to $5 tasks whose events do, up to a seq, their dead letters, notifications and mails; $6, $7
/// tasks that lose their place in a series.
pub(super) const PURGE: &str = "\
WITH t AS (DELETE FROM tasks USING unnest($1::uuid[], $2::uuid[]) j (user_id, id) \
    WHERE tasks.user_id = j.user_id AND tasks.id = j.id), \
d AS (DELETE FROM dead_letters d USING unnest($3::uuid[], $4::uuid[]) j (user_id, task_id) \
    WHERE d.user_id = j.user_id AND d.task_id = j.task_id), \
o AS (DELETE FROM occurrences o USING unnest($6::uuid[], $7::uuid[]) j (user_id, task_id) \
    WHERE o.user_id = j.user_id AND o.task_id = j.task_id), \
n AS (DELETE FROM notifications n USING unnest($3::uuid[], $4::uuid[]) j (user_id, task_id) \
    WHERE n.user_id = j.user_id AND n.task_id = j.task_id), \
m AS (DELETE FROM mails m USING unnest($3::uuid[], $4::uuid[]) j (user_id, task_id) \
    WHERE m.user_id = j.user_id AND m.task_id = j.task_id) \
UPDATE events e SET version = 0, json = (e.json::jsonb || jsonb_build_object('task_data', NULL, \
    'data', jsonb_build_object('task_id', e.task_id, 'user_id', e.user_id)))::text \
    FROM unnest($3::uuid[], $4::uuid[], $5::int8[]) j (user_id, task_id, seq) \
    WHERE e.user_id = j.user_id AND e.task_id = j.task_id \
    AND (e.seq <= j.seq OR e.seq IS NULL)";

/// Writes a plan.
pub(super) async fn store(connection: &mut PgConnection, set: &WriteSet) -> Result<()> {
    if set.is_empty() {
        return Ok(());
    }
    if !set.events.is_empty() {
        log(connection, &set.events).await?;
    }
    rest(connection, set).await?;
    series::store(connection, set).await?;
    if set.purged.is_empty() {
        return Ok(());
    }
    // What the group made anew was written over the old row.
    let anew: HashSet<_> = set.tasks.iter().map(|(user, t, _)| (*user, t.id)).collect();
    let gone = set.purged.iter().map(|(user, task, _)| (*user, *task));
    let gone = gone.filter(|key| !anew.contains(key));
    let (gone_users, gone): (Vec<_>, Vec<_>) = gone.map(|(user, task)| (user.0, task.0)).unzip();
    let (purged, displaced) = (&set.purged, set.displaced());
    sqlx::query(PURGE)
        .bind(gone_users)
        .bind(gone)
        .bind(list(purged, |(user, ..)| user.0))
        .bind(list(purged, |(_, task, _)| task.0))
        .bind(list(purged, |(.., seq)| *seq))
        .bind(list(&displaced, |(user, _)| user.0))
        .bind(list(&displaced, |(_, task)| task.0))
        .execute(connection)
        .await
        .map_err(db)?;
    Ok(())
}

/// Appends an event that stands in no feed, with its outbox rows.
pub(super) async fn append(connection: &mut PgConnection, event: &LooseEvent) -> Result<()> {
    log(connection, &[EventRow::loose(event)?]).await
}

/// Appends events to the log and to the outbox.
pub(super) async fn log(connection: &mut PgConnection, events: &[EventRow]) -> Result<()> {
    let mut outbox = Vec::with_capacity(events.len() * 2);
    for event in events {
        let partition = event.user_id.map_or(Uuid::nil(), |user| user.0);
        for topic in event.topics() {
            outbox.push((event.event_id.0, topic.as_str(), partition));
        }
    }
    sqlx::query(LOG)
        .bind(list(events, |e| e.event_id.0))
        .bind(list(events, |e| e.event_type.as_str()))
        .bind(list(events, |e| e.user_id.map(|user| user.0)))
        .bind(list(events, |e| e.seq))
        .bind(list(events, |e| e.task_id.map(|task| task.0)))
        .bind(list(events, |e| e.version))
        .bind(list(events, |e| e.at.0))
        .bind(list(events, |e| e.json.as_str()))
        .bind(list(&outbox, |o| o.0))
        .bind(list(&outbox, |o| o.1))
        .bind(list(&outbox, |o| o.2))
        .execute(connection)
        .await
        .map_err(db)?;
    Ok(())
}

/// Writes tasks, answers and feeds.
async fn rest(connection: &mut PgConnection, set: &WriteSet) -> Result<()> {
    let tasks = set.tasks.iter();
    let tasks = tasks.map(|(user, task, raw)| TaskRow::new(*user, task, raw));
    let tasks = tasks.collect::<Result<Vec<_>>>()?;
    let (seen, feeds) = (&set.seen, &set.feeds);
    sqlx::query(REST)
        .bind(list(&tasks, |t| t.user.0))
        .bind(list(&tasks, |t| t.id.0))
        .bind(list(&tasks, |t| t.task.position.as_str()))
        .bind(list(&tasks, |t| t.title_key.as_str()))
        .bind(list(&tasks, |t| t.search.as_str()))
        .bind(list(&tasks, |t| t.task.priority as i64))
        .bind(list(&tasks, |t| t.tags.as_deref()))
        .bind(list(&tasks, |t| t.task.due_date.map(|day| day.to_string())))
        .bind(list(&tasks, |t| t.task.due_at(&TzDatabase).map(|at| at.0)))
        .bind(list(&tasks, |t| t.due_zone()))
        .bind(list(&tasks, |t| t.completed_at()))
        .bind(list(&tasks, |t| t.task.deleted_at.map(|at| at.0)))
        .bind(list(&tasks, |t| t.task.created_at.0))
        .bind(list(&tasks, |t| t.task.updated_at.0))
        .bind(list(&tasks, |t| t.json))
        .bind(list(&tasks, |t| t.task.remind_at.map(|at| at.0)))
        .bind(list(seen, |s| s.user_id.0))
        .bind(list(seen, |s| s.mutation_id.0))
        .bind(list(seen, |s| s.fingerprint.as_slice()))
        .bind(list(seen, |s| s.seq))
        .bind(list(seen, |s| s.task_id.0))
        .bind(list(seen, |s| s.version))
        .bind(list(seen, |s| s.at.0))
        .bind(list(feeds, |(user, _)| user.0))
        .bind(list(feeds, |(_, feed)| feed.seq))
        .bind(list(feeds, |(_, feed)| feed.at.0))
        .bind(list(feeds, |(_, feed)| feed.tasks))
        .execute(connection)
        .await
        .map_err(db)?;
    Ok(())
}

/// A column of rows.
pub(super) fn list<'a, R, V>(rows: &'a [R], value: impl Fn(&'a R) -> V) -> Vec<V> {
    rows.iter().map(value).collect()
}

/// A row of `tasks`.
struct TaskRow<'a> {
    user: UserId,
    id: TaskId,
    task: &'a Task,
    json: &'a str,
    title_key: String,
    search: String,
    tags: Option<String>,
}

impl<'a> TaskRow<'a> {
    fn new(user: UserId, task: &'a Task, json: &'a RawValue) -> Result<Self> {
        let (title_key, search) = listing::keys(task);
        let tags = (!task.tags.is_empty()).then(|| serde_json::to_string(&task.tags));
        Ok(Self {
            user,
            id: task.id,
            task,
            json: json.get(),
            title_key,
            search,
            tags: tags.transpose().map_err(Error::internal)?,
        })
    }

    fn due_zone(&self) -> Option<&'a str> {
        self.task.due_time.map(|_| self.task.time_zone.as_str())
    }

    fn completed_at(&self) -> Option<i64> {
        let at = self.task.completed_at.filter(|_| self.task.completed);
        at.map(|at| at.0)
    }
}
