//! What is SQLite's own: the file.

use std::sync::Arc;

use tidings::{
    clock::{Ambient, Clock},
    store::{Outbox, SqliteStore, Store},
};
use tidings_domain::{
    command::{Command, TaskPatch},
    error::Code,
    event::EventType,
    time::Timestamp,
};
use uuid::Uuid;

use sqlx::{Connection, Executor, SqliteConnection};

use super::kit::{Commits, Sqlite, TestStore, refusal, titled};

#[tokio::test]
async fn migrates_once_however_many_start() {
    let folder = tempfile::tempdir().unwrap();
    let url = folder
        .path()
        .join("new/tidings.db")
        .to_string_lossy()
        .into_owned();
    let starts = (0..4).map(|_| {
        let url = url.clone();
        tokio::spawn(async move { SqliteStore::migrate(&url).await })
    });
    for start in starts.collect::<Vec<_>>() {
        start.await.unwrap().unwrap();
    }
    let store = SqliteStore::open(&url, Ambient::default(), Arc::new(Commits::default())).await;
    store.unwrap().close().await;
}

/// A clock that is broken.
struct Broken;

impl Clock for Broken {
    fn now(&self) -> Timestamp {
        panic!("the clock is broken");
    }
}

#[tokio::test]
async fn tells_that_its_writer_failed() {
    let folder = tempfile::tempdir().unwrap();
    let url = folder.path().join("t.db").to_string_lossy().into_owned();
    let ambient = Ambient {
        clock: Arc::new(Broken),
        ..Ambient::default()
    };
    let store = SqliteStore::open(&url, ambient, Arc::new(Commits::default())).await;
    let store = store.unwrap();
    // It looks for what is kept no longer.
    store.failed().cancelled().await;
    let write = store.release(Uuid::nil()).await;
    assert!(write.unwrap_err().is_passing());
    store.close().await;
}

#[tokio::test]
async fn is_unavailable_once_closed() {
    let store = Sqlite::new().await;
    let kit = store.kit();
    let ann = kit.person("ann").await;
    let waiting: Vec<_> = (0..20)
        .map(|n| {
            let mutation = kit.mutation(
                ann,
                kit.task_id(),
                Command::Create(titled(&format!("t{n}"))),
            );
            let store = kit.store.clone();
            tokio::spawn(async move { store.mutate(mutation).await })
        })
        .collect();
    tokio::task::yield_now().await;
    kit.store.close().await;
    let mut made = 0;
    for call in waiting {
        // Either it was done, or it was told that it was not.
        match call.await.unwrap() {
            Ok(_) => made += 1,
            Err(error) => assert!(error.is_passing()),
        }
    }
    assert!(
        kit.store
            .task(ann, kit.task_id())
            .await
            .unwrap_err()
            .is_passing()
    );
    let late = kit.change(ann, kit.task_id(), Command::Delete).await;
    assert!(late.unwrap_err().is_passing());
    let event = kit.loose(EventType::LoggedIn, Some(ann));
    assert!(kit.store.record(&event).await.unwrap_err().is_passing());
    let mut store = store;
    store.reopen().await;
    assert_eq!(store.kit().feed(ann).await.len(), made);
}

#[tokio::test]
async fn leaves_no_words_of_what_was_deleted_for_good_in_the_file() {
    let mut store = Sqlite::new().await;
    let kit = store.kit();
    let ann = kit.person("ann").await;
    let secret = "xylophonic-secret";
    let task = kit.add_titled(ann, secret).await;
    kit.add_titled(ann, "plainly-there").await;
    kit.change(ann, task.id, Command::Delete).await.unwrap();
    kit.change(ann, task.id, Command::Purge).await.unwrap();
    store.reopen().await;
    let bytes = std::fs::read(store.path()).unwrap();
    let holds = |words: &str| bytes.windows(words.len()).any(|w| w == words.as_bytes());
    assert!(holds("plainly-there"));
    assert!(!holds(secret));
}

#[tokio::test]
async fn writes_all_of_a_group_or_nothing_and_recovers() {
    let store = Sqlite::new().await;
    let kit = store.kit();
    let ann = kit.person("ann").await;
    let mut other = SqliteConnection::connect(&store.path()).await.unwrap();
    // The last statement of a group fails, after all others have gone through.
    let trip = "CREATE TRIGGER trip BEFORE UPDATE ON feeds BEGIN SELECT raise(ABORT, 'trip'); END";
    other.execute(trip).await.unwrap();
    let calls = (0..5).map(|_| kit.change(ann, kit.task_id(), Command::Create(titled("No"))));
    let event = kit.loose(EventType::LoggedIn, Some(ann));
    let (outcomes, recorded) = tokio::join!(
        futures_util::future::join_all(calls),
        kit.store.record(&event)
    );
    assert!(outcomes.iter().all(|outcome| outcome.is_err()));
    drop(recorded);
    assert!(kit.feed(ann).await.is_empty());
    assert_eq!(kit.store.snapshot(ann).await.unwrap(), (0, Vec::new()));
    other.execute("DROP TRIGGER trip").await.unwrap();
    kit.add_titled(ann, "Yes").await;
    assert_eq!(kit.feed(ann).await.len(), 1);
    assert_eq!(store.faults().await, Vec::<String>::new());
}

#[tokio::test]
async fn forgets_answers_after_thirty_days() {
    let mut store = Sqlite::new().await;
    let kit = store.kit();
    let ann = kit.person("ann").await;
    let old = kit.mutation(ann, kit.task_id(), Command::Create(titled("Old")));
    kit.store.mutate(old.clone()).await.unwrap();
    kit.clock.advance(86_400_000);
    let new = kit.mutation(ann, kit.task_id(), Command::Create(titled("New")));
    kit.store.mutate(new.clone()).await.unwrap();
    kit.clock.advance(29 * 86_400_000 + 1);
    // It looks when it starts, and every so often.
    store.reopen().await;
    let kit = store.kit();
    let gone = async {
        loop {
            match kit.store.mutate(old.clone()).await {
                Ok(outcome) => assert!(outcome.replayed),
                refused => break assert_eq!(refusal(refused), Code::Conflict),
            }
            tokio::task::yield_now().await;
        }
    };
    let patience = std::time::Duration::from_secs(10);
    tokio::time::timeout(patience, gone).await.unwrap();
    assert!(kit.store.mutate(new).await.unwrap().replayed);
}

#[tokio::test]
async fn keeps_no_row_of_a_person_who_is_gone() {
    let store = Sqlite::new().await;
    let kit = store.kit();
    let ann = kit.person("ann").await;
    let done = TaskPatch {
        completed: Some(true),
        ..titled("Done")
    };
    kit.add(ann, done).await;
    let trash = kit.add_titled(ann, "Trash").await;
    kit.change(ann, trash.id, Command::Delete).await.unwrap();
    // One that makes no event, and one whose task is deleted for good.
    let task = kit.add_titled(ann, "Open").await;
    let nothing = kit
        .change(ann, task.id, Command::Complete(Some(false)))
        .await;
    assert_eq!(nothing.unwrap().task.unwrap().version, 1);
    let purged = kit.add_titled(ann, "Purged").await;
    kit.change(ann, purged.id, Command::Delete).await.unwrap();
    kit.change(ann, purged.id, Command::Purge).await.unwrap();
    let event = kit.loose(EventType::UserDeleted, Some(ann));
    kit.store.delete_account(ann, &event).await.unwrap();
    let mut other = SqliteConnection::connect(&store.path()).await.unwrap();
    for (table, left) in [
        ("users", 0),
        ("feeds", 0),
        ("tasks", 0),
        ("mutations", 0),
        ("events", 1),
        ("outbox", 1),
    ] {
        let sql = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
        let count: i64 = sqlx::query_scalar(sql).fetch_one(&mut other).await.unwrap();
        assert_eq!(count, left, "{table}");
    }
}
