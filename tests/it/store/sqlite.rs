//! What is SQLite's own: the file.

use std::{
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::{Either, join_all, select};
use tidings::{
    clock::Ambient,
    store::{Outbox, SqliteStore, Store, TaskQuery},
};
use tidings_domain::{
    command::{Command, TaskPatch},
    event::EventType,
    id::UserId,
    time::TzDatabase,
    view::Here,
};
use tokio::time::sleep;
use uuid::Uuid;

use super::kit::{Broken, Commits, Kit, NOON, Sqlite, TestStore, titled};

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
async fn leaves_no_words_of_what_was_deleted_for_good_in_the_file() {
    let mut store = Sqlite::new().await;
    let kit = store.kit();
    let ann = kit.person("ann").await;
    let secret = "xylophonic-secret";
    let task = kit.add_titled(ann, "Task").await;
    kit.change(ann, task.id, Command::Edit(titled(secret)))
        .await
        .unwrap();
    // Meanwhile the index of words is put together anew, more than once.
    for n in 0..100 {
        kit.add_titled(ann, &format!("plainly-there {n}")).await;
    }
    kit.change(ann, task.id, Command::Delete).await.unwrap();
    kit.change(ann, task.id, Command::Purge).await.unwrap();
    store.reopen().await;
    let bytes = std::fs::read(store.path()).unwrap();
    let holds = |words: &str| bytes.windows(words.len()).any(|w| w == words.as_bytes());
    assert!(holds("plainly-there"));
    assert!(!holds(secret) && !holds("xylophonic"));
}

/// Whether a search finds the task that was added before.
async fn finds(store: &Sqlite, user: UserId) -> bool {
    let query = TaskQuery {
        q: Some("eclair".into()),
        limit: 2,
        ..TaskQuery::default()
    };
    let here = Here::at("UTC", NOON, &TzDatabase);
    let page = store.kit().store.list(user, &query, &here).await.unwrap();
    page.items.len() == 1
}

#[tokio::test]
async fn finds_what_was_there_before_there_was_an_index() {
    let mut store = Sqlite::new().await;
    let ann = store.kit().person("ann").await;
    store.kit().add_titled(ann, "Éclairs").await;
    let back = "DROP TRIGGER tasks_words_insert; DROP TRIGGER tasks_words_update; \
                DROP TRIGGER tasks_words_delete; DROP TABLE task_words_held; DROP TABLE task_words; \
                DELETE FROM _sqlx_migrations WHERE version = 5";
    store.run(back).await;
    store.reopen().await;
    assert!(finds(&store, ann).await);
    assert_eq!(store.faults().await, Vec::<String>::new());
}

#[tokio::test]
async fn finds_the_same_once_the_file_was_written_anew() {
    let mut store = Sqlite::new().await;
    let ann = store.kit().person("ann").await;
    let gone = store.kit().add_titled(ann, "Zebra").await;
    store.kit().add_titled(ann, "Éclairs").await;
    for command in [Command::Delete, Command::Purge] {
        store.kit().change(ann, gone.id, command).await.unwrap();
    }
    store.run("VACUUM").await;
    store.reopen().await;
    assert!(finds(&store, ann).await);
    assert_eq!(store.faults().await, Vec::<String>::new());
}

#[tokio::test]
async fn sees_that_the_index_lacks_words_or_has_some_too_many() {
    let store = Sqlite::new().await;
    let ann = store.kit().person("ann").await;
    store.kit().add_titled(ann, "Éclairs").await;
    let fault = ["the index of words differs from the tasks"];
    let lacks = "INSERT INTO task_words (task_words, rowid, words) \
                 SELECT 'delete', rowid, substr(user_id, -8) || 'eclairs' FROM tasks";
    store.run(lacks).await;
    assert_eq!(store.faults().await, fault);
    let again = "INSERT INTO task_words (rowid, words) \
                 SELECT rowid, substr(user_id, -8) || 'eclairs' FROM tasks";
    store.run(again).await;
    assert_eq!(store.faults().await, Vec::<String>::new());
    store
        .run("INSERT INTO task_words (rowid, words) VALUES (77, 'nobodys')")
        .await;
    assert_eq!(store.faults().await, fault);
}

/// Tasks of a person, half of them completed. They are removed in parts of 200.
async fn many(kit: &Kit, user: UserId, count: usize) {
    let tasks = (0..count).map(|n| {
        let patch = TaskPatch {
            completed: Some(n % 2 == 0),
            remind_at: Some(Some(NOON)),
            ..titled("Secret")
        };
        kit.add(user, patch)
    });
    join_all(tasks).await;
}

#[tokio::test]
async fn lets_others_write_while_a_person_is_forgotten() {
    let store = Sqlite::new().await;
    let kit = store.kit();
    let (ann, bob) = (kit.person("ann").await, kit.person("bob").await);
    many(kit, ann, 1_000).await;
    let event = kit.loose(EventType::UserDeleted, Some(ann));
    let forgetting = kit.store.delete_account(ann, &event);
    let writing = async {
        for _ in 0..2 {
            kit.add_titled(bob, "Bob's own").await;
        }
    };
    let forgetting = pin!(forgetting);
    match select(forgetting, pin!(writing)).await {
        Either::Left(_) => panic!("others waited until all was gone"),
        Either::Right(((), forgetting)) => forgetting.await.unwrap(),
    }
    let left = async |table| {
        store
            .rows(&format!("{table} WHERE user_id = '{ann}'"))
            .await
    };
    for table in ["tasks", "mutations", "statistics", "notifications"] {
        assert_eq!(left(table).await, 0, "{table}");
    }
    assert_eq!(left("events").await, 1, "that they went");
    assert_eq!(store.rows("meta WHERE key GLOB 'leaving *'").await, 0);
    assert_eq!(store.faults().await, Vec::<String>::new());
}

#[tokio::test]
async fn forgets_the_rest_of_a_person_at_the_next_start() {
    let mut store = Sqlite::new().await;
    let kit = store.kit();
    let ann = kit.person("ann").await;
    many(kit, ann, 500).await;
    let event = kit.loose(EventType::UserDeleted, Some(ann));
    let gone = async { while kit.store.account(ann).await.unwrap().is_some() {} };
    select(kit.store.delete_account(ann, &event), pin!(gone)).await;
    assert!(store.rows("tasks").await > 0, "it was interrupted");
    // Nothing of it shows.
    assert_eq!(kit.store.remind(NOON, 10).await.unwrap(), 0);
    assert_eq!(store.rows("outbox").await, 1, "that they went");
    assert_eq!(store.faults().await, Vec::<String>::new());
    kit.person("ann").await;
    store.reopen().await;
    let deadline = Instant::now() + Duration::from_secs(30);
    while store.rows("meta WHERE key GLOB 'leaving *'").await > 0 {
        assert!(Instant::now() < deadline, "something is left");
        sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(store.rows("tasks").await, 0);
    assert_eq!(store.rows("events WHERE seq IS NOT NULL").await, 0);
    assert_eq!(store.faults().await, Vec::<String>::new());
}
