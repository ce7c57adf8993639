//! What is SQLite's own: the file.

use std::sync::Arc;

use tidings::{
    clock::Ambient,
    store::{Outbox, SqliteStore, Store, TaskQuery},
};
use tidings_domain::{command::Command, id::UserId, time::TzDatabase, view::Here};
use uuid::Uuid;

use super::kit::{Broken, Commits, NOON, Sqlite, TestStore, titled};

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
