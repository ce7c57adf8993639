//! What left the outbox, held against what consumers took in.

use std::sync::Arc;

use tidings::{
    clock::{Ambient, RandomIds},
    consumers::{
        Consumers, Delivery, catch_up::CatchUp, notifications::Notifications,
        onboarding::Onboarding,
    },
    metrics::{self, Metrics},
    store::{AuditEntry, Settled},
};
use tidings_domain::{
    command::TaskPatch,
    event::{EventType, Topic},
    id::{EventId, UserId},
    notice::{Channels, Kind, Settings},
};
use uuid::Uuid;

use super::kit::{Kit, NOON, TestStore, read, titled};

const TOPICS: [Topic; 3] = [Topic::TaskEvents, Topic::UserEvents, Topic::AuditLogs];

/// Settles everything that waits but for what `keep` says.
async fn publish(kit: &Kit, keep: impl Fn(Topic, &str) -> bool) -> Vec<i64> {
    let until = NOON.plus_ms(30_000);
    let rows = kit.store.claim(Uuid::nil(), NOON, until, 1_000).await;
    let rows = rows.unwrap().into_iter();
    let (kept, gone): (Vec<_>, Vec<_>) = rows.partition(|row| keep(row.topic, &row.event_type));
    let gone: Vec<_> = gone.iter().map(|row| Settled::Done(row.id)).collect();
    kit.store.settle(&gone).await.unwrap();
    kept.iter().map(|row| row.id).collect()
}

pub(crate) async fn knows_how_far_the_log_was_published(store: impl TestStore) {
    let kit = store.kit();
    let to = async || kit.store.published_to(&TOPICS).await.unwrap();
    assert_eq!(to().await, 0);
    let ann = kit.person("ann").await;
    assert_eq!(to().await, 0);
    publish(kit, |_, _| false).await;
    let first = to().await;
    assert!(first > 0);
    kit.add_titled(ann, "Buy milk").await;
    kit.add_titled(ann, "Call home").await;
    assert_eq!(to().await, first);
    // Of topics that nobody asked for, rows do not count; nor do those that were set aside.
    let waits = publish(kit, |topic, _| topic != Topic::UserEvents).await;
    assert_eq!(waits.len(), 4);
    assert_eq!(to().await, first);
    let waits = publish(kit, |topic, _| topic == Topic::TaskEvents).await;
    let dead = waits[..1].iter().map(|id| Settled::Dead {
        id: *id,
        error: "never".into(),
    });
    kit.store.settle(&dead.collect::<Vec<_>>()).await.unwrap();
    let second = to().await;
    assert!(first < second);
    publish(kit, |_, _| false).await;
    assert!(second < to().await);
}

pub(crate) async fn finds_what_a_consumer_never_took_in(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    let bob = kit.person("bob").await;
    for user in [ann, bob, ann] {
        kit.add_titled(user, "Task").await;
    }
    publish(kit, |_, _| false).await;
    let to = kit.store.published_to(&TOPICS).await.unwrap();
    let missed = async |from| {
        kit.store
            .missed("audit", &EventType::ALL, from, to)
            .await
            .unwrap()
    };
    let all = missed(0).await;
    assert_eq!(all.len(), 5);
    assert!(all[0].contains("user.registered"));
    let (_, log) = kit.store.events(ann, 0, 10).await.unwrap();
    assert_eq!(all[4], log[1].json, "the oldest first");
    record(kit, ann, 0).await;
    let left = missed(0).await;
    assert_eq!(left.len(), 4);
    assert!(!left.contains(&log[0].json));
    assert_eq!(
        kit.store
            .missed("other", &EventType::ALL, 0, to)
            .await
            .unwrap()
            .len(),
        5
    );
    assert_eq!(missed(to).await.len(), 0);
    let signed_up = [EventType::UserRegistered];
    let signed_up = kit.store.missed("audit", &signed_up, 0, to).await;
    assert_eq!(signed_up.unwrap(), left[..2]);
    let ids = [read(&log[0]).event_id, EventId(Uuid::now_v7())];
    let noted = kit.store.noted("audit", &ids).await.unwrap();
    assert_eq!(noted, [ids[0]].into());
    let noted = kit.store.noted("other", &ids).await.unwrap();
    assert!(noted.is_empty());
    assert_eq!(
        kit.store
            .missed("audit", &EventType::ALL, 0, to - 1)
            .await
            .unwrap(),
        left[..3]
    );
}

/// Records one of a person's events.
async fn record(kit: &Kit, user: UserId, after: i64) {
    let (_, log) = kit.store.events(user, after, 1).await.unwrap();
    let event = read(&log[0]);
    let entry = AuditEntry {
        event_id: event.event_id,
        event_type: event.event_type.as_str().into(),
        user_id: Some(user),
        seq: event.seq,
        timestamp: NOON,
        recorded_at: NOON,
    };
    kit.store.record_audit(&[entry], false).await.unwrap();
}

pub(crate) async fn remembers_up_to_where_it_compared(store: impl TestStore) {
    let kit = store.kit();
    let at = async |consumer| kit.store.compared_to(consumer).await.unwrap();
    kit.person("bob").await;
    let ann = kit.person("ann").await;
    publish(kit, |_, _| false).await;
    let to = kit.store.published_to(&TOPICS).await.unwrap();
    assert_eq!(at("audit").await, 0);
    kit.store.compared("audit", 0, to).await.unwrap();
    // Another was faster.
    kit.store.compared("audit", 0, 1).await.unwrap();
    assert_eq!((at("audit").await, at("other").await), (to, 0));
    // What comes where somebody was who is gone is compared, too.
    let gone = kit.loose(EventType::UserDeleted, Some(ann));
    kit.store.delete_account(ann, &gone).await.unwrap();
    publish(kit, |_, _| false).await;
    let end = kit.store.published_to(&TOPICS).await.unwrap();
    let missed = kit
        .store
        .missed("audit", &EventType::ALL, at("audit").await, end)
        .await;
    assert_eq!(missed.unwrap().len(), 1);
}

/// Compares the log with the inboxes of those who tell people: how many events each of them was handed
/// over.
async fn caught_up(kit: &Kit, consumers: &Consumers) -> [u64; 2] {
    let metrics = Metrics::new(metrics::seconds());
    let mut catch_up = CatchUp::new(consumers, kit.store.clone(), None, metrics.clone());
    for _ in 0..2 {
        catch_up.look().await;
    }
    let text = metrics.text();
    ["notifications", "onboarding"].map(|name| {
        let told = format!("consumer=\"{name}\",outcome=\"recovered\"}} ");
        let count = text.lines().find_map(|line| line.split_once(&told));
        count.unwrap().1.parse().unwrap()
    })
}

/// Compares all of the log anew.
async fn from_the_start(kit: &Kit) {
    for name in ["notifications", "onboarding"] {
        let at = kit.store.compared_to(name).await.unwrap();
        kit.store.compared(name, at, 0).await.unwrap();
    }
}

pub(crate) async fn what_was_lost_of_what_people_are_told_is_told_once(store: impl TestStore) {
    let kit = store.kit();
    let [ann, bob, cyd] = [
        kit.person("ann").await,
        kit.person("bob").await,
        kit.person("cyd").await,
    ];
    let mut quiet = Settings::default();
    *quiet.of_mut(Kind::Reminder) = Channels::default();
    kit.store.set_notice_settings(cyd, &quiet).await.unwrap();
    for user in [ann, bob, cyd] {
        let reminding = TaskPatch {
            remind_at: Some(Some(NOON)),
            ..titled("Milk")
        };
        kit.add(user, reminding).await;
    }
    kit.store.remind(NOON, 10).await.unwrap();
    publish(kit, |_, _| false).await;
    let ambient = Ambient {
        clock: kit.clock.clone(),
        ids: Arc::new(RandomIds),
    };
    let consumers = Consumers::new(vec![
        Arc::new(Notifications::new(kit.store.clone(), kit.clock.clone())),
        Arc::new(Onboarding::new(kit.store.clone(), ambient, true)),
    ]);
    // The broker brings what is Bob's, and that Cyd is to be reminded.
    let types = [EventType::UserRegistered, EventType::ReminderDue];
    let log = kit.store.missed("nobody", &types, 0, i64::MAX).await;
    for json in log.unwrap() {
        let delivery = Delivery::read(json).unwrap();
        let is_reminder = delivery.event_type == "reminder.due";
        if delivery.user_id == Some(bob) || delivery.user_id == Some(cyd) && is_reminder {
            let topic = [Topic::UserEvents, Topic::Reminders][usize::from(is_reminder)];
            consumers.deliver(topic, &[delivery]).await;
        }
    }
    let told = async || {
        let mut told = Vec::new();
        for user in [ann, bob, cyd] {
            let list = kit.store.notifications(user, false, None, 10).await;
            let feed = kit.feed(user).await;
            let made = feed
                .iter()
                .filter(|e| e.event_type == EventType::TaskCreated);
            told.push((list.unwrap().len(), made.count()));
        }
        (told, store.rows("mails").await)
    };
    assert_eq!(told().await, (vec![(0, 1), (1, 4), (0, 1)], 2));
    assert_eq!(caught_up(kit, &consumers).await, [1, 2]);
    // A welcome each, and two reminders.
    let all = (vec![(1, 4), (1, 4), (0, 4)], 5);
    assert_eq!(told().await, all);
    from_the_start(kit).await;
    assert_eq!(caught_up(kit, &consumers).await, [0, 0]);
    // Nor is anybody told of what the inbox has long forgotten.
    kit.clock.advance(31 * 86_400_000);
    store.run("DELETE FROM inbox").await;
    from_the_start(kit).await;
    assert_eq!(caught_up(kit, &consumers).await, [0, 0]);
    assert_eq!(told().await, all);
}
