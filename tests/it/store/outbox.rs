//! The outbox and the audit trail.

use tidings::store::{AuditEntry, OutboxRow, Settled};
use tidings_domain::{
    command::Command,
    event::{EventType, Topic},
    id::{EventId, UserId},
    time::Timestamp,
};
use uuid::Uuid;

use super::kit::{Kit, NOON, TestStore};

const LEASE: i64 = 30_000;

async fn claim(kit: &Kit, holder: Uuid, now: Timestamp) -> Vec<OutboxRow> {
    kit.store
        .claim(holder, now, now.plus_ms(LEASE), 1000)
        .await
        .unwrap()
}

fn of(rows: &[OutboxRow], topic: Topic) -> Vec<&OutboxRow> {
    rows.iter().filter(|row| row.topic == topic).collect()
}

pub(crate) async fn hands_out_in_order(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    let task = kit.add_titled(ann, "Buy milk").await;
    kit.change(ann, task.id, Command::Complete(None))
        .await
        .unwrap();
    let rows = claim(kit, Uuid::nil(), NOON).await;
    assert_eq!(of(&rows, Topic::UserEvents).len(), 1);
    for topic in [Topic::TaskEvents, Topic::TaskUpdates] {
        let rows = of(&rows, topic);
        let types: Vec<_> = rows.iter().map(|r| r.event_type.as_str()).collect();
        assert_eq!(types, ["task.created", "task.completed"]);
        assert!(
            rows.iter()
                .all(|r| r.user_id == Some(ann) && r.subject == task.id.to_string())
        );
        assert!(rows.iter().all(|r| r.attempts == 0 && r.timestamp == NOON));
    }
    let (_, log) = kit.store.events(ann, 0, 10).await.unwrap();
    assert_eq!(of(&rows, Topic::TaskEvents)[1].json, log[1].json);
    // Claimed anew until they are settled; then gone.
    assert_eq!(claim(kit, Uuid::nil(), NOON).await, rows);
    let done: Vec<_> = rows.iter().map(|r| Settled::Done(r.id)).collect();
    kit.store.settle(&done).await.unwrap();
    assert!(claim(kit, Uuid::nil(), NOON).await.is_empty());
}

pub(crate) async fn leases_pairs(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    kit.add_titled(ann, "Buy milk").await;
    let (one, two) = (Uuid::now_v7(), Uuid::now_v7());
    let rows = claim(kit, one, NOON).await;
    assert_eq!(rows.len(), 3);
    kit.add_titled(ann, "Call home").await;
    let bob = kit.person("bob").await;
    // New rows of a pair that is leased are not the other's, new pairs are.
    let others = claim(kit, two, NOON).await;
    assert_eq!(others.len(), 1);
    assert_eq!(others[0].user_id, Some(bob));
    let mine = claim(kit, one, NOON).await;
    assert_eq!(mine.len(), 5);
    assert!(mine.iter().all(|row| row.user_id == Some(ann)));
    // To claim is to go on with the lease; to release or to fall silent is to lose it.
    let later = NOON.plus_ms(LEASE - 1);
    assert_eq!(claim(kit, one, later).await.len(), 5);
    assert_eq!(claim(kit, two, NOON.plus_ms(LEASE + 1)).await.len(), 1);
    assert_eq!(claim(kit, two, later.plus_ms(LEASE)).await.len(), 6);
    assert!(claim(kit, one, later.plus_ms(LEASE)).await.is_empty());
    kit.store.release(two).await.unwrap();
    assert_eq!(claim(kit, one, later.plus_ms(LEASE)).await.len(), 6);
}

pub(crate) async fn holds_back_what_is_behind_a_failure(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    let bob = kit.person("bob").await;
    for user in [ann, bob, ann] {
        kit.add_titled(user, "Task").await;
    }
    let rows = claim(kit, Uuid::nil(), NOON).await;
    let anns = |rows: &[OutboxRow]| {
        let rows = of(rows, Topic::TaskEvents).into_iter();
        rows.filter(|r| r.user_id == Some(ann))
            .map(|r| (r.id, r.attempts))
            .collect::<Vec<_>>()
    };
    let first = anns(&rows)[0].0;
    let second = anns(&rows)[1].0;
    let retry = Settled::Retry {
        id: first,
        at: NOON.plus_ms(500),
        error: "no".into(),
    };
    kit.store.settle(&[retry]).await.unwrap();
    let meanwhile = claim(kit, Uuid::nil(), NOON).await;
    assert!(anns(&meanwhile).is_empty());
    assert_eq!(meanwhile.len(), rows.len() - 2, "other pairs go on");
    let then = claim(kit, Uuid::nil(), NOON.plus_ms(500)).await;
    assert_eq!(anns(&then), [(first, 1), (second, 0)]);
    let dead = Settled::Dead {
        id: first,
        error: "never".into(),
    };
    kit.store.settle(&[dead]).await.unwrap();
    assert_eq!(anns(&claim(kit, Uuid::nil(), NOON).await), [(second, 0)]);
    let depth = kit.store.depth().await.unwrap();
    let depth = depth.iter().find(|d| d.topic == Topic::TaskEvents).unwrap();
    assert_eq!(
        (depth.pending, depth.dead, depth.oldest),
        (2, 1, Some(NOON))
    );
}

pub(crate) async fn claims_the_oldest_first(store: impl TestStore) {
    let kit = store.kit();
    let nobody = kit.loose(EventType::LoginFailed, None);
    kit.store.record(&nobody).await.unwrap();
    for n in 0..5 {
        kit.person(&format!("p{n}")).await;
    }
    let rows = kit
        .store
        .claim(Uuid::nil(), NOON, NOON.plus_ms(LEASE), 2)
        .await
        .unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!((rows[0].user_id, rows[0].event_id), (None, nobody.event_id));
    assert_eq!(rows[0].topic, Topic::AuditLogs);
    // What is leased does not hide what is not.
    let other = Uuid::now_v7();
    let rows = kit
        .store
        .claim(other, NOON, NOON.plus_ms(LEASE), 2)
        .await
        .unwrap();
    assert_eq!(rows.len(), 2);
    let users: Vec<UserId> = rows.iter().filter_map(|r| r.user_id).collect();
    assert_eq!(users.len(), 2);
}

pub(crate) async fn claims_no_more_than_so_many_bytes(store: impl TestStore) {
    let kit = store.kit();
    let sized = async |bytes: usize| {
        let mut event = kit.loose(EventType::LoginFailed, None);
        event.data = serde_json::json!({ "words": "€".repeat(bytes / 3) });
        kit.store.record(&event).await.unwrap();
        event.event_id
    };
    let mut written = Vec::new();
    for _ in 0..40 {
        written.push(sized(250_000).await);
    }
    // One that is larger than all of it, and one behind it.
    written.push(sized(9 << 20).await);
    written.push(sized(10).await);
    let mut claimed = Vec::new();
    let mut parts = Vec::new();
    loop {
        let rows = claim(kit, Uuid::nil(), NOON).await;
        if rows.is_empty() {
            break;
        }
        let bytes: usize = rows.iter().map(|row| row.json.len()).sum();
        assert!(bytes <= 8 << 20 || rows.len() == 1, "{bytes}");
        parts.push(rows.len());
        claimed.extend(rows.iter().map(|row| row.event_id));
        let done: Vec<_> = rows.iter().map(|row| Settled::Done(row.id)).collect();
        kit.store.settle(&done).await.unwrap();
    }
    assert_eq!(claimed, written);
    assert_eq!(parts, [33, 7, 1, 1]);
}

pub(crate) async fn records_once_what_the_inbox_forgot(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    kit.add_titled(ann, "Task").await;
    let (_, events) = kit.store.events(ann, 0, 1).await.unwrap();
    let event = super::kit::read(&events[0]);
    let entry = AuditEntry {
        event_id: event.event_id,
        event_type: event.event_type.as_str().into(),
        user_id: Some(ann),
        seq: event.seq,
        timestamp: NOON,
        recorded_at: NOON,
    };
    kit.store
        .record_audit(std::slice::from_ref(&entry), false)
        .await
        .unwrap();
    store.run("DELETE FROM inbox").await;
    kit.store.record_audit(&[entry], false).await.unwrap();
    assert_eq!(kit.store.audit(ann, 0, 10).await.unwrap().len(), 1);
}

pub(crate) async fn records_an_event_once(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    let bob = kit.person("bob").await;
    let mut entries = Vec::new();
    for (n, user) in [(1, ann), (1, bob), (2, ann)] {
        kit.add_titled(user, "Task").await;
        let (_, events) = kit.store.events(user, n - 1, 1).await.unwrap();
        let event = super::kit::read(&events[0]);
        entries.push(AuditEntry {
            event_id: event.event_id,
            event_type: event.event_type.as_str().into(),
            user_id: Some(user),
            seq: event.seq,
            timestamp: NOON,
            recorded_at: NOON.plus_ms(5),
        });
    }
    kit.store.record_audit(&entries[..2], false).await.unwrap();
    // Redelivered, with a double, and one that is new.
    let again = [entries.clone(), entries.clone()].concat();
    kit.store.record_audit(&again, false).await.unwrap();
    let trail = kit.store.audit(ann, 0, 10).await.unwrap();
    assert_eq!(
        trail.iter().map(|r| r.seq).collect::<Vec<_>>(),
        [Some(1), Some(2)]
    );
    assert!(trail[0].n < trail[1].n);
    assert_eq!(trail[0].event_id, entries[0].event_id);
    assert_eq!(trail[0].recorded_at, NOON.plus_ms(5));
    assert_eq!(
        kit.store.audit(ann, trail[0].n, 10).await.unwrap(),
        trail[1..]
    );
    assert_eq!(kit.store.audit(bob, 0, 10).await.unwrap().len(), 1);
    assert_eq!(store.faults().await, Vec::<String>::new());
    let unknown = AuditEntry {
        event_id: EventId(Uuid::now_v7()),
        ..entries[0].clone()
    };
    kit.store.record_audit(&[unknown], false).await.unwrap();
    assert_eq!(
        store.faults().await.len(),
        1,
        "a row without its event is a fault"
    );
}

pub(crate) async fn writes_nothing_where_there_is_nothing_to_claim(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    let (one, two) = (Uuid::now_v7(), Uuid::now_v7());
    let until = NOON.plus_ms(30_000);
    let rows = kit.store.claim(one, NOON, until, 10).await.unwrap();
    let retry = Settled::Retry {
        id: rows[0].id,
        at: NOON.plus_ms(60_000),
        error: "away".into(),
    };
    kit.store.settle(&[retry]).await.unwrap();
    // It stands behind the one that waits.
    let event = kit.loose(EventType::UserDeleted, Some(ann));
    kit.store.record(&event).await.unwrap();
    // Whoever claims says first until when.
    let later = NOON.plus_ms(40_000);
    let said = format!("holders WHERE until = {}", later.0);
    for holder in [one, two] {
        let rows = kit.store.claim(holder, NOON, later, 10).await.unwrap();
        assert!(rows.is_empty());
    }
    assert_eq!(store.rows(&said).await, 0);
    // Nor where another has what there is.
    kit.add_titled(ann, "Buy milk").await;
    let rows = kit.store.claim(one, NOON, until, 10).await.unwrap();
    assert_eq!(rows.len(), 2);
    let rows = kit.store.claim(two, NOON, later, 10).await.unwrap();
    assert!(rows.is_empty());
    assert_eq!(store.rows(&said).await, 0);
}
