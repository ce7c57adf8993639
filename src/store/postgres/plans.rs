//! How PostgreSQL can carry our statements out: by an index, so that what is done often costs the same
//! with 100 and with 100,000 completed tasks. Walks of whole tables and sorts are forbidden it, as far
//! as it lets them be; what is left of them cannot be done otherwise.

#[path = "../../../tests/it/postgres.rs"]
pub(super) mod server;

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tidings_domain::{
    id::{TaskId, UserId},
    time::{Timestamp, TzDatabase},
    view::{Here, View},
};
use uuid::Uuid;

use super::{
    accounts, aside, audit, feeds, list, load, mails, notices, outbox, pushes, queue, reminders,
    replay, retention, series, statistics, tasks, trail, write,
};
use crate::store::{Cursor, Sort, SortKey, TaskQuery};

async fn database() -> PgConnection {
    let url = server::database().await;
    let mut connection = PgConnection::connect(&url).await.unwrap();
    let settings = "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; \
                    SET enable_bitmapscan = off; SET enable_sort = off; \
                    SET enable_hashjoin = off; SET enable_mergejoin = off";
    connection.execute(settings).await.unwrap();
    connection
}

/// The steps of a statement, whatever its parameters.
async fn steps(connection: &mut PgConnection, sql: &str) -> Vec<String> {
    let prepare = AssertSqlSafe(format!("PREPARE p AS {sql}"));
    connection.execute(prepare).await.unwrap();
    let parameters = (1..).take_while(|n| sql.contains(&format!("${n}")));
    let nulls = vec!["NULL"; parameters.count()].join(", ");
    let explain = match nulls.as_str() {
        "" => "EXPLAIN (COSTS off) EXECUTE p".to_owned(),
        nulls => format!("EXPLAIN (COSTS off) EXECUTE p ({nulls})"),
    };
    let steps = sqlx::query_scalar(AssertSqlSafe(explain)).fetch_all(&mut *connection);
    let steps = steps.await.unwrap();
    connection.execute("DEALLOCATE p").await.unwrap();
    steps
}

/// Tables of ours that are walked as a whole.
fn walked(steps: &[String]) -> Vec<&str> {
    steps
        .iter()
        .filter_map(|step| step.split_once("Seq Scan on "))
        .filter_map(|(_, table)| table.split_whitespace().next())
        .collect()
}

#[tokio::test]
async fn walks_no_table() {
    let mut connection = database().await;
    for sql in [
        tasks::OPEN,
        tasks::VIEWS,
        tasks::TAGS,
        tasks::HISTORY,
        tasks::AS_OF,
        feeds::EVENTS,
        feeds::RECENT,
        load::LOCK,
        load::FEEDS,
        load::SEEN,
        load::TASKS,
        load::VERSIONS,
        series::STANDINGS,
        series::RECEIPTS,
        series::WRITE,
        write::LOG,
        write::REST,
        write::PURGE,
        aside::NOTE,
        aside::KEEP,
        outbox::LEASE,
        outbox::CLAIMED,
        outbox::SETTLE,
        audit::RECORD,
        trail::ALL,
        trail::TASKS,
        trail::SECURITY,
        trail::ACCOUNT,
        mails::CLAIM,
        queue::MAILS.settle,
        queue::PUSHES.settle,
        pushes::CLAIM,
        pushes::SESSION,
        pushes::TAKE,
        pushes::SUBSCRIBE,
        pushes::CUT,
        pushes::FORGET,
        notices::RECIPIENTS,
        notices::DAYS,
        notices::INBOX,
        notices::DONE,
        notices::TELL,
        notices::CUT,
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
        replay::LOOSE,
        replay::FEED,
        replay::TRAIL,
        replay::TRAIL_OF,
        replay::NOTE,
        replay::COUNTED,
        replay::STRAY,
    ] {
        let steps = steps(&mut connection, sql).await;
        assert_eq!(walked(&steps), Vec::<&str>::new(), "{sql}\n{steps:#?}");
    }
    for sql in accounts::PARTS {
        let steps = steps(&mut connection, sql).await;
        assert_eq!(walked(&steps), Vec::<&str>::new(), "{sql}\n{steps:#?}");
    }
    // The outbox is short, or else it is walked once: for one person, or to the first row that is free.
    for sql in [accounts::FORGET, outbox::WAITS] {
        let steps = steps(&mut connection, sql).await;
        assert_eq!(walked(&steps), ["outbox"], "{steps:#?}");
    }
}

#[tokio::test]
async fn finds_few_rows_by_the_index_that_knows_them() {
    let mut connection = database().await;
    for (sql, index) in [
        (reminders::DUE, "tasks_remind"),
        (reminders::REMINDED, "tasks_pkey"),
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

/// As the server does it for us, who may sort.
#[tokio::test]
async fn replays_a_person_past_nobody_else() {
    let mut connection = database().await;
    connection.execute("SET enable_sort = on").await.unwrap();
    for (sql, condition) in [
        (replay::LOOSE, "(user_id = $3)"),
        (replay::FEED, "(user_id = $3)"),
        (replay::TRAIL_OF, "(user_id = $3)"),
        (replay::COUNTED, "(user_id <= $3)"),
    ] {
        let steps = steps(&mut connection, sql).await;
        let within = |step: &&String| step.contains("Index Cond") && step.contains(condition);
        assert!(steps.iter().any(|s| within(&s)), "{sql}\n{steps:#?}");
    }
}

#[tokio::test]
async fn goes_by_the_index_of_a_view() {
    let mut connection = database().await;
    let here = Here::at("Europe/Berlin", Timestamp(0), &TzDatabase);
    let position = Sort::default();
    let newest = |key| Sort {
        key,
        descending: true,
    };
    for (view, sort, index, places) in [
        (View::All, position, "tasks_done", "\"a5\""),
        (View::Inbox, position, "tasks_open", "\"a5\""),
        (View::Tag("home".into()), position, "tasks_open", "\"a5\""),
        (
            View::Completed,
            newest(SortKey::CompletedAt),
            "tasks_completed",
            "5",
        ),
        (View::Trash, newest(SortKey::DeletedAt), "tasks_trash", "5"),
    ] {
        for place in [None, Some(places)] {
            let query = TaskQuery {
                view: view.clone(),
                sort,
                limit: 50,
                after: place.map(|value| Cursor {
                    sort,
                    value: serde_json::from_str(value).unwrap(),
                    id: TaskId(Uuid::nil()),
                }),
                ..TaskQuery::default()
            };
            let sql = list::listing(UserId(Uuid::nil()), &query, &here);
            let sql = sql.sql().as_str().to_owned();
            let steps = steps(&mut connection, &sql).await;
            assert!(
                steps.iter().any(|step| step.contains(index)),
                "{sql}\n{steps:#?}"
            );
            // What is shown, at most a page, may be sorted; what it is taken from, not.
            let sorts = steps.iter().filter(|step| step.ends_with("Sort"));
            assert!(
                sorts.count() <= 1 && walked(&steps).is_empty(),
                "{sql}\n{steps:#?}"
            );
        }
    }
}

#[tokio::test]
async fn finds_words_by_their_index() {
    let mut connection = database().await;
    // Of an empty table the key leads to as little as the words do: that they can be used is what
    // matters here.
    let settings = "SET enable_bitmapscan = on; ALTER TABLE tasks DROP CONSTRAINT tasks_pkey";
    connection.execute(settings).await.unwrap();
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
        let by_words = steps.iter().any(|step| step.contains("tasks_words"));
        assert!(by_words && walked(&steps).is_empty(), "{sql}\n{steps:#?}");
    }
}
