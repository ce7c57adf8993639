//! The audit trail, as its owner looks at it.

use serde_json::json;
use tidings::{
    clock::Clock,
    store::{AuditEntry, LooseEvent, TrailQuery},
};
use tidings_domain::{
    command::Command,
    event::EventType,
    id::UserId,
    time::Timestamp,
    trail::{Entry, Kind},
};

use super::kit::{Kit, NOON, TestStore};

const EVERYTHING: TrailQuery = TrailQuery {
    kind: None,
    from: Timestamp(i64::MIN),
    before: (Timestamp(i64::MAX), 0),
    limit: 100,
};

/// Records a sign-in and the like, which is in the log.
async fn loose(kit: &Kit, event_type: EventType, user: Option<UserId>) {
    let event = LooseEvent {
        data: json!({ "user_id": user, "ip": "192.0.2.7", "user_agent": "=Firefox" }),
        ..kit.loose(event_type, user)
    };
    kit.store.record(&event).await.unwrap();
    let entry = AuditEntry {
        event_id: event.event_id,
        event_type: event_type.as_str().into(),
        user_id: user,
        seq: None,
        timestamp: event.timestamp,
        recorded_at: kit.clock.now(),
    };
    kit.store.record_audit(&[entry], false).await.unwrap();
}

/// Records a person's feed.
async fn record_feed(kit: &Kit, user: UserId) {
    let entries = kit.feed(user).await.into_iter().map(|event| AuditEntry {
        event_id: event.event_id,
        event_type: event.event_type.as_str().into(),
        user_id: event.user_id,
        seq: event.seq,
        timestamp: event.timestamp,
        recorded_at: kit.clock.now(),
    });
    kit.store
        .record_audit(&Vec::from_iter(entries), false)
        .await
        .unwrap();
}

fn types(entries: &[Entry]) -> Vec<&str> {
    entries.iter().map(|entry| &*entry.event_type).collect()
}

pub(crate) async fn shows_a_person_theirs(store: impl TestStore) {
    let kit = store.kit();
    let (ann, bob) = (kit.person("ann").await, kit.person("bob").await);
    let milk = kit.add_titled(ann, "Buy milk").await;
    let rubbish = kit.add_titled(ann, "Rubbish").await;
    kit.add_titled(bob, "Secret").await;
    kit.change(ann, rubbish.id, Command::Delete).await.unwrap();
    kit.clock.advance(1000);
    loose(kit, EventType::LoginFailed, Some(ann)).await;
    loose(kit, EventType::LoginFailed, None).await;
    kit.clock.advance(1000);
    loose(kit, EventType::TokenCreated, Some(ann)).await;
    loose(kit, EventType::TokenCreated, Some(bob)).await;
    loose(kit, EventType::DataExported, Some(ann)).await;

    // Recorded later than what came after it.
    for user in [ann, bob] {
        record_feed(kit, user).await;
    }
    let all = kit.store.trail(ann, &EVERYTHING).await.unwrap();
    let expected = [
        "audit.data.exported",
        "audit.token.created",
        "audit.user.login_failed",
        "task.deleted",
        "task.created",
        "task.created",
    ];
    assert_eq!(types(&all), expected);
    assert_eq!(all[5].title.as_deref(), Some("Buy milk"));
    assert_eq!((all[5].task_id, &all[5].ip), (Some(milk.id), &None));
    assert_eq!(all[2].timestamp, NOON.plus_ms(1000));
    assert_eq!((all[2].task_id, &all[2].title), (None, &None));
    assert_eq!(all[2].ip.as_deref(), Some("192.0.2.7"));
    assert_eq!(all[2].user_agent.as_deref(), Some("=Firefox"));
    for (kind, rows) in [
        (Kind::Tasks, &all[3..]),
        (Kind::Security, &all[1..3]),
        (Kind::Account, &all[..1]),
    ] {
        let query = TrailQuery {
            kind: Some(kind),
            ..EVERYTHING
        };
        assert_eq!(kit.store.trail(ann, &query).await.unwrap(), rows);
    }
    let query = TrailQuery {
        from: NOON.plus_ms(1000),
        before: (NOON.plus_ms(2000), 0),
        ..EVERYTHING
    };
    assert_eq!(kit.store.trail(ann, &query).await.unwrap(), all[2..3]);
    // What is deleted for good is still there, without its title.
    kit.change(ann, rubbish.id, Command::Purge).await.unwrap();
    let after = kit.store.trail(ann, &EVERYTHING).await.unwrap();
    assert_eq!(types(&after), expected);
    assert_eq!((&after[3].title, &after[4].title), (&None, &None));
    assert_eq!(after[5], all[5]);
}

pub(crate) async fn goes_on_where_it_ended(store: impl TestStore) {
    let kit = store.kit();
    let (ann, bob) = (kit.person("ann").await, kit.person("bob").await);
    for _ in 0..5 {
        loose(kit, EventType::LoggedIn, Some(ann)).await;
        loose(kit, EventType::LoggedIn, Some(bob)).await;
    }
    let all = kit.store.trail(ann, &EVERYTHING).await.unwrap();
    assert_eq!(all.len(), 5);
    let mut query = TrailQuery {
        limit: 2,
        ..EVERYTHING
    };
    let mut walked = Vec::new();
    loop {
        let part = kit.store.trail(ann, &query).await.unwrap();
        let Some(last) = part.last() else { break };
        query.before = (last.timestamp, last.n);
        walked.extend(part);
    }
    assert_eq!(walked, all);
}
