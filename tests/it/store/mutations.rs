//! Mutations of one person, one after the other.

use serde_json::{Value, json};
use tidings::store::Mutation;
use tidings_domain::{
    command::{Command, IfMatch, TaskPatch},
    error::Code,
    event::{Actor, EventType, Metadata},
    id::{ClientId, MutationId, UserId},
    task::Priority,
    time::TzDatabase,
    view::{Here, View},
};
use uuid::Uuid;

use super::kit::{Kit, NOON, TestStore, refusal, titled};

pub(crate) async fn creates_and_reads(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    let task = kit.add(ann, titled("  Buy milk ")).await;
    assert_eq!((task.title.as_str(), task.version), ("Buy milk", 1));
    assert_eq!(task.time_zone, "Europe/Berlin");
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
    assert_eq!(board.epoch, kit.store.epoch());
    assert_eq!(
        kit.store.snapshot(ann).await.unwrap(),
        (1, vec![task.clone()])
    );
    assert_eq!(kit.store.head(ann).await.unwrap(), 1);
    // A new task goes before the others.
    let second = kit.add_titled(ann, "Call home").await;
    assert!(second.position < task.position);
    assert_eq!(store.faults().await, Vec::<String>::new());
}

pub(crate) async fn writes_events_as_the_contract_has_them(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    let client = ClientId(Uuid::now_v7());
    let task = kit.task_id();
    let create = Mutation {
        metadata: Metadata {
            client_id: Some(client),
            actor: Actor::Api,
            traceparent: Some("00-aa-bb-01".into()),
            mutation_id: None,
        },
        ..kit.mutation(ann, task, Command::Create(titled("Buy milk")))
    };
    kit.store.mutate(create.clone()).await.unwrap();
    kit.clock.advance(61_000);
    let edit = TaskPatch {
        title: Some("Buy oat milk".into()),
        completed: Some(true),
        ..TaskPatch::default()
    };
    let done = kit.change(ann, task, Command::Edit(edit)).await.unwrap();
    assert_eq!(done.seq, 3);
    let feed = kit.feed(ann).await;
    let types: Vec<_> = feed.iter().map(|e| e.event_type).collect();
    let expected = [
        EventType::TaskCreated,
        EventType::TaskUpdated,
        EventType::TaskCompleted,
    ];
    assert_eq!(types, expected);
    let versions: Vec<_> = feed
        .iter()
        .map(|e| e.task_data.as_ref().unwrap().version)
        .collect();
    assert_eq!(versions, [1, 2, 3]);
    assert_eq!(feed[2].task_data, done.task);
    assert_eq!(
        feed[1].data["changes"],
        json!({ "title": { "old": "Buy milk", "new": "Buy oat milk" } })
    );
    assert_eq!(feed[2].data["duration_minutes"], json!(1));
    assert_eq!(feed[0].metadata.mutation_id, Some(create.mutation_id));
    assert_eq!(feed[0].metadata.client_id, Some(client));
    // The text that goes out has the members of the contract, in its order.
    let (_, events) = kit.store.events(ann, 0, 1).await.unwrap();
    let text = &events[0].json;
    let members: serde_json::Map<String, Value> = serde_json::from_str(text).unwrap();
    let wire: tidings_domain::event::Event = serde_json::from_str(text).unwrap();
    assert_eq!(
        serde_json::to_value(&wire).unwrap(),
        Value::Object(members.clone())
    );
    assert_eq!(members["metadata"]["actor"], "api");
    assert_eq!(members["timestamp"], json!(NOON));
    assert!(text.starts_with(&format!(
        "{{\"event_id\":\"{}\",\"event_type\":\"task.created\"",
        wire.event_id
    )));
}

pub(crate) async fn changes_nothing_without_an_event(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    let task = kit.add_titled(ann, "Buy milk").await;
    let same = kit
        .change(ann, task.id, Command::Edit(titled("Buy milk")))
        .await
        .unwrap();
    assert_eq!((same.seq, same.task.unwrap().version), (1, 1));
    let open = kit
        .change(ann, task.id, Command::Complete(Some(false)))
        .await
        .unwrap();
    assert_eq!(open.seq, 1);
    assert_eq!(kit.feed(ann).await.len(), 1);
}

pub(crate) async fn refuses(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    let bob = kit.person("bob").await;
    let task = kit.add_titled(ann, "Buy milk").await;
    let create = || Command::Create(titled("Again"));
    assert_eq!(
        refusal(kit.change(ann, task.id, create()).await),
        Code::Conflict
    );
    assert_eq!(
        refusal(kit.change(ann, kit.task_id(), Command::Delete).await),
        Code::NotFound
    );
    let empty = Command::Edit(titled(" "));
    assert_eq!(
        refusal(kit.change(ann, task.id, empty).await),
        Code::ValidationFailed
    );
    let stale = Mutation {
        if_match: Some(IfMatch::Version(9)),
        ..kit.mutation(ann, task.id, Command::Delete)
    };
    assert_eq!(
        refusal(kit.store.mutate(stale).await),
        Code::VersionMismatch
    );
    let nobody = UserId(Uuid::now_v7());
    assert_eq!(
        refusal(kit.change(nobody, task.id, create()).await),
        Code::Unauthenticated
    );
    // Another person's id is no conflict and shows nothing.
    assert_eq!(
        refusal(kit.change(bob, task.id, Command::Delete).await),
        Code::NotFound
    );
    assert_eq!(kit.store.task(bob, task.id).await.unwrap(), None);
    assert!(
        kit.store
            .history(bob, task.id, 0, 10)
            .await
            .unwrap()
            .is_empty()
    );
    let own = kit
        .change(bob, task.id, create())
        .await
        .unwrap()
        .task
        .unwrap();
    assert_eq!(own.title, "Again");
    assert_eq!(kit.store.task(ann, task.id).await.unwrap(), Some(task));
    assert_eq!(kit.feed(ann).await.len(), 1);
}

pub(crate) async fn never_goes_back_in_time(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    let task = kit.add_titled(ann, "Buy milk").await;
    kit.clock.set(NOON.plus_ms(-60_000));
    kit.change(ann, task.id, Command::Complete(None))
        .await
        .unwrap();
    assert!(
        kit.feed(ann)
            .await
            .iter()
            .all(|event| event.timestamp == NOON)
    );
}

pub(crate) async fn answers_a_retry_as_before(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    let bob = kit.person("bob").await;
    let id = kit.task_id();
    let create = kit.mutation(ann, id, Command::Create(titled("Buy milk")));
    let first = kit.store.mutate(create.clone()).await.unwrap();
    assert!(!first.replayed);
    kit.change(ann, id, Command::Edit(titled("Buy bread")))
        .await
        .unwrap();
    let again = kit.store.mutate(create.clone()).await.unwrap();
    assert_eq!(
        (again.task, again.seq, again.replayed),
        (first.task, 1, true)
    );
    let other = Mutation {
        fingerprint: Some([8; 32]),
        ..create.clone()
    };
    assert_eq!(
        refusal(kit.store.mutate(other).await),
        Code::IdempotencyMismatch
    );
    // Ids are a person's own.
    let bobs = Mutation {
        user_id: bob,
        fingerprint: Some([9; 32]),
        ..create
    };
    assert!(!kit.store.mutate(bobs).await.unwrap().replayed);
    // What changed nothing is answered again too.
    let nothing = kit.mutation(ann, id, Command::Edit(titled("Buy bread")));
    let first = kit.store.mutate(nothing.clone()).await.unwrap();
    kit.change(ann, id, Command::Delete).await.unwrap();
    let again = kit.store.mutate(nothing).await.unwrap();
    assert_eq!(
        (again.task, again.seq, again.replayed),
        (first.task, 2, true)
    );
    assert_eq!(kit.feed(ann).await.len(), 3);
}

pub(crate) async fn keeps_no_refusal_and_no_id_of_its_own(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    let id = kit.task_id();
    let delete = kit.mutation(ann, id, Command::Delete);
    assert_eq!(
        refusal(kit.store.mutate(delete.clone()).await),
        Code::NotFound
    );
    kit.change(ann, id, Command::Create(titled("Buy milk")))
        .await
        .unwrap();
    assert!(!kit.store.mutate(delete).await.unwrap().replayed);
    let task = kit.add_titled(ann, "Call home").await;
    let toggle = Mutation {
        fingerprint: None,
        ..kit.mutation(ann, task.id, Command::Complete(None))
    };
    assert!(
        kit.store
            .mutate(toggle.clone())
            .await
            .unwrap()
            .task
            .unwrap()
            .completed
    );
    assert!(
        !kit.store
            .mutate(toggle)
            .await
            .unwrap()
            .task
            .unwrap()
            .completed
    );
}

pub(crate) async fn purges_without_a_trace(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    let keep = kit.add_titled(ann, "Keep this").await;
    let id = kit.task_id();
    let patch = TaskPatch {
        tags: Some(vec!["hush".into()]),
        ..titled("A secret")
    };
    let create = kit.mutation(ann, id, Command::Create(patch));
    kit.store.mutate(create.clone()).await.unwrap();
    kit.change(ann, id, Command::Edit(titled("A secret kept")))
        .await
        .unwrap();
    assert_eq!(
        refusal(kit.change(ann, id, Command::Purge).await),
        Code::Conflict
    );
    kit.change(ann, id, Command::Delete).await.unwrap();
    let purge = kit.mutation(ann, id, Command::Purge);
    let gone = kit.store.mutate(purge.clone()).await.unwrap();
    assert_eq!((gone.task, gone.seq), (None, 4));
    assert_eq!(kit.store.task(ann, id).await.unwrap(), None);
    assert!(kit.store.history(ann, id, 0, 10).await.unwrap().is_empty());
    let feed = kit.feed(ann).await;
    assert_eq!(feed.len(), 4);
    assert_eq!(feed[0].task_data, Some(keep));
    for event in &feed[1..] {
        assert_eq!(event.task_data, None);
        assert_eq!(event.data, json!({ "task_id": id, "user_id": ann }));
    }
    let everything = everything(kit, ann).await;
    assert!(everything.contains("Keep this"));
    assert!(
        !everything.contains("secret") && !everything.contains("hush"),
        "{everything}"
    );
    // Answers of before have nothing to show either, also once the id is used anew.
    assert_eq!(kit.store.mutate(create.clone()).await.unwrap().task, None);
    assert!(kit.store.mutate(purge).await.unwrap().replayed);
    let anew = kit
        .change(ann, id, Command::Create(titled("Another")))
        .await
        .unwrap();
    assert_eq!(anew.task.unwrap().version, 1);
    assert_eq!(kit.store.mutate(create).await.unwrap().task, None);
    assert_eq!(kit.store.history(ann, id, 0, 10).await.unwrap().len(), 1);
    assert_eq!(store.faults().await, Vec::<String>::new());
}

/// All that can be read of a person.
async fn everything(kit: &Kit, user: UserId) -> String {
    let (_, events) = kit.store.events(user, 0, 1000).await.unwrap();
    let until = NOON.plus_ms(30_000);
    let rows = kit
        .store
        .claim(Uuid::nil(), NOON, until, 1000)
        .await
        .unwrap();
    let tasks = kit.store.snapshot(user).await.unwrap();
    format!("{events:?} {rows:?} {tasks:?}")
}

pub(crate) async fn restores(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    let first = TaskPatch {
        priority: Some(Priority::High),
        ..titled("First words")
    };
    let task = kit.add(ann, first).await;
    kit.change(ann, task.id, Command::Edit(titled("Second words")))
        .await
        .unwrap();
    kit.change(ann, task.id, Command::Delete).await.unwrap();
    let back = kit
        .change(ann, task.id, Command::Restore(None))
        .await
        .unwrap();
    assert_eq!(back.task.unwrap().title, "Second words");
    let back = kit
        .change(ann, task.id, Command::Restore(Some(1)))
        .await
        .unwrap()
        .task
        .unwrap();
    assert_eq!(
        (back.title.as_str(), back.priority, back.version),
        ("First words", Priority::High, 5)
    );
    let missing = kit.change(ann, task.id, Command::Restore(Some(77))).await;
    assert_eq!(refusal(missing), Code::ValidationFailed);
    assert_eq!(store.faults().await, Vec::<String>::new());
}

pub(crate) async fn tells_of_commits(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    kit.commits.0.lock().unwrap().clear();
    let mut create = kit.mutation(ann, kit.task_id(), Command::Create(titled("Buy milk")));
    kit.store.mutate(create.clone()).await.unwrap();
    assert_eq!(*kit.commits.0.lock().unwrap(), vec![vec![ann]]);
    // Neither retries nor refusals are news.
    kit.store.mutate(create.clone()).await.unwrap();
    create.mutation_id = MutationId(Uuid::now_v7());
    refusal(kit.store.mutate(create).await);
    assert_eq!(kit.commits.0.lock().unwrap().len(), 1);
}
