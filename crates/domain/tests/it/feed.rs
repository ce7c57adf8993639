//! A server in small: one person's feed, folded and kept as the contract says. And any commands.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};
use tidings_domain::{
    command::{Command, TaskPatch},
    decide::{Context, Decided, decide},
    error::Fault,
    event::{Event, EventType, Metadata, VERSION, task_data},
    id::{EventId, MutationId, TaskId, UserId},
    live::ServerFrame,
    task::{Priority, RecurFrom, Recurrence, Task},
    time::{Timestamp, TzDatabase},
};
use uuid::Uuid;

pub(crate) const ZONE: &str = "Europe/Berlin";
pub(crate) const EPOCH: Uuid = Uuid::from_u128(7);
const START: Timestamp = Timestamp(1_790_000_000_000);

pub(crate) fn task_id(n: u8) -> TaskId {
    TaskId(Uuid::from_u128(0x7000_8000_0000_0000_0000 + u128::from(n)))
}

pub(crate) fn mutation_id(n: usize) -> MutationId {
    MutationId(Uuid::from_u128(0x9000_0000 + n as u128))
}

/// The feed, and the tasks as the last decision on each left them.
#[derive(Default)]
pub(crate) struct Feed {
    pub(crate) log: Vec<Event>,
    pub(crate) tasks: BTreeMap<TaskId, Task>,
    versions: BTreeMap<(TaskId, i64), Task>,
    clock: i64,
}

impl Feed {
    pub(crate) fn head(&self) -> i64 {
        i64::try_from(self.log.len()).unwrap()
    }

    /// A command, carried out as a service and its store do it together.
    pub(crate) fn take(
        &mut self,
        mutation: MutationId,
        id: TaskId,
        command: &Command,
    ) -> Result<Vec<Decided>, Fault> {
        self.clock += 1;
        let now = START.plus_ms(self.clock * 1_000);
        let first = self.tasks.values().map(|t| t.position.clone()).min();
        let earlier = match command {
            Command::Restore(Some(version)) => self.versions.get(&(id, *version)),
            _ => None,
        };
        let context = Context {
            now,
            time_zone: ZONE,
            zones: &TzDatabase,
            first_position: first.as_deref(),
            earlier,
        };
        let before = self.tasks.get(&id).cloned();
        let decided = decide(id, before.as_ref(), None, command, &context)?;
        if *command == Command::Purge {
            self.tasks.remove(&id);
            self.versions.retain(|(task, _), _| *task != id);
            for event in self.log.iter_mut().filter(|e| e.task_id == Some(id)) {
                event.task_data = None;
            }
        }
        let mut before = before;
        for Decided { event_type, task } in &decided {
            let user = UserId(Uuid::nil());
            let data = task_data(*event_type, user, before.as_ref(), task, &TzDatabase);
            self.append(*event_type, mutation, id, Some(task.clone()), data);
            self.versions.insert((id, task.version), task.clone());
            self.tasks.insert(id, task.clone());
            before = Some(task.clone());
        }
        Ok(decided)
    }

    /// A notification about a task: it takes a seq and says nothing of what the task is.
    pub(crate) fn notify(&mut self, id: TaskId) {
        self.append(
            EventType::NotificationCreated,
            mutation_id(usize::MAX),
            id,
            None,
            json!({}),
        );
    }

    fn append(
        &mut self,
        event_type: EventType,
        mutation: MutationId,
        id: TaskId,
        task_data: Option<Task>,
        data: Value,
    ) {
        let seq = self.head() + 1;
        self.log.push(Event {
            event_id: EventId(Uuid::from_u128(seq.unsigned_abs().into())),
            event_type,
            version: VERSION.to_owned(),
            timestamp: START.plus_ms(self.clock * 1_000),
            user_id: Some(UserId(Uuid::nil())),
            task_id: Some(id),
            seq: Some(seq),
            task_data,
            data,
            metadata: Metadata {
                mutation_id: Some(mutation),
                ..Metadata::default()
            },
        });
    }

    /// The frames that bring a client on from a cursor.
    pub(crate) fn frames_after(&self, cursor: i64, batch: usize) -> Vec<ServerFrame> {
        let missed = self.log.iter().filter(|e| e.seq > Some(cursor));
        let missed: Vec<_> = missed.collect();
        let mut frames: Vec<_> = missed
            .chunks(batch)
            .map(|items| frame(&events(items)))
            .collect();
        frames.push(frame(&json!({"t": "live", "cursor": self.head()})));
        frames
    }

    /// The frames that bring a client everything that is open.
    pub(crate) fn snapshot(&self, chunk: usize) -> Vec<ServerFrame> {
        let open: Vec<_> = self.tasks.values().filter(|t| t.is_open()).collect();
        let mut frames = vec![frame(&json!({"t": "reset", "reason": "new"}))];
        let cursor = self.head();
        for items in open.chunks(chunk) {
            frames.push(frame(
                &json!({"t": "snapshot", "cursor": cursor, "items": items, "last": false}),
            ));
        }
        frames.push(frame(
            &json!({"t": "snapshot", "cursor": cursor, "items": [], "last": true}),
        ));
        frames.push(frame(&json!({"t": "live", "cursor": cursor})));
        frames
    }
}

fn events(items: &[&Event]) -> Value {
    let mut items = serde_json::to_value(items).unwrap();
    for item in items.as_array_mut().unwrap() {
        if item["event_type"] == "unknown" {
            item["event_type"] = json!("notification.created");
        }
    }
    let from = items[0]["seq"].clone();
    let to = items.as_array().unwrap().last().unwrap()["seq"].clone();
    json!({"t": "events", "from": from, "to": to, "items": items})
}

/// A frame as it goes over the wire.
pub(crate) fn frame(json: &Value) -> ServerFrame {
    ServerFrame::deserialize(json).unwrap()
}

pub(crate) fn any_patch() -> impl Strategy<Value = TaskPatch> {
    fn often<T: Clone + std::fmt::Debug + 'static>(
        values: Vec<T>,
    ) -> impl Strategy<Value = Option<T>> {
        proptest::option::weighted(0.3, proptest::sample::select(values))
    }
    let date = |text: &str| Some(text.parse().unwrap());
    let rule = |rule: &str, from| {
        Some(Recurrence {
            rule: rule.to_owned(),
            from,
        })
    };
    let rules = vec![
        None,
        rule("weekly", RecurFrom::Due),
        rule("FREQ=DAILY", RecurFrom::Completion),
        rule("FREQ=HOURLY", RecurFrom::Due),
    ];
    (
        often(["", "a", " b ", "c\u{0}", "d"].map(str::to_owned).to_vec()),
        often(["", "x", "y\ny"].map(str::to_owned).to_vec()),
        often(vec![true, false]),
        often(vec![Priority::None, Priority::High]),
        often(vec![vec![], vec![" p ".to_owned(), "p".to_owned()]]),
        often(vec![None, date("2026-12-10"), date("2027-01-01")]),
        often(vec![None, Some("15:00".parse().unwrap())]),
        often(vec![
            None,
            Some("Asia/Kathmandu".to_owned()),
            Some("Mars".to_owned()),
        ]),
        often(vec![None, Some(Timestamp(0))]),
        often(rules),
        often(["a1", "Zz", "", "!"].map(str::to_owned).to_vec()),
    )
        .prop_map(
            |(
                title,
                description,
                completed,
                priority,
                tags,
                due_date,
                due_time,
                time_zone,
                remind_at,
                recurrence,
                position,
            )| TaskPatch {
                title,
                description,
                completed,
                priority,
                tags,
                due_date,
                due_time,
                time_zone,
                remind_at,
                recurrence,
                position,
            },
        )
}

pub(crate) fn any_command() -> impl Strategy<Value = Command> {
    prop_oneof![
        4 => any_patch().prop_map(|patch| Command::Create(TaskPatch {
            title: Some(patch.title.clone().unwrap_or_else(|| "new".to_owned())),
            ..patch
        })),
        5 => any_patch().prop_map(Command::Edit),
        1 => any_patch().prop_map(Command::Replace),
        3 => proptest::option::of(any::<bool>()).prop_map(Command::Complete),
        1 => Just(Command::Delete),
        2 => proptest::option::of(0_i64..6).prop_map(Command::Restore),
        1 => Just(Command::Purge),
    ]
}
