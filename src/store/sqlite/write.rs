//! Writes what was planned, in a constant number of statements: lists are bound as JSON.

use std::collections::HashSet;

use chrono::NaiveDate;
use serde::Serialize;
use sqlx::SqliteConnection;
use tidings_domain::{
    id::{TaskId, UserId},
    task::Task,
    time::TzDatabase,
};

use super::{db, series, to_json};
use crate::{
    error::Result,
    store::{
        LooseEvent, listing,
        plan::{EventRow, WriteSet},
    },
};

/// Appends to the log, the outbox and what was answered, and moves feeds on; events cut their texts from
/// the [`Texts`] that come first. Statements that share one call take their parameters in turn: numbers
/// would be counted anew.
pub(super) const LOG: &str = "\
INSERT INTO events (json, n, event_id, event_type, user_id, seq, task_id, version, at) \
    SELECT CAST(substr(?, value->>8, value->>9) AS TEXT), value->>0, value->>1, value->>2, \
    value->>3, value->>4, value->>5, value->>6, value->>7 FROM jsonb_each(?) WHERE true; \
INSERT INTO outbox (topic, partition, event) \
    SELECT value->>0, value->>1, value->>2 FROM jsonb_each(?) WHERE true; \
INSERT INTO mutations (user_id, mutation_id, fingerprint, seq, task_id, version, at, quiet) \
    SELECT value->>0, value->>1, unhex(value->>2), value->>3, value->>4, value->>5, value->>6, \
    value->>7 FROM jsonb_each(?) WHERE true; \
UPDATE feeds SET seq = j.value->>1, at = j.value->>2, tasks = j.value->>3 \
    FROM jsonb_each(?) j WHERE feeds.user_id = j.value->>0";

/// ?1 rows, ?2 [`Texts`].
pub(super) const TASKS: &str = "\
INSERT INTO tasks (user_id, id, position, priority, tags, due_date, due_at, due_zone, \
    completed_at, deleted_at, created_at, updated_at, title_key, search, task, remind_at) \
    SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, \
    value->>7, value->>8, value->>9, value->>10, value->>11, \
    CAST(substr(?2, value->>12, value->>13) AS TEXT), \
    CAST(substr(?2, value->>14, value->>15) AS TEXT), \
    CAST(substr(?2, value->>16, value->>17) AS TEXT), value->>18 \
    FROM jsonb_each(?1) WHERE true \
    ON CONFLICT (id, user_id) DO UPDATE SET position = excluded.position, \
    priority = excluded.priority, tags = excluded.tags, due_date = excluded.due_date, \
    due_at = excluded.due_at, due_zone = excluded.due_zone, \
    completed_at = excluded.completed_at, deleted_at = excluded.deleted_at, \
    created_at = excluded.created_at, updated_at = excluded.updated_at, \
    title_key = excluded.title_key, search = excluded.search, task = excluded.task, \
    reminded = reminded AND remind_at IS excluded.remind_at, remind_at = excluded.remind_at";

/// Comes after appending: events of this very group lose their contents too.
pub(super) const PURGE: &str = "\
DELETE FROM tasks WHERE rowid IN (SELECT t.rowid FROM jsonb_each(?) j CROSS JOIN tasks t \
    ON t.user_id = j.value->>0 AND t.id = j.value->>1); \
DELETE FROM dead_letters WHERE id IN (SELECT d.id FROM jsonb_each(?) j CROSS JOIN dead_letters d \
    ON d.user_id = j.value->>0 AND d.task_id = j.value->>1); \
DELETE FROM occurrences WHERE (user_id, task_id) IN \
    (SELECT value->>0, value->>1 FROM jsonb_each(?)); \
DELETE FROM notifications WHERE rowid IN (SELECT t.rowid FROM jsonb_each(?) j \
    CROSS JOIN notifications t ON t.user_id = j.value->>0 AND t.task_id = j.value->>1); \
DELETE FROM mails WHERE rowid IN (SELECT m.rowid FROM jsonb_each(?) j CROSS JOIN mails m \
    ON m.user_id = j.value->>0 AND m.task_id = j.value->>1); \
UPDATE events SET version = 0, json = json_set(json, '$.task_data', NULL, \
    '$.data', json_object('task_id', task_id, 'user_id', user_id)) \
    WHERE n IN (SELECT e.n FROM jsonb_each(?) j CROSS JOIN events e ON e.user_id = j.value->>0 \
    AND e.task_id = j.value->>1 AND (e.seq <= j.value->>2 OR e.seq IS NULL))";

/// Writes a plan; `last` is the log's last row.
pub(super) async fn store(
    connection: &mut SqliteConnection,
    set: &WriteSet,
    last: i64,
) -> Result<()> {
    if set.is_empty() {
        return Ok(());
    }
    let seen: Vec<_> = set
        .seen
        .iter()
        .map(|s| {
            let print = hex(&s.fingerprint);
            let (seq, at, quiet) = (s.seq, s.at.0, u8::from(s.quiet));
            (
                s.user_id,
                s.mutation_id,
                print,
                seq,
                s.task_id,
                s.version,
                at,
                quiet,
            )
        })
        .collect();
    let feeds: Vec<_> = set
        .feeds
        .iter()
        .map(|(user, feed)| (user, feed.seq, feed.at.0, feed.tasks))
        .collect();
    log(
        connection,
        &set.events,
        last,
        (&to_json(&seen)?, &to_json(&feeds)?),
    )
    .await?;
    if !set.tasks.is_empty() {
        let mut texts = Texts::default();
        let rows = set.tasks.iter();
        let rows = rows.map(|(user, task, raw)| TaskRow::new(*user, task, raw.get(), &mut texts));
        let rows = rows.collect::<Result<Vec<_>>>()?;
        sqlx::query(TASKS)
            .bind(to_json(&rows)?)
            .bind(texts.0)
            .execute(&mut *connection)
            .await
            .map_err(db)?;
    }
    series::store(connection, set).await?;
    if set.purged.is_empty() {
        return Ok(());
    }
    // What the group made anew was written over the old row.
    let anew: HashSet<_> = set.tasks.iter().map(|(user, t, _)| (*user, t.id)).collect();
    let gone: Vec<_> = set
        .purged
        .iter()
        .map(|(user, task, _)| (*user, *task))
        .filter(|key| !anew.contains(key))
        .collect();
    sqlx::query(PURGE)
        .bind(to_json(&gone)?)
        .bind(to_json(&set.purged)?)
        .bind(to_json(&set.displaced())?)
        .bind(to_json(&set.purged)?)
        .bind(to_json(&set.purged)?)
        .bind(to_json(&set.purged)?)
        .execute(connection)
        .await
        .map_err(db)?;
    Ok(())
}

/// Appends an event that stands in no feed, with its outbox rows.
pub(super) async fn append(connection: &mut SqliteConnection, event: &LooseEvent) -> Result<()> {
    append_all(connection, &[EventRow::loose(event)?]).await
}

/// Appends events that stand in no feed, with their outbox rows.
pub(super) async fn append_all(
    connection: &mut SqliteConnection,
    events: &[EventRow],
) -> Result<()> {
    let last: Option<i64> = sqlx::query_scalar("SELECT max(n) FROM events")
        .fetch_one(&mut *connection)
        .await
        .map_err(db)?;
    log(connection, events, last.unwrap_or(0), ("[]", "[]")).await
}

/// Appends events to the log, after its last row, with their rows of the outbox; what was answered and
/// where feeds are comes as JSON.
async fn log(
    connection: &mut SqliteConnection,
    events: &[EventRow],
    last: i64,
    (seen, feeds): (&str, &str),
) -> Result<()> {
    let mut rows = Vec::with_capacity(events.len());
    let mut outbox = Vec::with_capacity(events.len() * 2);
    let mut texts = Texts::default();
    for (n, event) in (last + 1..).zip(events) {
        let (start, length) = texts.add(&event.json);
        rows.push((
            n,
            event.event_id,
            event.event_type.as_str(),
            event.user_id,
            event.seq,
            event.task_id,
            event.version,
            event.at.0,
            start,
            length,
        ));
        for topic in event.topics() {
            outbox.push((topic.as_str(), partition(event.user_id), n));
        }
    }
    let log = sqlx::query(LOG).bind(texts.0).bind(to_json(&rows)?);
    let log = log.bind(to_json(&outbox)?).bind(seen).bind(feeds);
    log.execute(connection).await.map(drop).map_err(db)
}

/// Long texts, end to end, from which rows are cut by bytes: in JSON they would be escaped, parsed and
/// copied several times over.
#[derive(Default)]
struct Texts(Vec<u8>);

impl Texts {
    /// Where the text begins, counted from 1, and its length.
    fn add(&mut self, text: &str) -> (usize, usize) {
        let start = self.0.len() + 1;
        self.0.extend_from_slice(text.as_bytes());
        (start, text.len())
    }
}

/// The outbox's name for a person, or for nobody known.
fn partition(user: Option<UserId>) -> String {
    user.map(|u| u.to_string()).unwrap_or_default()
}

/// A row of `tasks`, in the order of [`TASKS`].
#[derive(Serialize)]
struct TaskRow<'a>(
    UserId,
    TaskId,
    &'a str,
    usize,
    Option<String>,
    Option<NaiveDate>,
    Option<i64>,
    Option<&'a str>,
    Option<i64>,
    Option<i64>,
    i64,
    i64,
    usize,
    usize,
    usize,
    usize,
    usize,
    usize,
    Option<i64>,
);

impl<'a> TaskRow<'a> {
    fn new(user: UserId, task: &'a Task, json: &str, texts: &mut Texts) -> Result<Self> {
        let tags = (!task.tags.is_empty())
            .then(|| to_json(&task.tags))
            .transpose()?;
        let (title_key, search) = listing::keys(task);
        let title = texts.add(&title_key);
        let words = texts.add(&search);
        let whole = texts.add(json);
        Ok(Self(
            user,
            task.id,
            &task.position,
            task.priority as usize,
            tags,
            task.due_date,
            task.due_at(&TzDatabase).map(|at| at.0),
            task.due_time.map(|_| task.time_zone.as_str()),
            task.completed_at.filter(|_| task.completed).map(|at| at.0),
            task.deleted_at.map(|at| at.0),
            task.created_at.0,
            task.updated_at.0,
            title.0,
            title.1,
            words.0,
            words.1,
            whole.0,
            whole.1,
            task.remind_at.map(|at| at.0),
        ))
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes
        .iter()
        .fold(String::with_capacity(64), |mut text, byte| {
            // Writing to a string does not fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}
