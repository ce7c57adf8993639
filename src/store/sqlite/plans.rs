//! How SQLite means to carry our statements out: by an index, whatever else the database holds, so
//! that what is done often costs the same with 100 and with 100,000 completed tasks.

use sqlx::{AssertSqlSafe, Connection, Row, SqliteConnection};
use tidings_domain::{
    id::UserId,
    time::{Timestamp, TzDatabase},
    view::{Here, View},
};
use uuid::Uuid;

use super::{
    MIGRATIONS, accounts, audit, feeds, list, load, mails, notices, outbox, pushes, queue,
    reminders, replay, retention, series, single, statistics, tasks, trail, write,
};
use crate::store::{Sort, SortKey, TaskQuery};

async fn database() -> SqliteConnection {
    let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
    MIGRATIONS
        .run_direct(None, &mut connection, false)
        .await
        .unwrap();
    connection
}

/// The steps of each statement of a text.
async fn steps(connection: &mut SqliteConnection, sql: &str) -> Vec<String> {
    let mut steps = Vec::new();
    for statement in sql.split(';') {
        let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
        let rows = sqlx::query(explain).fetch_all(&mut *connection).await;
        steps.extend(
            rows.unwrap()
                .iter()
                .map(|row| row.get::<String, _>("detail")),
        );
    }
    steps
}

/// Steps that walk a whole table of ours.
fn scans(steps: &[String]) -> Vec<&String> {
    let bound = [
        "SCAN j",
        "SCAN jsonb_each",
        "SCAN head",
        "SCAN CONSTANT",
        "SCAN (subquery",
    ];
    let scan = |step: &&String| step.starts_with("SCAN");
    steps
        .iter()
        .filter(scan)
        .filter(|step| !bound.iter().any(|b| step.starts_with(b)))
        .collect()
}

#[tokio::test]
async fn walks_no_table() {
    let mut connection = database().await;
    for sql in [
        single::TASKS,
        tasks::OPEN,
        tasks::COUNTS,
        tasks::HISTORY,
        tasks::AS_OF,
        feeds::EVENTS,
        feeds::RECENT,
        load::FEEDS,
        load::SEEN,
        load::TASKS,
        load::VERSIONS,
        series::STANDINGS,
        series::RECEIPTS,
        series::WRITE,
        write::LOG,
        write::TASKS,
        write::PURGE,
        outbox::SETTLE,
        audit::RECORD,
        trail::ALL,
        trail::TASKS,
        trail::SECURITY,
        trail::ACCOUNT,
        mails::DUE,
        queue::MAILS.claim,
        queue::MAILS.settle,
        queue::PUSHES.claim,
        queue::PUSHES.settle,
        pushes::DUE,
        pushes::SESSION,
        pushes::SUBSCRIBE,
        pushes::FORGET,
        mails::PERSON,
        mails::NOTE,
        notices::RECIPIENTS,
        notices::DAYS,
        notices::INBOX,
        notices::DONE,
        notices::TELL,
        notices::MAIL,
        notices::MAILED,
        notices::PUSH,
        notices::ALLOW,
        notices::LIST,
        notices::UNREAD,
        reminders::DUE,
        reminders::REMINDED,
        reminders::TOLD,
        retention::EXPIRED,
        statistics::TALLY,
        statistics::CREATED,
        statistics::COMPLETED,
        statistics::MEDIAN,
        statistics::TAGS,
        statistics::EVER,
        replay::LOG,
        replay::TRAIL,
        replay::NOTE,
        replay::COUNTED,
        replay::STRAY,
        accounts::SWEEP,
    ] {
        let steps = steps(&mut connection, sql).await;
        assert_eq!(scans(&steps), Vec::<&String>::new(), "{sql}\n{steps:#?}");
    }
    // The outbox is short, or else it is walked once, for one person.
    let steps_of = steps(&mut connection, accounts::FORGET).await;
    assert_eq!(scans(&steps_of), ["SCAN outbox"], "{steps_of:#?}");
    // The outbox is walked from its oldest row, and no further than asked for.
    for sql in [outbox::WAITS, outbox::LEASE, outbox::CLAIMED] {
        let steps = steps(&mut connection, sql).await;
        assert!(scans(&steps).len() <= 1, "{sql}\n{steps:#?}");
        let sorted = steps.iter().any(|step| step.contains("FOR ORDER BY"));
        assert!(!sorted, "{sql}\n{steps:#?}");
    }
}

#[tokio::test]
async fn finds_what_is_old_by_an_index() {
    let mut connection = database().await;
    for (sql, index) in [
        (retention::EXPIRED, "tasks_expired"),
        (retention::SESSIONS, "sessions_expired"),
        (retention::INBOX, "inbox_at"),
        (retention::REFUSED, "pushes_aside"),
    ] {
        let steps = steps(&mut connection, sql).await;
        assert!(
            steps.iter().any(|step| step.contains(index)),
            "{sql}\n{steps:#?}"
        );
    }
}

#[tokio::test]
async fn goes_by_the_index_of_a_view() {
    let mut connection = database().await;
    let here = Here::at("Europe/Berlin", Timestamp(0), &TzDatabase);
    let user = UserId(Uuid::nil());
    let position = Sort::default();
    let newest = |key| Sort {
        key,
        descending: true,
    };
    for (view, sort, index) in [
        (View::All, position, "tasks_done"),
        (View::Inbox, position, "tasks_open"),
        (View::Tag("home".into()), position, "tasks_open"),
        (
            View::Completed,
            newest(SortKey::CompletedAt),
            "tasks_completed",
        ),
        (View::Trash, newest(SortKey::DeletedAt), "tasks_trash"),
    ] {
        let mut query = TaskQuery {
            view,
            sort,
            limit: 50,
            ..TaskQuery::default()
        };
        for after in [
            None,
            Some(serde_json::json!(5)),
            Some(serde_json::json!("a5")),
        ] {
            query.after = after.map(|value| crate::store::Cursor {
                sort,
                value,
                id: tidings_domain::id::TaskId(Uuid::nil()),
            });
            let sql = list::listing(user, &query, &here);
            let sql = sql.sql().as_str().to_owned();
            let steps = steps(&mut connection, &sql).await;
            assert!(
                steps.iter().any(|step| step.contains(index)),
                "{sql}\n{steps:#?}"
            );
            let sorted = steps.iter().any(|step| step.contains("TEMP B-TREE"));
            assert!(!sorted && scans(&steps).is_empty(), "{sql}\n{steps:#?}");
        }
    }
}

#[tokio::test]
async fn finds_words_by_their_index_alone() {
    let mut connection = database().await;
    let here = Here::at("Europe/Berlin", Timestamp(0), &TzDatabase);
    for view in [View::All, View::Inbox, View::Completed, View::Trash] {
        let query = TaskQuery {
            view,
            q: Some("milk tea".into()),
            limit: 50,
            ..TaskQuery::default()
        };
        let sql = list::listing(UserId(Uuid::nil()), &query, &here);
        let sql = sql.sql().as_str().to_owned();
        let steps = steps(&mut connection, &sql).await;
        let [words] = scans(&steps)[..] else {
            panic!("{sql}\n{steps:#?}");
        };
        assert!(words.starts_with("SCAN w VIRTUAL TABLE"), "{words}");
        let by_row = "SEARCH t USING INTEGER PRIMARY KEY (rowid=?)";
        assert!(steps.iter().any(|step| step == by_row), "{steps:#?}");
    }
}
