//! `tidings verify`: what is damaged is found.

use futures_util::future::join;
use tidings::{commands, store::AuditEntry};
use tidings_domain::command::Command;

use super::kit::{Kit, NOON, TestStore, titled};

/// What the command tells, and whether it ends well.
async fn verify(kit: &Kit) -> (String, bool) {
    let mut out = Vec::new();
    let done = commands::verify(&*kit.store, &mut out).await;
    (String::from_utf8(out).unwrap(), done.is_ok())
}

/// Tasks of two people, all of it recorded.
async fn filled(kit: &Kit) {
    for name in ["ann", "bob"] {
        let user = kit.person(name).await;
        for n in 0..5 {
            let task = kit.add_titled(user, &format!("Task {n} of {name}")).await;
            let edit = Command::Edit(titled("Edited"));
            kit.change(user, task.id, edit).await.unwrap();
        }
        for event in kit.feed(user).await {
            let entry = AuditEntry {
                event_id: event.event_id,
                event_type: event.event_type.as_str().into(),
                user_id: event.user_id,
                seq: event.seq,
                timestamp: event.timestamp,
                recorded_at: NOON,
            };
            kit.store.record_audit(&[entry], false).await.unwrap();
        }
    }
}

pub(crate) async fn finds_nothing_wrong_beside_writes(store: impl TestStore) {
    let kit = store.kit();
    filled(kit).await;
    let ann = kit.person("anna").await;
    let write = async {
        for n in 0..50 {
            kit.add_titled(ann, &format!("Task {n}")).await;
        }
    };
    let look = async {
        for _ in 0..5 {
            let (told, well) = verify(kit).await;
            assert!(well, "{told}");
            assert!(told.contains("3 people"), "{told}");
        }
    };
    join(write, look).await;
}

pub(crate) async fn finds_what_was_damaged(store: impl TestStore) {
    let kit = store.kit();
    filled(kit).await;
    let damages = [
        (
            "UPDATE tasks SET task = replace(task, '\"Edited\"', '\"Other\"')",
            "the events do not fold to task",
        ),
        ("UPDATE feeds SET tasks = tasks + 1", "are counted as 6"),
        (
            "UPDATE feeds SET seq = seq + 1",
            "the feed's head is 11, its last event 10",
        ),
        (
            "UPDATE events SET seq = seq + 1 WHERE seq = 10",
            "seq 11 where 10 belongs",
        ),
        (
            "UPDATE tasks SET position = 'zz'",
            "columns of a task that differ from it",
        ),
        ("UPDATE tasks SET search = search || ' more'", "are others"),
        (
            "UPDATE outbox SET event = 9999 WHERE id = (SELECT min(id) FROM outbox)",
            "a row of the outbox without its event",
        ),
        (
            "DELETE FROM inbox WHERE event_id = (SELECT event_id FROM audit WHERE n = 1)",
            "in the inbox not as often",
        ),
        (
            "DELETE FROM events WHERE seq = 1",
            "a row of the audit trail without its event",
        ),
        (
            "DELETE FROM tasks WHERE title_key = 'edited'",
            "that is not there",
        ),
        ("DELETE FROM feeds", "events of no feed"),
    ];
    for (damage, expected) in damages {
        store.run(damage).await;
        let (told, well) = verify(kit).await;
        assert!(!well && told.contains(expected), "{damage}: {told}");
        assert!(!told.contains("Edited"), "no contents: {told}");
    }
}
