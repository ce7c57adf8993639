//! Lists: a filter and an order, turned into one statement. Only text of this file gets into SQL;
//! what people ask for is bound.

use chrono::NaiveDate;
use serde_json::Value;
use sqlx::{Either, QueryBuilder, Row, Sqlite, SqliteConnection, sqlite::SqliteRow};
use tidings_domain::{
    id::{TaskId, UserId},
    task::Task,
    view::{Here, View},
};
use uuid::Uuid;

use super::{db, from_json, id, readers::Readers};
use crate::{
    error::{Error, Result},
    store::{
        Cursor, Sort, TaskJson, TaskPage, TaskQuery,
        listing::{column, day_text, end_of, nullable, search_tokens, start_of},
    },
};

/// A page of a list, and the feed's head, in one statement.
pub(super) async fn page(
    readers: &Readers,
    epoch: Uuid,
    user: UserId,
    query: &TaskQuery,
    here: &Here<'_>,
) -> Result<TaskPage> {
    let mut sql = listing(user, query, here);
    let row = sql.build().fetch_one(readers).await.map_err(db)?;
    let (seq, mut rows) = read(&row)?;
    let more = rows.len() > query.limit;
    rows.truncate(query.limit);
    let next = rows.last().filter(|_| more);
    let next = next.map(|row| row.cursor(query.sort)).transpose()?;
    Ok(TaskPage {
        items: rows.iter().map(|row| TaskJson::kept(row.task)).collect(),
        next,
        epoch,
        seq,
    })
}

/// The statement of a list: the head, and one task more than asked for, to see whether there are
/// more.
pub(super) fn listing(user: UserId, query: &TaskQuery, here: &Here<'_>) -> QueryBuilder<Sqlite> {
    let mut sql = head(user);
    let words = words(user, query);
    let found = [found(&query.view)];
    let sources = match &words {
        Some(_) => &found,
        None => sources(&query.view),
    };
    for (at, source) in sources.iter().enumerate() {
        sql.push(if at == 0 {
            "SELECT task, "
        } else {
            " UNION ALL SELECT task, "
        });
        sql.push(column(query.sort.key)).push(" AS key, id");
        from(&mut sql, source, user, &query.view, here);
        if let Some(words) = &words {
            sql.push(" AND task_words MATCH ").push_bind(words.clone());
        }
        filter(&mut sql, query, here);
        if let Some(cursor) = &query.after {
            after(&mut sql, query.sort, cursor);
        }
    }
    order(&mut sql, query.sort);
    sql.push(" LIMIT +")
        .push_bind(query.limit as i64 + 1)
        .push(")");
    sql
}

/// The first tasks of a view, about in its order, and the feed's head.
pub(super) async fn view(
    connection: &mut SqliteConnection,
    user: UserId,
    view: &View,
    limit: usize,
    here: &Here<'_>,
) -> Result<(i64, Vec<Task>)> {
    let mut sql = head(user);
    for (at, source) in sources(view).iter().enumerate() {
        sql.push(if at == 0 {
            "SELECT task, "
        } else {
            " UNION ALL SELECT task, "
        });
        sql.push(match view {
            View::All | View::Inbox | View::Tag(_) => "position",
            View::Today | View::Upcoming => "due_at",
            View::Completed => "-completed_at",
            View::Trash => "-deleted_at",
        });
        sql.push(" AS key, id");
        from(&mut sql, source, user, view, here);
    }
    sql.push(" ORDER BY key, id LIMIT +")
        .push_bind(limit as i64)
        .push(")");
    let row = sql.build().fetch_one(connection).await.map_err(db)?;
    let (seq, rows) = read(&row)?;
    let tasks = rows.iter().map(|row| from_json(row.task));
    Ok((seq, tasks.collect::<Result<_>>()?))
}

/// The feed's head and, open to the rows of a list, all of them as one text: each row that SQLite
/// hands over costs a change of thread. A line a row, its parts between tabs, of which JSON has
/// neither.
fn head(user: UserId) -> QueryBuilder<Sqlite> {
    let mut sql = QueryBuilder::new("SELECT (SELECT seq FROM feeds WHERE user_id = ");
    sql.push_bind(user.to_string());
    sql.push(
        "), group_concat(json_quote(key) || char(9) || id || char(9) || task, char(10)) FROM (",
    );
    sql
}

/// A row of a list.
struct Line<'a> {
    /// The sort value, as JSON.
    key: &'a str,
    id: &'a str,
    task: &'a str,
}

impl Line<'_> {
    fn cursor(&self, sort: Sort) -> Result<Cursor> {
        Ok(Cursor {
            sort,
            value: from_json(self.key)?,
            id: TaskId(id(self.id)?),
        })
    }
}

/// The head, and the rows.
fn read(row: &SqliteRow) -> Result<(i64, Vec<Line<'_>>)> {
    let seq: Option<i64> = row.try_get(0).map_err(db)?;
    let text: Option<&str> = row.try_get(1).map_err(db)?;
    let mut rows = Vec::new();
    for line in text.unwrap_or_default().lines() {
        let mut parts = line.splitn(3, '\t');
        let (Some(key), Some(id), Some(task)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(Error::internal("a row of a list is no such row"));
        };
        rows.push(Line { key, id, task });
    }
    Ok((seq.unwrap_or(0), rows))
}

/// A kind of task: from where, and its condition. SQLite is told which index to go by: left alone, it
/// takes whichever, and may walk all that is completed to find what is open.
type Source = (&'static str, &'static str);

const OPEN: Source = (
    "tasks INDEXED BY tasks_open",
    "completed_at IS NULL AND deleted_at IS NULL",
);
const DONE: Source = (
    "tasks INDEXED BY tasks_done",
    "completed_at IS NOT NULL AND deleted_at IS NULL",
);
const COMPLETED: Source = (
    "tasks INDEXED BY tasks_completed",
    "completed_at IS NOT NULL AND deleted_at IS NULL",
);
const TRASH: Source = ("tasks INDEXED BY tasks_trash", "deleted_at IS NOT NULL");

/// What some words find, one by one.
const FOUND: &str = "task_words w CROSS JOIN tasks t ON t.rowid = w.rowid";

/// Where a view's tasks come from. What is merged is in the same order on both sides.
fn sources(view: &View) -> &'static [Source] {
    match view {
        View::All => &[OPEN, DONE],
        View::Completed => &[COMPLETED],
        View::Trash => &[TRASH],
        View::Inbox | View::Today | View::Upcoming | View::Tag(_) => &[OPEN],
    }
}

/// A view's tasks among those that are found: all in one, so that what is found is looked at once.
fn found(view: &View) -> Source {
    let condition = match view {
        View::All => "deleted_at IS NULL",
        View::Completed => DONE.1,
        View::Trash => TRASH.1,
        View::Inbox | View::Today | View::Upcoming | View::Tag(_) => OPEN.1,
    };
    (FOUND, condition)
}

/// What is asked of the index of words: that each begins one. Nothing, where there are no words.
fn words(user: UserId, query: &TaskQuery) -> Option<String> {
    let tokens = search_tokens(user, query.q.as_deref()?);
    let begin = |token: &String| format!("\"{token}\"*");
    let words: Vec<_> = tokens.iter().map(begin).collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// A person's tasks of a kind, in a view.
fn from(
    sql: &mut QueryBuilder<Sqlite>,
    (kind, condition): &Source,
    user: UserId,
    view: &View,
    here: &Here<'_>,
) {
    sql.push(" FROM ").push(*kind);
    sql.push(" WHERE user_id = ").push_bind(user.to_string());
    sql.push(" AND ").push(condition);
    let tomorrow = here.today.succ_opt();
    match view {
        View::Today => due(sql, "<", tomorrow, end_of(here.today, here), here),
        View::Upcoming => due(sql, ">=", tomorrow, end_of(here.today, here), here),
        View::Tag(tag) => tagged(sql, tag),
        _ => {}
    }
}

/// Due before, or from, the beginning of a day: all-day tasks and those of the person's own zone by
/// their date, others by their instant.
fn due(
    sql: &mut QueryBuilder<Sqlite>,
    than: &'static str,
    day: Option<NaiveDate>,
    start: i64,
    here: &Here<'_>,
) {
    sql.push(" AND CASE WHEN due_zone IS NULL OR due_zone = ");
    sql.push_bind(here.zone.to_owned());
    sql.push(" THEN due_date ").push(than);
    sql.push_bind(day_text(day));
    sql.push(" ELSE due_at ")
        .push(than)
        .push_bind(start)
        .push(" END");
}

fn tagged(sql: &mut QueryBuilder<Sqlite>, tag: &str) {
    sql.push(" AND tags IS NOT NULL AND ")
        .push_bind(tag.to_owned());
    sql.push(" IN (SELECT value FROM json_each(tags))");
}

fn filter(sql: &mut QueryBuilder<Sqlite>, query: &TaskQuery, here: &Here<'_>) {
    for tag in &query.tags {
        tagged(sql, tag);
    }
    if let Some(priority) = query.priority {
        sql.push(" AND priority = ").push_bind(priority as i64);
    }
    match query.completed {
        Some(true) => {
            sql.push(" AND completed_at IS NOT NULL");
        }
        Some(false) => {
            sql.push(" AND completed_at IS NULL");
        }
        None => {}
    }
    if let Some(day) = query.due_before {
        due(sql, "<", Some(day), start_of(day, here), here);
    }
    if let Some(day) = query.due_after {
        due(sql, ">=", day.succ_opt(), end_of(day, here), here);
    }
}

/// Nulls come last both ways, and ids rise both ways.
fn order(sql: &mut QueryBuilder<Sqlite>, sort: Sort) {
    sql.push(" ORDER BY key")
        .push(if sort.descending { " DESC" } else { " ASC" });
    // Descending, SQLite puts nulls last by itself, and an index can serve.
    sql.push(if !sort.descending && nullable(sort.key) {
        " NULLS LAST, id"
    } else {
        ", id"
    });
}

/// What comes after a place.
fn after(sql: &mut QueryBuilder<Sqlite>, sort: Sort, cursor: &Cursor) {
    let column = column(sort.key);
    let value = match &cursor.value {
        Value::String(text) => Some(Either::Left(text.clone())),
        Value::Number(number) => number.as_i64().map(Either::Right),
        _ => None,
    };
    let id = cursor.id.to_string();
    let Some(value) = value else {
        sql.push(" AND ")
            .push(column)
            .push(" IS NULL AND id > ")
            .push_bind(id);
        return;
    };
    let bind = |sql: &mut QueryBuilder<Sqlite>| {
        match &value {
            Either::Left(text) => sql.push_bind(text.clone()),
            Either::Right(number) => sql.push_bind(*number),
        };
    };
    let than = if sort.descending { " < " } else { " > " };
    sql.push(" AND (").push(column).push(than);
    bind(sql);
    sql.push(" OR ").push(column).push(" = ");
    bind(sql);
    sql.push(" AND id > ").push_bind(id);
    if nullable(sort.key) {
        sql.push(" OR ").push(column).push(" IS NULL");
    }
    sql.push(")");
    if !nullable(sort.key) {
        // The same, so that an index can jump to the place.
        sql.push(" AND ")
            .push(column)
            .push(if sort.descending { " <= " } else { " >= " });
        bind(sql);
    }
}
