//! Reminders: told of once, whatever happens.

use serde_json::{Value, json};
use tidings_domain::{
    command::{Command, TaskPatch},
    event::{EventType, Topic},
    id::{TaskId, UserId},
    task::Task,
    time::Timestamp,
};
use uuid::Uuid;

use super::kit::{Kit, NOON, TestStore, titled};

const HOUR: i64 = 3_600_000;

fn reminding(title: &str, at: Timestamp) -> TaskPatch {
    TaskPatch {
        remind_at: Some(Some(at)),
        ..titled(title)
    }
}

async fn move_to(kit: &Kit, user: UserId, task: TaskId, at: Option<Timestamp>) -> Task {
    let patch = TaskPatch {
        remind_at: Some(at),
        ..TaskPatch::default()
    };
    let moved = kit.change(user, task, Command::Edit(patch)).await;
    moved.unwrap().task.unwrap()
}

/// Tells of what is due now.
async fn remind(kit: &Kit) -> usize {
    let now = tidings::clock::Clock::now(&*kit.clock);
    kit.store.remind(now, 500).await.unwrap()
}

/// Reminders that wait in the outbox, in order.
async fn told(kit: &Kit) -> Vec<Value> {
    let far = Timestamp::MAX;
    let rows = kit.store.claim(Uuid::nil(), far, far, 100_000).await;
    let rows = rows.unwrap().into_iter();
    let reminders = rows.filter(|row| row.topic == Topic::Reminders);
    reminders
        .map(|row| serde_json::from_str(&row.json).unwrap())
        .collect()
}

fn titles(reminders: &[Value]) -> Vec<&str> {
    reminders
        .iter()
        .map(|reminder| reminder["data"]["title"].as_str().unwrap())
        .collect()
}

pub(crate) async fn tells_of_what_is_due(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    let milk = TaskPatch {
        due_date: Some("2026-12-10".parse().ok()),
        due_time: Some("15:00".parse().ok()),
        ..reminding("Milk", NOON.plus_ms(HOUR))
    };
    let milk = kit.add(ann, milk).await;
    let rent = kit
        .add(ann, reminding("Rent", NOON.plus_ms(2 * HOUR)))
        .await;
    kit.add_titled(ann, "Whenever").await;
    assert_eq!(remind(kit).await, 0);
    assert!(told(kit).await.is_empty());
    kit.clock.advance(HOUR);
    assert_eq!(remind(kit).await, 1);
    let one = &told(kit).await[0];
    let at = NOON.plus_ms(HOUR).to_string();
    assert_eq!(one["event_type"], "reminder.due");
    assert_eq!(one["seq"], Value::Null);
    assert_eq!(one["task_data"], Value::Null);
    assert_eq!(one["task_id"], json!(milk.id));
    let id = Uuid::new_v5(&milk.id.0, at.as_bytes());
    assert_eq!(one["event_id"], json!(id));
    let data = json!({ "task_id": milk.id, "user_id": ann, "title": "Milk",
        "due_at": "2026-12-10T14:00:00.000Z", "due_date": "2026-12-10", "due_time": "15:00",
        "remind_at": at, "late": false });
    assert_eq!(one["data"], data);
    // After an outage, once, and late.
    kit.clock.advance(HOUR + 600_000);
    assert_eq!((remind(kit).await, remind(kit).await), (1, 0));
    let both = told(kit).await;
    assert_eq!(titles(&both), ["Milk", "Rent"]);
    assert_eq!(both[1]["data"]["late"], true);
    // Whatever else changes of a task, it is not told again, and no event of its history is it.
    kit.change(ann, rent.id, Command::Edit(titled("Pay the rent")))
        .await
        .unwrap();
    assert_eq!(remind(kit).await, 0);
    let history = kit.store.history(ann, rent.id, 0, 10).await.unwrap();
    assert_eq!(history.len(), 2);
    assert_eq!(store.faults().await, Vec::<String>::new());
}

pub(crate) async fn a_reminder_moves_and_goes_with_its_task(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    let at = |hours: i64| NOON.plus_ms(hours * HOUR);
    let done = kit.add(ann, reminding("Done", at(1))).await;
    let gone = kit.add(ann, reminding("Gone", at(1))).await;
    let none = kit.add(ann, reminding("None", at(1))).await;
    let later = kit.add(ann, reminding("Later", at(1))).await;
    let done_id = done.id;
    let complete = |completed| kit.change(ann, done_id, Command::Complete(Some(completed)));
    complete(true).await.unwrap();
    kit.change(ann, gone.id, Command::Delete).await.unwrap();
    move_to(kit, ann, none.id, None).await;
    move_to(kit, ann, later.id, Some(at(3))).await;
    kit.clock.set(at(2));
    assert_eq!(remind(kit).await, 0);
    // What is open again is told of, late as it is.
    complete(false).await.unwrap();
    assert_eq!(remind(kit).await, 1);
    kit.clock.set(at(3));
    assert_eq!(remind(kit).await, 1);
    assert_eq!(titles(&told(kit).await), ["Done", "Later"]);
}

pub(crate) async fn a_time_is_told_of_once_however_often_it_comes(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    let (first, second) = (NOON.plus_ms(HOUR), NOON.plus_ms(2 * HOUR));
    let task = kit.add(ann, reminding("Milk", first)).await;
    kit.clock.set(second);
    assert_eq!(remind(kit).await, 1);
    // Snoozed, told, and put back to a time that was told of.
    move_to(kit, ann, task.id, Some(second)).await;
    assert_eq!(remind(kit).await, 1);
    move_to(kit, ann, task.id, Some(first)).await;
    remind(kit).await;
    // The clock goes back, and forth again.
    kit.clock.set(NOON);
    remind(kit).await;
    move_to(kit, ann, task.id, Some(second)).await;
    kit.clock.set(second.plus_ms(HOUR));
    remind(kit).await;
    assert_eq!(told(kit).await.len(), 2);
}

pub(crate) async fn many_are_told_of_once_by_many(store: impl TestStore) {
    let kit = store.kit();
    let people = [kit.person("ann").await, kit.person("bob").await];
    let at = NOON.plus_ms(60_000);
    let adds = (0..600).map(|n| kit.add(people[n % 2], reminding(&format!("t{n}"), at)));
    futures_util::future::join_all(adds).await;
    kit.clock.set(at);
    // As replicas do; meanwhile the tasks change.
    tokio::join!(
        async { while kit.store.remind(at, 50).await.unwrap() == 50 {} },
        async { while kit.store.remind(at, 70).await.unwrap() == 70 {} },
        async {
            for _ in 0..20 {
                kit.add(people[0], reminding("more", at)).await;
            }
        }
    );
    while remind(kit).await > 0 {}
    let mut ids: Vec<_> = told(kit)
        .await
        .iter()
        .map(|r| r["event_id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(ids.len(), 620);
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 620);
    assert_eq!(store.faults().await, Vec::<String>::new());
}

pub(crate) async fn a_reminder_loses_its_contents_with_its_task(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    let task = kit.add(ann, reminding("Secret", NOON)).await;
    assert_eq!(remind(kit).await, 1);
    kit.change(ann, task.id, Command::Delete).await.unwrap();
    kit.change(ann, task.id, Command::Purge).await.unwrap();
    let told = told(kit).await;
    assert_eq!(
        told[0]["data"],
        json!({ "task_id": task.id, "user_id": ann })
    );
    let event = kit.loose(EventType::UserDeleted, Some(ann));
    kit.store.delete_account(ann, &event).await.unwrap();
    assert_eq!(store.rows("events").await, 1);
}
