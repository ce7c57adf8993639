//! What lasts and what does not: closing, failing in the middle, and forgetting.

use tidings::store::{Action, Mutation};
use tidings_domain::{
    command::{Command, TaskPatch},
    error::Code,
    event::EventType,
    task::{RecurFrom, Recurrence},
};

use super::kit::{TestStore, refusal, titled};

pub(crate) async fn is_unavailable_once_closed(mut store: impl TestStore) {
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
    store.reopen().await;
    assert_eq!(store.kit().feed(ann).await.len(), made);
}

pub(crate) async fn writes_all_of_a_group_or_nothing_and_recovers(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    // The last statement of a group fails, after all others have gone through.
    store.trip().await;
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
    store.mend().await;
    kit.add_titled(ann, "Yes").await;
    assert_eq!(kit.feed(ann).await.len(), 1);
    assert_eq!(store.faults().await, Vec::<String>::new());
}

pub(crate) async fn forgets_answers_after_thirty_days(mut store: impl TestStore) {
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

pub(crate) async fn keeps_no_row_of_a_person_who_is_gone(store: impl TestStore) {
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
    let again = TaskPatch {
        due_date: Some(Some("2026-11-21".parse().unwrap())),
        recurrence: Some(Some(Recurrence {
            rule: "FREQ=DAILY".into(),
            from: RecurFrom::Due,
        })),
        ..titled("Again")
    };
    let again = kit.add(ann, again).await.id;
    let skip = Mutation {
        action: Action::Skip,
        ..kit.mutation(ann, again, Command::Delete)
    };
    kit.store.mutate(skip).await.unwrap();
    assert_eq!(store.rows("occurrences").await, 1);
    let event = kit.loose(EventType::UserDeleted, Some(ann));
    kit.store.delete_account(ann, &event).await.unwrap();
    for (table, left) in [
        ("users", 0),
        ("feeds", 0),
        ("tasks", 0),
        ("mutations", 0),
        ("occurrences", 0),
        ("events", 1),
        ("outbox", 1),
    ] {
        assert_eq!(store.rows(table).await, left, "{table}");
    }
}
