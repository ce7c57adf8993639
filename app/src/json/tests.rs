use std::fmt::Debug;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tidings_domain::{
    command::{Command, TaskPatch},
    error::{Code, Fault},
    event::{Actor, Event, EventType, Metadata, VERSION},
    id::{ClientId, EventId, MutationId, TaskId, UserId},
    live::{ClientFrame, Resume, ServerFrame},
    replica::Pending,
    task::{Priority, RecurFrom, Task},
    time::Timestamp,
    view::View,
};
use uuid::Uuid;

use super::{FromJson, ToJson, read};
use crate::{
    api::tasks::{Change, Changed, ListQuery},
    page::PageData,
};

const ID: &str = "0198c0de-0000-7000-8000-000000000001";

fn task() -> Value {
    json!({
        "id": ID, "title": "Call", "description": "\"Ada\"\n", "completed": true,
        "completed_at": "2026-11-21T23:00:00.000Z", "priority": "high", "tags": ["home", "work"],
        "due_date": "2026-11-21", "due_time": "18:30", "time_zone": "America/New_York",
        "remind_at": "2026-11-21T23:00:00.123Z", "series_id": ID, "position": "a0", "version": 3,
        "recurrence": {"rule": "FREQ=DAILY", "from": "completion"},
        "created_at": "2026-11-20T00:00:00Z", "updated_at": "2026-11-20T00:00:00Z",
        "deleted_at": "2026-11-22T00:00:00Z",
    })
}

fn history() -> Value {
    json!({
        "event_type": "task.updated", "seq": 8, "version": 3, "actor": "api", "client_id": ID,
        "timestamp": "2026-11-20T00:00:00Z",
        "changes": [
            ["title", "Call", "Ring"], ["completed", true, false], ["due_date", null, "2026-11-21"],
            ["tags", ["home"], []], ["recurrence", null, {"rule": "FREQ=DAILY", "from": "due"}],
        ],
    })
}

fn fault() -> Value {
    json!({
        "code": "rate_limited", "detail": "Wait.", "retry_after": 7,
        "errors": [{"field": "title", "code": "required", "message": "Title is needed."}],
    })
}

fn page() -> Value {
    json!({
        "path": "/search", "query": "q=a", "now": "2026-11-21T23:00:00.000Z", "seed": ID,
        "profile": {
            "user": {
                "id": ID, "email": "ada@example.org", "name": "Ada", "time_zone": "UTC",
                "created_at": "2026-11-20T00:00:00Z",
            },
            "theme": "system",
        },
        "board": {
            "epoch": ID, "cursor": 7, "tasks": [task()], "complete": true,
            "counts": {"inbox": 3, "today": 2, "upcoming": 1, "tags": [["home", 3]]},
        },
        "listing": {"items": [task()], "next": "on"},
        "detail": {"task": task(), "history": [history()]},
        "activity": [{"task_id": ID, "title": "Call", "item": history()}],
        "fault": fault(), "failed": "/rpc/sign_in",
    })
}

/// The value, and what becomes of it where one part is missing, nothing, or something else.
fn variants(value: &Value) -> Vec<Value> {
    let mut all = vec![value.clone()];
    all.extend([json!(null), json!({}), json!("?"), json!(1.5), json!(-1)]);
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                let mut less = fields.clone();
                less.remove(name);
                all.push(less.into());
                all.extend(variants(field).into_iter().map(|field| {
                    let mut other = fields.clone();
                    other.insert(name.clone(), field);
                    other.into()
                }));
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                let mut less = items.clone();
                less.remove(at);
                all.push(less.into());
                all.extend(variants(item).into_iter().map(|item| {
                    let mut other = items.clone();
                    other[at] = item;
                    other.into()
                }));
            }
        }
        _ => {}
    }
    all
}

/// Every variant is read as serde reads it, and refused where serde refuses it.
fn reads_like_serde<T: FromJson + DeserializeOwned + PartialEq + Debug>(value: &Value) {
    assert!(
        serde_json::from_value::<T>(value.clone()).is_ok(),
        "{value}"
    );
    for value in variants(value) {
        let text = value.to_string();
        assert_eq!(
            read::<T>(&text),
            serde_json::from_value(value).ok(),
            "{text}"
        );
    }
}

fn writes_like_serde<T: ToJson + Serialize>(value: &T) {
    let text = value.write().print();
    let written: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(written, serde_json::to_value(value).unwrap());
}

fn commands() -> Vec<Command> {
    let task: Task = serde_json::from_value(task()).unwrap();
    let all = TaskPatch::of(&task);
    let cleared = TaskPatch {
        title: None,
        position: None,
        ..TaskPatch::default().whole()
    };
    vec![
        Command::Create(all.clone()),
        Command::Edit(cleared),
        Command::Edit(TaskPatch::default()),
        Command::Replace(all),
        Command::Complete(None),
        Command::Complete(Some(true)),
        Command::Delete,
        Command::Restore(None),
        Command::Restore(Some(3)),
        Command::Purge,
    ]
}

fn pending(command: Command, seq: Option<i64>) -> Pending {
    let id = ID.parse().unwrap();
    Pending {
        mutation_id: MutationId(id),
        task_id: TaskId(id),
        command,
        seq,
    }
}

#[test]
fn what_the_server_says_is_read_as_it_writes_it() {
    reads_like_serde::<PageData>(&page());
    reads_like_serde::<Fault>(&fault());
    reads_like_serde::<Changed>(&json!({"task": task(), "seq": 9}));
}

#[test]
fn a_line_of_changes_is_read_and_written_as_serde_does() {
    for command in commands() {
        for seq in [None, Some(7)] {
            let pending = pending(command.clone(), seq);
            writes_like_serde(&pending);
            reads_like_serde::<Vec<Pending>>(&json!([pending]));
        }
    }
}

#[test]
fn what_a_browser_asks_is_written_as_the_server_reads_it() {
    for command in commands() {
        for client_id in [None, Some(ClientId(Uuid::from_u128(2)))] {
            let Pending {
                mutation_id,
                task_id,
                command,
                ..
            } = pending(command.clone(), None);
            writes_like_serde(&Change {
                mutation_id,
                client_id,
                task_id,
                command,
            });
        }
    }
    for view in [
        View::All,
        View::Inbox,
        View::Today,
        View::Upcoming,
        View::Completed,
        View::Trash,
        View::Tag("home".into()),
    ] {
        let (q, cursor) = (Some("a\"b".to_owned()), None);
        writes_like_serde(&ListQuery { view, q, cursor });
    }
    let resume = Some(Resume {
        epoch: Uuid::from_u128(3),
        cursor: 7,
    });
    for resume in [None, resume] {
        writes_like_serde(&ClientFrame::Hello {
            client_id: ClientId(Uuid::from_u128(1)),
            tab_id: Uuid::from_u128(2),
            resume,
            tabs: true,
            unread: true,
        });
    }
    writes_like_serde(&ClientFrame::Sync { cursor: 7 });
    writes_like_serde(&ClientFrame::Ping);
    writes_like_serde(&ClientFrame::Pong);
}

#[test]
fn frames_are_read_as_the_server_writes_them() {
    let welcome = json!({
        "t": "welcome", "epoch": ID, "head": 3, "server_time": "2026-11-21T23:00:00.000Z",
        "heartbeat_ms": 25000,
    });
    let snapshot = json!({"t": "snapshot", "cursor": 3, "items": [task()], "last": false});
    for frame in [
        welcome,
        snapshot,
        json!({"t": "events", "from": 1, "to": 0, "items": []}),
        json!({"t": "live", "cursor": 3}),
        json!({"t": "tabs", "count": 3}),
        json!({"t": "reset", "reason": "too_many"}),
        json!({"t": "ping"}),
        json!({"t": "pong"}),
    ] {
        reads_like_serde::<ServerFrame>(&frame);
    }
    assert_eq!(read::<ServerFrame>(r#"{"t":"live","cursor":"#), None);
}

#[test]
fn of_an_event_a_tab_reads_what_happened_to_which_task() {
    let id: Uuid = ID.parse().unwrap();
    let event = Event {
        event_id: EventId(id),
        event_type: EventType::TaskUpdated,
        version: VERSION.to_owned(),
        timestamp: Timestamp(1),
        user_id: Some(UserId(id)),
        task_id: Some(TaskId(id)),
        seq: Some(7),
        task_data: serde_json::from_value(task()).unwrap(),
        data: json!({"changes": {}}),
        metadata: Metadata {
            mutation_id: Some(MutationId(id)),
            ..Metadata::default()
        },
    };
    let gone = Event {
        event_type: EventType::TaskDeleted,
        task_data: None,
        metadata: Metadata::default(),
        ..event.clone()
    };
    let frame = json!({"t": "events", "from": 7, "to": 7, "items": [event, gone]});
    let mut expected: ServerFrame = serde_json::from_value(frame.clone()).unwrap();
    if let ServerFrame::Events { items, .. } = &mut expected {
        for event in items {
            event.event_id = EventId(Uuid::nil());
            event.version = String::new();
            event.timestamp = Timestamp::default();
            event.user_id = None;
        }
    }
    assert_eq!(read(&frame.to_string()), Some(expected));
}

#[test]
fn every_word_is_known() {
    fn same<T: FromJson + DeserializeOwned + PartialEq + Debug>(words: &[&str]) {
        for word in words {
            let json = json!(word);
            let read = read::<T>(&json.to_string());
            assert!(read.is_some(), "{word}");
            assert_eq!(read, serde_json::from_value(json).ok(), "{word}");
        }
    }
    same::<Code>(&Code::ALL.map(Code::as_str));
    same::<Priority>(&Priority::ALL.map(Priority::as_str));
    same::<EventType>(&EventType::ALL.map(EventType::as_str));
    same::<EventType>(&["task.told"]);
    same::<RecurFrom>(&["due", "completion"]);
    same::<Actor>(&["user", "recurring", "onboarding", "api"]);
    let reset = |reason| json!({"t": "reset", "reason": reason});
    for reason in ["new", "epoch", "ahead", "too_many"] {
        reads_like_serde::<ServerFrame>(&reset(reason));
    }
}
