//! What is SQLite's own: the file.

use std::sync::Arc;

use tidings::{clock::Ambient, store::SqliteStore};
use tidings_domain::{command::Command, event::EventType};

use super::kit::{Commits, Sqlite, TestStore, titled};

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
    store.store().close().await;
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
