//! Lists: a filter and an order, turned into one statement. Only text of this file gets into SQL;
//! what people ask for is bound.

use chrono::NaiveDate;
use serde_json::{Value, json};
use sqlx::{Executor, PgPool, Postgres, QueryBuilder, Row, TypeInfo, ValueRef, postgres::PgRow};
use tidings_domain::{
    id::UserId,
    task::Task,
    view::{Here, View},
};
use uuid::Uuid;

use super::{db, from_json};
use crate::{
    error::Result,
    store::{
        Cursor, Sort, SortKey, TaskJson, TaskPage, TaskQuery,
        listing::{column, day_text, end_of, nullable, search_tokens, start_of},
    },
};

type Sql = QueryBuilder<Postgres>;

/// A page of a list, and the feed's head, in one statement.
pub(super) async fn page(
    pool: &PgPool,
    epoch: Uuid,
    user: UserId,
    query: &TaskQuery,
    here: &Here<'_>,
) -> Result<TaskPage> {
    let mut sql = listing(user, query, here);
    let (seq, mut rows) = fetch(pool, &mut sql).await?;
    let more = rows.len() > query.limit;
    rows.truncate(query.limit);
    let items = texts(&rows).map(|text| text.map(TaskJson::kept));
    let items = items.collect::<Result<Vec<_>>>()?;
    let next = match (rows.last(), items.last()) {
        (Some(row), Some(last)) if more => Some(Cursor {
            sort: query.sort,
            value: value(row)?,
            id: last.read()?.id,
        }),
        _ => None,
    };
    Ok(TaskPage {
        items,
        next,
        epoch,
        seq,
    })
}

/// The statement of a list: one task more than asked for, to see whether there are more.
pub(super) fn listing(user: UserId, query: &TaskQuery, here: &Here<'_>) -> Sql {
    let (words, limit) = (words(user, query), query.limit + 1);
    let words = words.as_deref();
    select(user, &query.view, words, query.sort, limit, here, |sql| {
        filter(sql, query, here);
        if let Some(cursor) = &query.after {
            after(sql, query.sort, cursor);
        }
    })
}

/// The first tasks of a view, about in its order, and the feed's head.
pub(super) async fn view<'c>(
    connection: impl Executor<'c, Database = Postgres>,
    user: UserId,
    view: &View,
    limit: usize,
    here: &Here<'_>,
) -> Result<(i64, Vec<Task>)> {
    let (key, descending) = match view {
        View::All | View::Inbox | View::Tag(_) => (SortKey::Position, false),
        View::Today | View::Upcoming => (SortKey::DueDate, false),
        View::Completed => (SortKey::CompletedAt, true),
        View::Trash => (SortKey::DeletedAt, true),
    };
    let sort = Sort { key, descending };
    let mut sql = select(user, view, None, sort, limit, here, |_| {});
    let (seq, rows) = fetch(connection, &mut sql).await?;
    let tasks = texts(&rows).map(|text| from_json(text?));
    Ok((seq, tasks.collect::<Result<_>>()?))
}

/// The feed's head, and the rows of a list.
async fn fetch<'c>(
    connection: impl Executor<'c, Database = Postgres>,
    sql: &mut Sql,
) -> Result<(i64, Vec<PgRow>)> {
    let mut rows = sql.build().fetch_all(connection).await.map_err(db)?;
    let Some(first) = rows.first() else {
        return Ok((0, rows));
    };
    let seq = first.try_get(2).map_err(db)?;
    // The head stands beside each task, or beside nothing.
    if first.try_get_raw(0).map_err(db)?.is_null() {
        rows.clear();
    }
    Ok((seq, rows))
}

/// The task of each row, as JSON.
fn texts(rows: &[PgRow]) -> impl Iterator<Item = Result<&str>> {
    rows.iter().map(|row| row.try_get(0).map_err(db))
}

/// A row's sort value, as cursors hold it.
fn value(row: &PgRow) -> Result<Value> {
    let raw = row.try_get_raw(1).map_err(db)?;
    if raw.is_null() {
        Ok(Value::Null)
    } else if raw.type_info().name() == "INT8" {
        Ok(json!(row.try_get::<i64, _>(1).map_err(db)?))
    } else {
        Ok(json!(row.try_get::<&str, _>(1).map_err(db)?))
    }
}

const OPEN: &str = "completed_at IS NULL AND deleted_at IS NULL";
const DONE: &str = "completed_at IS NOT NULL AND deleted_at IS NULL";
const TRASH: &str = "deleted_at IS NOT NULL";
/// Of both kinds.
const KEPT: &str = "deleted_at IS NULL";

/// Kinds of tasks that a view holds, each with an index that holds no others: whatever the planner
/// takes, it walks nothing that is completed to find what is open.
fn sources(view: &View) -> &'static [&'static str] {
    match view {
        View::All => &[OPEN, DONE],
        View::Completed => &[DONE],
        View::Trash => &[TRASH],
        View::Inbox | View::Today | View::Upcoming | View::Tag(_) => &[OPEN],
    }
}

/// What is asked of the index of words: that each begins one. Nothing, where there are no words.
fn words(user: UserId, query: &TaskQuery) -> Option<String> {
    let tokens = search_tokens(user, query.q.as_deref()?);
    let begin = |token: &String| format!("'{token}':*");
    let words: Vec<_> = tokens.iter().map(begin).collect();
    (!words.is_empty()).then(|| words.join(" & "))
}

/// So many of a person's tasks in a view, with some words, under further conditions, beside the feed's
/// head.
fn select(
    user: UserId,
    view: &View,
    words: Option<&str>,
    sort: Sort,
    limit: usize,
    here: &Here<'_>,
    further: impl Fn(&mut Sql),
) -> Sql {
    let mut sql = QueryBuilder::new(
        "SELECT t.task, t.key, h.seq FROM \
         (SELECT coalesce((SELECT seq FROM feeds WHERE user_id = ",
    );
    sql.push_bind(user.0);
    sql.push("), 0) AS seq) h LEFT JOIN (");
    let tomorrow = here.today.succ_opt();
    let sources = match (words, view) {
        // So that what is found is looked at once.
        (Some(_), View::All) => &[KEPT],
        _ => sources(view),
    };
    for (at, source) in sources.iter().enumerate() {
        sql.push(if at == 0 { "(" } else { " UNION ALL (" });
        sql.push("SELECT task, id, ").push(column(sort.key));
        sql.push(" AS key FROM ");
        match words {
            Some(words) => found(&mut sql, user, words),
            None => drop(sql.push("tasks")),
        }
        sql.push(" WHERE user_id = ").push_bind(user.0);
        sql.push(" AND ").push(*source);
        match view {
            View::Today => due(&mut sql, "<", tomorrow, end_of(here.today, here), here),
            View::Upcoming => due(&mut sql, ">=", tomorrow, end_of(here.today, here), here),
            View::Tag(tag) => tagged(&mut sql, tag),
            _ => {}
        }
        further(&mut sql);
        // Of each no more than asked for, by its index; few are left to sort.
        order(&mut sql, "", sort, limit);
        sql.push(")");
    }
    sql.push(") t ON true");
    order(&mut sql, "t.", sort, limit);
    sql
}

/// The person's tasks that have the words. OFFSET keeps what else is asked for out of it: the order of
/// a list must not lead the planner to walk all tasks in that order and look for words in each.
fn found(sql: &mut Sql, user: UserId, words: &str) {
    sql.push("(SELECT * FROM tasks WHERE user_id = ")
        .push_bind(user.0);
    sql.push(" AND task_words(user_id, search) @@ ")
        .push_bind(words.to_owned());
    sql.push("::tsquery OFFSET 0) tasks");
}

/// Due before, or from, the beginning of a day: all-day tasks and those of the person's own zone by
/// their date, others by their instant.
fn due(sql: &mut Sql, than: &'static str, day: Option<NaiveDate>, start: i64, here: &Here<'_>) {
    sql.push(" AND CASE WHEN due_zone IS NULL OR due_zone = ");
    sql.push_bind(here.zone.to_owned());
    sql.push(" THEN due_date ").push(than);
    sql.push_bind(day_text(day));
    sql.push(" ELSE due_at ")
        .push(than)
        .push_bind(start)
        .push(" END");
}

fn tagged(sql: &mut Sql, tag: &str) {
    sql.push(" AND tags ? ").push_bind(tag.to_owned());
}

fn filter(sql: &mut Sql, query: &TaskQuery, here: &Here<'_>) {
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
fn order(sql: &mut Sql, of: &'static str, sort: Sort, limit: usize) {
    sql.push(" ORDER BY ").push(of).push("key");
    sql.push(if sort.descending {
        " DESC NULLS LAST, "
    } else {
        " ASC NULLS LAST, "
    });
    sql.push(of).push("id LIMIT ").push_bind(limit as i64);
}

/// What comes after a place.
fn after(sql: &mut Sql, sort: Sort, cursor: &Cursor) {
    let column = column(sort.key);
    let text = matches!(sort.key, SortKey::Position | SortKey::Title);
    let number = cursor.value.as_i64().filter(|_| !text);
    let text = cursor.value.as_str().filter(|_| text);
    if number.is_none() && text.is_none() {
        sql.push(" AND ").push(column).push(" IS NULL AND id > ");
        sql.push_bind(cursor.id.0);
        return;
    }
    let bind = |sql: &mut Sql| {
        match text {
            Some(text) => sql.push_bind(text.to_owned()),
            None => sql.push_bind(number),
        };
    };
    let than = if sort.descending { " < " } else { " > " };
    sql.push(" AND (").push(column).push(than);
    bind(sql);
    sql.push(" OR ").push(column).push(" = ");
    bind(sql);
    sql.push(" AND id > ").push_bind(cursor.id.0);
    if nullable(sort.key) {
        sql.push(" OR ").push(column).push(" IS NULL");
    }
    sql.push(")");
    if !nullable(sort.key) {
        // The same, so that an index can jump to the place.
        sql.push(" AND ").push(column);
        sql.push(if sort.descending { " <= " } else { " >= " });
        bind(sql);
    }
}
