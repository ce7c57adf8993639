//! The log, and what can be told from it.

use tidings::store::{AsOf, EVENTS_BYTES};
use tidings_domain::command::{Command, TaskPatch};

use super::kit::{NOON, TestStore, read, titled};

pub(crate) async fn pages_the_log(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    for n in 0..5 {
        kit.add_titled(ann, &format!("t{n}")).await;
    }
    let (head, page) = kit.store.events(ann, 2, 2).await.unwrap();
    assert_eq!(
        (head, page.iter().map(|e| e.seq).collect::<Vec<_>>()),
        (5, vec![3, 4])
    );
    assert_eq!(kit.store.events(ann, 5, 9).await.unwrap(), (5, Vec::new()));
    assert_eq!(
        kit.store
            .events(kit.person("bob").await, 0, 9)
            .await
            .unwrap(),
        (0, Vec::new())
    );
    let recent = kit.store.recent(ann, i64::MAX, 2).await.unwrap();
    assert_eq!(recent.iter().map(|e| e.seq).collect::<Vec<_>>(), [5, 4]);
    let recent = kit.store.recent(ann, 4, 9).await.unwrap();
    assert_eq!(recent.iter().map(|e| e.seq).collect::<Vec<_>>(), [3, 2, 1]);
}

pub(crate) async fn tells_a_tasks_history(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    let task = kit.add_titled(ann, "One").await;
    kit.add_titled(ann, "Another").await;
    for title in ["Two", "Three", "Four"] {
        kit.change(ann, task.id, Command::Edit(titled(title)))
            .await
            .unwrap();
    }
    let history = kit.store.history(ann, task.id, 1, 2).await.unwrap();
    let titles: Vec<_> = history
        .iter()
        .map(|e| read(e).task_data.unwrap().title)
        .collect();
    assert_eq!(titles, ["Two", "Three"]);
    assert_eq!(
        kit.store.history(ann, task.id, 0, 9).await.unwrap().len(),
        4
    );
}

pub(crate) async fn shows_tasks_as_they_were(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    let first = kit.add_titled(ann, "One").await;
    kit.clock.advance(1000);
    let second = kit.add_titled(ann, "Two").await;
    kit.clock.advance(1000);
    kit.change(ann, first.id, Command::Delete).await.unwrap();
    let titles = async |moment| -> Vec<String> {
        let tasks = kit.store.as_of(ann, moment).await.unwrap();
        tasks.into_iter().map(|t| t.title).collect()
    };
    assert_eq!(titles(AsOf::Seq(0)).await, Vec::<String>::new());
    assert_eq!(titles(AsOf::Seq(1)).await, ["One"]);
    assert_eq!(titles(AsOf::Seq(2)).await, ["Two", "One"]);
    assert_eq!(titles(AsOf::Seq(99)).await, ["Two"]);
    assert_eq!(
        titles(AsOf::At(NOON.plus_ms(-1))).await,
        Vec::<String>::new()
    );
    assert_eq!(titles(AsOf::At(NOON)).await, ["One"]);
    assert_eq!(titles(AsOf::At(NOON.plus_ms(1999))).await, ["Two", "One"]);
    assert_eq!(titles(AsOf::At(NOON.plus_ms(2000))).await, ["Two"]);
    assert_eq!(
        kit.store.as_of(ann, AsOf::Seq(3)).await.unwrap(),
        vec![second]
    );
}

pub(crate) async fn reads_only_so_much_of_the_log_at_once(store: impl TestStore) {
    const MANY: usize = 60;
    let kit = store.kit();
    let ann = kit.person("ann").await;
    for _ in 0..MANY {
        let long = TaskPatch {
            description: Some("\u{1f4d6}".repeat(10_000)),
            ..titled("A book")
        };
        kit.add(ann, long).await;
    }
    let (mut read, mut reads) = (Vec::new(), 0);
    while read.len() < MANY {
        let after = read.len() as i64;
        let (head, events) = kit.store.events(ann, after, 1_000).await.unwrap();
        assert_eq!(head, MANY as i64);
        let (last, others) = events.split_last().unwrap();
        let bytes: usize = others.iter().map(|event| event.json.len()).sum();
        assert!(bytes < EVENTS_BYTES);
        assert!(bytes + last.json.len() >= EVENTS_BYTES || last.seq == head);
        read.extend(events.iter().map(|event| event.seq));
        reads += 1;
    }
    assert_eq!(read, (1..=MANY as i64).collect::<Vec<_>>());
    assert!(reads > 1);
}
