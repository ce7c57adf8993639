//! What is SQLite's own: the file.

use std::sync::Arc;

use tidings::{
    clock::Ambient,
    store::{Outbox, SqliteStore, Store},
};
use tidings_domain::command::Command;
use uuid::Uuid;

use super::kit::{Broken, Commits, Sqlite, TestStore};

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
