//! What was set aside, and what operators do with it.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::json;
use tidings::{
    commands::{self, Which},
    consumers::{Consumer, Consumers, Delivery},
    error::{Error, Result},
    store::{DeadLetters, Failure, Settled, Undelivered},
};
use tidings_domain::{
    command::Command,
    event::{EventType, Topic},
    id::{TaskId, UserId},
};
use uuid::Uuid;

use super::kit::{Kit, NOON, TestStore};

fn letter(user_id: UserId, task_id: Option<TaskId>) -> Undelivered {
    let event_id = Uuid::now_v7().to_string();
    let payload = json!({ "id": event_id, "topic": "task-events", "data": {
        "event_id": event_id, "event_type": "task.created", "version": "1.0",
        "timestamp": NOON, "user_id": user_id, "task_id": task_id } });
    Undelivered {
        topic: Topic::TaskEvents,
        event_id,
        user_id: Some(user_id),
        task_id,
        payload: payload.to_string(),
        received_at: NOON,
    }
}

fn failure(letter: &Undelivered, error: &str) -> Failure {
    Failure {
        topic: letter.topic,
        event_id: letter.event_id.clone(),
        consumer: Some("audit"),
        error: error.into(),
        at: NOON,
    }
}

async fn kept(letters: &dyn DeadLetters) -> Vec<String> {
    let kept = letters.letters(0, 100).await.unwrap();
    assert_eq!(letters.count_letters().await.unwrap(), kept.len() as i64);
    kept.into_iter().map(|letter| letter.event_id).collect()
}

/// Sets rows of a person aside; which.
async fn set_aside(kit: &Kit, user: UserId) -> Vec<i64> {
    let until = NOON.plus_ms(30_000);
    let rows = kit.store.claim(Uuid::nil(), NOON, until, 100).await;
    let rows = rows.unwrap().into_iter();
    let ids: Vec<_> = rows
        .filter(|row| row.user_id == Some(user))
        .map(|row| row.id)
        .collect();
    let error = "413\0".to_owned();
    let dead = ids.iter().map(|id| Settled::Dead {
        id: *id,
        error: error.clone(),
    });
    kit.store.settle(&dead.collect::<Vec<_>>()).await.unwrap();
    ids
}

pub(crate) async fn rows_that_were_set_aside_are_listed_put_back_and_dropped(
    store: impl TestStore,
) {
    let kit = store.kit();
    let aside = &*kit.store;
    let ann = kit.person("ann").await;
    kit.add_titled(ann, "Milk").await;
    let ids = set_aside(kit, ann).await;
    let rows = aside.aside(0, 100).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.id).collect::<Vec<_>>(), ids);
    assert!(rows[0].error.starts_with("413"));
    assert_eq!(rows[0].attempts, 1);
    assert_eq!(rows[0].event_type, EventType::UserRegistered.as_str());
    assert_eq!(aside.aside(ids[0], 1).await.unwrap(), rows[1..2]);

    let mut out = Vec::new();
    commands::list_outbox(aside, &mut out).await.unwrap();
    let list = String::from_utf8(out).unwrap();
    assert_eq!(list.lines().count(), ids.len());
    assert!(list.contains("user.registered") && list.contains("413"));
    assert!(!list.contains("Milk"), "no contents");

    let one = Which::These(vec![ids[0], 999]);
    let missing = commands::retry_outbox(aside, &one, &mut Vec::new()).await;
    assert!(missing.unwrap_err().to_string().contains("999"));
    let until = NOON.plus_ms(30_000);
    let again = kit
        .store
        .claim(Uuid::nil(), NOON, until, 100)
        .await
        .unwrap();
    assert_eq!(again.iter().map(|row| row.id).collect::<Vec<_>>(), ids[..1]);
    assert_eq!(again[0].attempts, 0);

    commands::drop_outbox(aside, &Which::All, &mut Vec::new())
        .await
        .unwrap();
    assert!(aside.aside(0, 100).await.unwrap().is_empty());
    let depth = kit.store.depth().await.unwrap();
    assert_eq!(
        depth.iter().map(|d| d.pending).sum::<i64>(),
        1,
        "what waits stays"
    );
    assert_eq!(store.faults().await, Vec::<String>::new());
}

pub(crate) async fn a_dead_letter_is_kept_once_and_knows_what_was_noted(store: impl TestStore) {
    let letters = &*store.kit().store;
    let ann = UserId(Uuid::now_v7());
    let (known, unknown) = (letter(ann, None), letter(ann, None));
    letters
        .note_failure(&failure(&known, "first"))
        .await
        .unwrap();
    letters
        .note_failure(&failure(&known, "last"))
        .await
        .unwrap();
    for letter in [&known, &unknown, &known] {
        letters.keep(letter).await.unwrap();
    }
    let kept = letters.letters(0, 100).await.unwrap();
    assert_eq!(kept.len(), 2);
    let told = |n: usize| (kept[n].consumer.as_deref(), kept[n].error.as_deref());
    assert_eq!(told(0), (Some("audit"), Some("last")));
    assert_eq!(told(1), (None, None));
    assert_eq!(
        (&kept[0].payload, kept[0].received_at),
        (&known.payload, NOON)
    );
    assert_eq!(letters.letters(kept[0].id, 1).await.unwrap(), kept[1..]);
}

pub(crate) async fn a_dead_letter_goes_with_its_task_and_its_person(store: impl TestStore) {
    let kit = store.kit();
    let letters = &*kit.store;
    let ann = kit.person("ann").await;
    let bob = kit.person("bob").await;
    let task = kit.add_titled(ann, "A secret").await;
    let of_task = letter(ann, Some(task.id));
    let of_ann = letter(ann, None);
    let of_bob = letter(bob, Some(task.id));
    for letter in [&of_task, &of_ann, &of_bob] {
        letters.keep(letter).await.unwrap();
    }
    kit.change(ann, task.id, Command::Delete).await.unwrap();
    assert_eq!(kept(letters).await.len(), 3);
    kit.change(ann, task.id, Command::Purge).await.unwrap();
    assert_eq!(kept(letters).await, [&*of_ann.event_id, &*of_bob.event_id]);
    let gone = kit.loose(EventType::UserDeleted, Some(ann));
    kit.store.delete_account(ann, &gone).await.unwrap();
    assert_eq!(kept(letters).await, [&*of_bob.event_id]);
}

/// Handles what is of one person.
struct Only(UserId);

#[async_trait]
impl Consumer for Only {
    fn name(&self) -> &'static str {
        "only"
    }

    fn topics(&self) -> &'static [Topic] {
        &[Topic::TaskEvents]
    }

    async fn handle(&self, deliveries: &[Delivery]) -> Result<()> {
        match deliveries.iter().all(|d| d.user_id == Some(self.0)) {
            true => Ok(()),
            false => Err(Error::internal("not mine")),
        }
    }
}

pub(crate) async fn retrying_runs_the_handlers_and_keeps_what_they_cannot_handle(
    store: impl TestStore,
) {
    let letters = &*store.kit().store;
    let (ann, bob) = (UserId(Uuid::now_v7()), UserId(Uuid::now_v7()));
    let (good, bad) = (letter(ann, None), letter(bob, None));
    for letter in [&good, &bad] {
        letters.keep(letter).await.unwrap();
    }
    let consumers = Consumers::new(vec![Arc::new(Only(ann))]);
    let mut out = Vec::new();
    let done = commands::retry_letters(letters, &consumers, &Which::All, &mut out).await;
    assert!(done.unwrap_err().to_string().contains("not mine"));
    assert_eq!(String::from_utf8(out).unwrap(), "1 letters were handled\n");
    let left = letters.letters(0, 100).await.unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].event_id, bad.event_id);
    assert_eq!(left[0].consumer.as_deref(), Some("only"));
    let one = Which::These(vec![left[0].id]);
    commands::drop_letters(letters, &one, &mut Vec::new())
        .await
        .unwrap();
    let none = commands::retry_letters(letters, &consumers, &one, &mut Vec::new()).await;
    assert!(none.unwrap_err().to_string().contains("there is no such"));
    let mut out = Vec::new();
    commands::list_letters(letters, &mut out).await.unwrap();
    assert!(out.is_empty());
}

pub(crate) async fn keeps_a_dead_letter_whatever_it_holds(store: impl TestStore) {
    let letters = &*store.kit().store;
    let mut letter = letter(UserId(Uuid::now_v7()), None);
    letter.event_id = format!("\0{}", Uuid::now_v7()).repeat(200);
    letter.payload.push('\0');
    let failure = failure(&letter, "unknown version \0");
    letters.note_failure(&failure).await.unwrap();
    for _ in 0..2 {
        letters.keep(&letter).await.unwrap();
    }
    let kept = letters.letters(0, 100).await.unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].consumer.as_deref(), Some("audit"));
    let again = letters.letter_failed(kept[0].id, None, "again \0").await;
    again.unwrap();
}
