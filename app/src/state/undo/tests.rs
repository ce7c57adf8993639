use std::collections::BTreeMap;

use tidings_domain::{
    decide::{Context, decide},
    task::Priority,
};

use super::*;
use crate::browser::clock;

fn carry(id: TaskId, tasks: &mut BTreeMap<TaskId, Task>, command: &Command) {
    let context = Context {
        now: Timestamp(1_800_000_000_000),
        time_zone: "UTC",
        zones: clock::zones(),
        first_position: None,
        earlier: None,
    };
    let events = decide(id, tasks.get(&id), None, command, &context).unwrap();
    if let Some(last) = events.into_iter().next_back() {
        tasks.insert(id, last.task);
    }
}

#[test]
fn every_inverse_brings_the_fields_back() {
    let id: TaskId = "0198c0de-0000-7000-8000-000000000001".parse().unwrap();
    let mut tasks = BTreeMap::new();
    let fields = TaskPatch {
        title: Some("Send the contract".into()),
        due_date: Some("2026-12-10".parse().ok()),
        due_time: Some("15:00".parse().ok()),
        priority: Some(Priority::High),
        ..TaskPatch::default()
    };
    carry(id, &mut tasks, &Command::Create(fields));
    let edits = [
        TaskPatch {
            title: Some("Sign it".into()),
            ..TaskPatch::default()
        },
        TaskPatch {
            due_date: Some(None),
            due_time: Some(None),
            ..TaskPatch::default()
        },
        TaskPatch {
            tags: Some(vec!["home".into()]),
            position: Some("b1".into()),
            ..TaskPatch::default()
        },
        TaskPatch {
            completed: Some(true),
            priority: Some(Priority::None),
            ..TaskPatch::default()
        },
    ];
    let mut commands: Vec<_> = edits.into_iter().map(Command::Edit).collect();
    commands.push(Command::Complete(Some(true)));
    // It is not in the trash, and is not to end there.
    commands.push(Command::Restore(None));
    commands.push(Command::Delete);
    for command in commands {
        let before = tasks[&id].clone();
        let back = inverse(Some(&before), &command);
        carry(id, &mut tasks, &command);
        for command in &back {
            carry(id, &mut tasks, command);
        }
        assert_eq!(
            TaskPatch::of(&tasks[&id]),
            TaskPatch::of(&before),
            "{command:?}"
        );
        assert_eq!(tasks[&id].deleted_at, before.deleted_at, "{command:?}");
    }
}

#[test]
fn a_new_task_is_undone_by_deleting_it_and_a_purge_by_nothing() {
    assert_eq!(
        inverse(None, &Command::Create(TaskPatch::default())),
        [Command::Delete]
    );
    assert!(inverse(None, &Command::Purge).is_empty());
}

#[test]
fn long_titles_are_cut_by_characters() {
    let long = "ä".repeat(60);
    assert_eq!(short(&long).chars().count(), 40);
    assert_eq!(short("Milk"), "Milk");
}
