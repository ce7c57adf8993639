//! What is kept no longer than it is needed.

use std::{sync::Arc, time::Duration};

use tidings::{
    clock::{Ambient, Clock, RandomIds},
    service,
    store::{AuditEntry, KEPT_MS, MailRow, Receipt, Session, Settled, Tally, Undelivered},
};
use tidings_domain::{
    command::Command,
    event::{EventType, Topic},
    id::{EventId, Ids, UserId},
};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    kit::{Kit, NOON, TestStore, read, titled},
    notices::notice,
};

const DAY_MS: i64 = 86_400_000;

/// Waits until a table has so many rows.
pub(super) async fn has(store: &impl TestStore, table: &str, rows: i64) {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let count = store.rows(table).await;
        if count == rows {
            return;
        }
        assert!(Instant::now() < deadline, "{table} has {count} rows");
        sleep(Duration::from_millis(5)).await;
    }
}

/// The audit consumer takes in all that waits, now.
async fn take_in(kit: &Kit) -> Vec<EventId> {
    let (now, all) = (kit.clock.now(), 1_000);
    let until = now.plus_ms(1);
    let rows = kit.store.claim(Uuid::nil(), now, until, all).await.unwrap();
    let entry = |row: &tidings::store::OutboxRow| AuditEntry {
        event_id: row.event_id,
        event_type: row.event_type.clone(),
        user_id: row.user_id,
        seq: None,
        timestamp: row.timestamp,
        recorded_at: now,
    };
    let audited = rows.iter().filter(|row| row.topic != Topic::TaskUpdates);
    let entries: Vec<_> = audited.map(entry).collect();
    kit.store.record_audit(&entries, false).await.unwrap();
    let done: Vec<_> = rows.iter().map(|row| Settled::Done(row.id)).collect();
    kit.store.settle(&done).await.unwrap();
    entries.iter().map(|entry| entry.event_id).collect()
}

pub(crate) async fn forgets_what_was_taken_in_thirty_days_ago(mut store: impl TestStore) {
    let kit = store.kit();
    kit.person("ann").await;
    assert_eq!(take_in(kit).await.len(), 1);
    kit.clock.advance(DAY_MS);
    kit.person("bob").await;
    take_in(kit).await;
    kit.clock.advance(KEPT_MS - DAY_MS + 1);
    // It looks when it starts, and every so often.
    store.reopen().await;
    has(&store, "inbox", 1).await;
    assert_eq!(store.rows("audit").await, 2, "the trail is kept");
    assert_eq!(store.faults().await, Vec::<String>::new());
}

/// Whatever the machine's clock says.
pub(crate) async fn goes_by_one_clock(mut store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    take_in(kit).await;
    kit.clock.advance(2 * KEPT_MS);
    let receipt = || Receipt {
        consumer: "consumer",
        event_id: EventId(kit.ids.next()),
    };
    let mut made = kit.mutation(ann, kit.task_id(), Command::Create(titled("Made")));
    made.receipt = Some(receipt());
    kit.store.mutate(made).await.unwrap();
    kit.store
        .notify(&[notice(kit, ann, None)], &[])
        .await
        .unwrap();
    let tally = Tally {
        event_id: EventId(kit.ids.next()),
        task: None,
    };
    kit.store.tally(&[tally], false).await.unwrap();
    let mail = MailRow {
        id: kit.ids.next(),
        user_id: ann,
        kind: None,
        task_id: None,
        subject: "Welcome".into(),
        body: "There.".into(),
        link: "/".into(),
        link_text: "Open",
        created_at: kit.clock.now().0,
    };
    kit.store.write_mail(&mail, Some(receipt())).await.unwrap();
    take_in(kit).await;
    store.reopen().await;
    has(&store, "inbox", 5).await;
    store.kit().clock.advance(KEPT_MS + 1);
    store.reopen().await;
    has(&store, "inbox", 0).await;
}

pub(crate) async fn remembers_what_may_be_delivered_again(mut store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    kit.add_titled(ann, "Letter").await;
    kit.add_titled(ann, "Aside").await;
    kit.add_titled(ann, "Gone").await;
    let events = take_in(kit).await;
    let letter = Undelivered {
        topic: Topic::TaskEvents,
        event_id: events[1].0.to_string(),
        user_id: Some(ann),
        task_id: None,
        payload: "{}".into(),
        received_at: NOON,
    };
    kit.store.keep(&letter).await.unwrap();
    // Delivered, but whoever published it was never told.
    kit.add_titled(ann, "Set aside").await;
    let until = NOON.plus_ms(1);
    let rows = kit.store.claim(Uuid::nil(), NOON, until, 10).await.unwrap();
    let rows: Vec<_> = rows
        .iter()
        .map(|row| match row.topic {
            Topic::TaskEvents => Settled::Dead {
                id: row.id,
                error: "no answer".into(),
            },
            _ => Settled::Done(row.id),
        })
        .collect();
    kit.store.settle(&rows).await.unwrap();
    let (_, log) = kit.store.events(ann, 3, 1).await.unwrap();
    let event = read(&log[0]);
    let entry = AuditEntry {
        event_id: event.event_id,
        event_type: event.event_type.as_str().into(),
        user_id: Some(ann),
        seq: event.seq,
        timestamp: NOON,
        recorded_at: NOON,
    };
    kit.store.record_audit(&[entry], false).await.unwrap();
    assert_eq!(store.rows("inbox").await, 5);
    // What waits to be published may have been delivered as well.
    let kit = store.kit();
    kit.add_titled(ann, "Waits").await;
    kit.clock.advance(KEPT_MS + 1);
    store.reopen().await;
    // Sessions go in the same round as the inbox; what was begun is done once the store is closed.
    for _ in 0..2 {
        let kit = store.kit();
        session(kit, ann, kit.clock.now()).await;
        store.reopen().await;
        has(&store, "sessions", 0).await;
    }
    assert_eq!(store.rows("inbox").await, 5);
    assert_eq!(take_in(store.kit()).await.len(), 3);
    assert_eq!(store.rows("inbox").await, 8);
    store.reopen().await;
    // The letter's, the one that was set aside, and of just now the one that waited and two sign-ins.
    has(&store, "inbox", 5).await;
    assert_eq!(store.faults().await, Vec::<String>::new());
}

async fn session(kit: &Kit, user: UserId, expires_at: tidings_domain::time::Timestamp) {
    let session = Session {
        token_hash: rand::random(),
        user_id: user,
        created_at: NOON,
        expires_at,
    };
    let event = kit.loose(EventType::LoggedIn, Some(user));
    let begun = kit
        .store
        .create_session(&session, "$argon2id$secret", &event);
    begun.await.unwrap();
}

pub(crate) async fn forgets_sessions_that_ended(mut store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    for minutes in [1, 2, 3] {
        session(kit, ann, NOON.plus_ms(minutes * 60_000)).await;
    }
    kit.clock.advance(2 * 60_000);
    store.reopen().await;
    has(&store, "sessions", 1).await;
}

/// Empties the trash until there are so many tasks.
async fn empty_until(store: &impl TestStore, tasks: i64) {
    let ambient = Ambient {
        clock: store.kit().clock.clone(),
        ids: Arc::new(RandomIds),
    };
    let retention = service::retention::Retention::new(store.kit().store.clone(), ambient);
    let stop = CancellationToken::new();
    let running = tokio::spawn(retention.run(stop.clone()));
    has(store, "tasks", tasks).await;
    stop.cancel();
    running.await.unwrap();
}

pub(crate) async fn empties_the_trash_after_thirty_days(store: impl TestStore) {
    let kit = store.kit();
    let (ann, bob) = (kit.person("ann").await, kit.person("bob").await);
    let mut old = Vec::new();
    // More than are read at once.
    for n in 0..60 {
        for user in [ann, bob] {
            let task = kit.add_titled(user, &format!("Old {n}")).await;
            kit.change(user, task.id, Command::Delete).await.unwrap();
            old.push((user, task.id));
        }
    }
    let back = old.pop().unwrap();
    let open = kit.add_titled(ann, "Open").await;
    kit.clock.advance(DAY_MS);
    let young = kit.add_titled(ann, "Young").await;
    kit.change(ann, young.id, Command::Delete).await.unwrap();
    let command = Command::Restore(None);
    kit.change(back.0, back.1, command).await.unwrap();
    kit.clock.advance(KEPT_MS - DAY_MS + 1);

    empty_until(&store, 3).await;

    for (user, id) in [(ann, open.id), (ann, young.id), back] {
        assert!(kit.store.task(user, id).await.unwrap().is_some());
    }
    // As deleted by hand: the events stay, without their contents.
    for event in kit.feed(bob).await {
        let gone = event.task_id.is_some_and(|id| id != back.1);
        assert_eq!(event.task_data.is_none(), gone);
    }
    assert_eq!(kit.feed(bob).await.len(), 121);
    assert_eq!(store.faults().await, Vec::<String>::new());
}

pub(crate) async fn goes_on_after_what_cannot_be_deleted(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    // As many as are read at once; they say themselves that they are in no trash.
    for n in 0..100 {
        kit.add_titled(ann, &format!("Damaged {n}")).await;
    }
    store.run("UPDATE tasks SET deleted_at = 1").await;
    let old = kit.add_titled(ann, "Old").await;
    kit.change(ann, old.id, Command::Delete).await.unwrap();
    kit.clock.advance(KEPT_MS + 1);
    empty_until(&store, 100).await;
    assert!(kit.store.task(ann, old.id).await.unwrap().is_none());
}
