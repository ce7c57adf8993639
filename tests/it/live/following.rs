//! What a tab is sent, from wherever it was.

use std::collections::HashSet;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tidings_domain::{
    command::{Command, TaskPatch},
    id::TaskId,
};
use uuid::Uuid;

use super::tab::titles;
use crate::{desk::Desk, kit::on_each_database};

on_each_database!(Desk:
    a_new_tab_gets_a_snapshot_and_then_every_change,
    a_tab_resumes_from_where_it_was_and_may_ask_again,
    a_tab_that_cannot_go_on_starts_anew,
    too_much_missed_is_a_snapshot_in_chunks,
    nobody_gets_anothers_events,
    a_tab_that_reads_slowly_misses_nothing,
);

async fn a_new_tab_gets_a_snapshot_and_then_every_change(desk: Desk) {
    let ann = desk.person("ann").await;
    desk.add(&ann, "One").await;
    let done = TaskId(Uuid::now_v7());
    let patch = TaskPatch {
        title: Some("Done".into()),
        completed: Some(true),
        ..TaskPatch::default()
    };
    desk.change(&ann, done, Command::Create(patch)).await;
    let mut tab = desk.open(&ann).await;
    assert_eq!(tab.protocol.as_deref(), Some("tidings.v1"));
    let welcome = tab.hello(Value::Null).await;
    assert_eq!(welcome["head"], 2);
    assert_eq!(welcome["epoch"], desk.store.epoch().to_string());
    let (reason, cursor, tasks, _) = tab.snapshot().await;
    assert_eq!((reason.as_str(), cursor), ("new", 2));
    assert_eq!(tasks.len(), 1, "open tasks alone");
    assert_eq!(tasks[0]["title"], "One");
    assert!(tab.events_until_live(2).await.is_empty());

    let seq = desk.add(&ann, "Two").await;
    let items = tab.events_to(2, seq).await;
    assert_eq!(titles(&items), ["Two"]);
    let (_, log) = desk.store.events(ann.id, 2, 10).await.unwrap();
    let logged: Value = serde_json::from_str(&log[0].json).unwrap();
    assert_eq!(items, [logged], "as the log has it");
}

async fn a_tab_resumes_from_where_it_was_and_may_ask_again(desk: Desk) {
    let ann = desk.person("ann").await;
    for title in ["One", "Two", "Three"] {
        desk.add(&ann, title).await;
    }
    let mut tab = desk.open(&ann).await;
    tab.hello(desk.resume(1)).await;
    assert_eq!(titles(&tab.events_until_live(1).await), ["Two", "Three"]);
    tab.send(json!({ "t": "sync", "cursor": 2 })).await;
    assert_eq!(titles(&tab.events_until_live(2).await), ["Three"]);
    desk.add(&ann, "Four").await;
    assert_eq!(titles(&tab.events_to(3, 4).await), ["Four"]);

    let mut tab = desk.open(&ann).await;
    tab.hello(desk.resume(4)).await;
    assert!(tab.events_until_live(4).await.is_empty(), "nothing missed");
}

async fn a_tab_that_cannot_go_on_starts_anew(desk: Desk) {
    let ann = desk.person("ann").await;
    desk.add(&ann, "One").await;
    let other = json!({ "epoch": Uuid::now_v7(), "cursor": 1 });
    for (resume, expected) in [(other, "epoch"), (desk.resume(2), "ahead")] {
        let mut tab = desk.open(&ann).await;
        tab.hello(resume).await;
        let (reason, cursor, tasks, sizes) = tab.snapshot().await;
        assert_eq!((reason.as_str(), cursor, tasks.len()), (expected, 1, 1));
        assert_eq!(sizes, [1]);
        tab.events_until_live(1).await;
    }
    let mut tab = desk.open(&desk.person("bob").await).await;
    tab.hello(Value::Null).await;
    let (_, cursor, tasks, sizes) = tab.snapshot().await;
    assert_eq!(
        (cursor, tasks.len(), sizes),
        (0, 0, vec![0]),
        "even of nothing"
    );
}

async fn too_much_missed_is_a_snapshot_in_chunks(desk: Desk) {
    let ann = desk.person("ann").await;
    desk.add_many(&ann, 1_001).await;
    let mut tab = desk.open(&ann).await;
    tab.hello(desk.resume(0)).await;
    let (reason, cursor, tasks, sizes) = tab.snapshot().await;
    assert_eq!((reason.as_str(), cursor), ("too_many", 1_001));
    assert!(
        sizes.iter().all(|size| (1..=500).contains(size)),
        "{sizes:?}"
    );
    let ids: HashSet<_> = tasks.iter().map(|task| task["id"].to_string()).collect();
    assert_eq!((tasks.len(), ids.len()), (1_001, 1_001));
    tab.events_until_live(cursor).await;

    tab.send(json!({ "t": "sync", "cursor": 1 })).await;
    assert_eq!(tab.events_until_live(1).await.len(), 1_000, "not too much");
}

async fn nobody_gets_anothers_events(desk: Desk) {
    let (ann, bob) = (desk.person("ann").await, desk.person("bob").await);
    let (mut of_ann, mut of_bob) = (desk.open(&ann).await, desk.open(&bob).await);
    for tab in [&mut of_ann, &mut of_bob] {
        tab.hello(desk.resume(0)).await;
        tab.events_until_live(0).await;
    }
    for n in 1..=20 {
        desk.add(&ann, &format!("ann {n}")).await;
        desk.add(&bob, &format!("bob {n}")).await;
    }
    for (tab, person, name) in [(&mut of_ann, &ann, "ann"), (&mut of_bob, &bob, "bob")] {
        let items = tab.events_to(0, 20).await;
        assert!(titles(&items).iter().all(|title| title.starts_with(name)));
        assert!(
            items
                .iter()
                .all(|item| item["user_id"] == person.id.to_string())
        );
        // Nothing else came in between or after.
        tab.send(json!({ "t": "ping" })).await;
        assert_eq!(tab.frame().await["t"], "pong");
    }
}

async fn a_tab_that_reads_slowly_misses_nothing(desk: Desk) {
    let ann = desk.person("ann").await;
    let mut tab = desk.open(&ann).await;
    tab.hello(desk.resume(0)).await;
    tab.events_until_live(0).await;
    // More than the connection holds, so that the server has to wait.
    let task = TaskId(Uuid::now_v7());
    let long = |n: usize| TaskPatch {
        title: Some(format!("Task {n}")),
        description: Some(format!("{n} ").repeat(2_000)),
        ..TaskPatch::default()
    };
    desk.change(&ann, task, Command::Create(long(0))).await;
    join_all((1..900).map(|n| desk.change(&ann, task, Command::Edit(long(n))))).await;
    let items = tab.events_to(0, 900).await;
    assert_eq!(items.len(), 900);
}
