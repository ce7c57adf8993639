//! What left the outbox, held against what consumers took in.

use tidings::store::{AuditEntry, Settled};
use tidings_domain::{
    event::{EventType, Topic},
    id::UserId,
};
use uuid::Uuid;

use super::kit::{Kit, NOON, TestStore, read};

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
    let missed = async |from| kit.store.missed("audit", from, to).await.unwrap();
    let all = missed(0).await;
    assert_eq!(all.len(), 5);
    assert!(all[0].contains("user.registered"));
    let (_, log) = kit.store.events(ann, 0, 10).await.unwrap();
    assert_eq!(all[4], log[1].json, "the oldest first");
    record(kit, ann, 0).await;
    let left = missed(0).await;
    assert_eq!(left.len(), 4);
    assert!(!left.contains(&log[0].json));
    assert_eq!(kit.store.missed("other", 0, to).await.unwrap().len(), 5);
    assert_eq!(missed(to).await.len(), 0);
    assert_eq!(
        kit.store.missed("audit", 0, to - 1).await.unwrap(),
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
    let missed = kit.store.missed("audit", at("audit").await, end).await;
    assert_eq!(missed.unwrap().len(), 1);
}
