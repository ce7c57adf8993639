//! Mutations.

use tidings_domain::time::TzDatabase;
use tidings_domain::view::{Here, View};

use super::kit::{NOON, TestStore, titled};

pub(crate) async fn creates_and_reads(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    let task = kit.add(ann, titled("  Buy milk ")).await;
    assert_eq!(task.title, "Buy milk");
    assert_eq!(
        kit.store.task(ann, task.id).await.unwrap(),
        Some(task.clone())
    );
    let here = Here::at("Europe/Berlin", NOON, &TzDatabase);
    let board = kit
        .store
        .board(ann, &View::Inbox, 100, &here)
        .await
        .unwrap();
    assert_eq!(board.tasks, vec![task.clone()]);
    assert_eq!(
        (board.cursor, board.counts.inbox, board.complete),
        (1, 1, true)
    );
    let page = kit
        .store
        .list(
            ann,
            &tidings::store::TaskQuery {
                limit: 10,
                ..Default::default()
            },
            &here,
        )
        .await
        .unwrap();
    assert_eq!(page.items, vec![task.clone()]);
    assert_eq!(kit.store.snapshot(ann).await.unwrap(), (1, vec![task]));
    assert_eq!(kit.feed(ann).await.len(), 1);
    let claimed = kit
        .store
        .claim(uuid::Uuid::nil(), NOON, NOON.plus_ms(1000), 10)
        .await
        .unwrap();
    assert_eq!(claimed.len(), 3);
}
