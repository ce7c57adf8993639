//! What commands decide, and that events fold back into what was decided.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tidings_domain::{
    command::{Command, TaskPatch},
    decide::{Decided, apply},
    error::Code,
    event::{Event, EventType, changes},
    task::Task,
};

use crate::feed::{Feed, any_command, mutation_id, task_id};

fn titled(title: &str) -> TaskPatch {
    TaskPatch {
        title: Some(title.to_owned()),
        ..TaskPatch::default()
    }
}

fn done(done: bool) -> TaskPatch {
    TaskPatch {
        completed: Some(done),
        ..TaskPatch::default()
    }
}

/// A feed with one task, `a`.
fn one() -> Feed {
    let mut feed = Feed::default();
    let _ = act(&mut feed, &Command::Create(titled("a")));
    feed
}

fn act(feed: &mut Feed, command: &Command) -> Vec<EventType> {
    let decided = feed.take(mutation_id(0), task_id(0), command).unwrap();
    decided.into_iter().map(|d| d.event_type).collect()
}

fn refused(feed: &mut Feed, command: &Command) -> (Code, Vec<String>) {
    let fault = feed.take(mutation_id(0), task_id(0), command).unwrap_err();
    (
        fault.code,
        fault.errors.into_iter().map(|e| e.field).collect(),
    )
}

#[test]
fn title_and_completed_together_are_an_update_then_a_completion() {
    let mut feed = one();
    let both = TaskPatch {
        completed: Some(true),
        ..titled("b")
    };
    let decided = feed
        .take(mutation_id(1), task_id(0), &Command::Edit(both))
        .unwrap();
    let steps: Vec<_> = decided
        .iter()
        .map(|d| {
            (
                d.event_type,
                d.task.version,
                d.task.completed,
                d.task.title.as_str(),
            )
        })
        .collect();
    assert_eq!(
        steps,
        [
            (EventType::TaskUpdated, 2, false, "b"),
            (EventType::TaskCompleted, 3, true, "b"),
        ]
    );
    assert_eq!(decided[0].task.completed_at, None);
    assert_eq!(
        decided[1].task.completed_at,
        Some(decided[1].task.updated_at)
    );
}

#[test]
fn completing_and_taking_it_back() {
    let mut feed = one();
    assert_eq!(
        act(&mut feed, &Command::Complete(None)),
        [EventType::TaskCompleted]
    );
    assert_eq!(act(&mut feed, &Command::Complete(Some(true))), []);
    assert_eq!(
        act(&mut feed, &Command::Edit(done(false))),
        [EventType::TaskUpdated]
    );
    let changed = &feed.log[2].data["changes"];
    let names: Vec<_> = changed.as_object().unwrap().keys().collect();
    assert_eq!(names, ["completed", "completed_at"]);
    assert_eq!(feed.tasks[&task_id(0)].completed_at, None);
}

#[test]
fn created_completed_is_created_alone() {
    let mut feed = Feed::default();
    let patch = TaskPatch {
        completed: Some(true),
        ..titled("a")
    };
    assert_eq!(
        act(&mut feed, &Command::Create(patch)),
        [EventType::TaskCreated]
    );
    let task = &feed.tasks[&task_id(0)];
    assert_eq!((task.completed, task.version), (true, 1));
    assert_eq!(task.completed_at, Some(task.created_at));
}

#[test]
fn trash_and_back() {
    let mut feed = one();
    assert_eq!(refused(&mut feed, &Command::Purge).0, Code::Conflict);
    assert_eq!(act(&mut feed, &Command::Restore(None)), []);
    assert_eq!(act(&mut feed, &Command::Delete), [EventType::TaskDeleted]);
    for command in [
        Command::Delete,
        Command::Edit(titled("b")),
        Command::Complete(None),
    ] {
        assert_eq!(refused(&mut feed, &command).0, Code::NotFound);
    }
    assert_eq!(
        refused(&mut feed, &Command::Create(titled("b"))).0,
        Code::Conflict
    );
    assert_eq!(
        act(&mut feed, &Command::Restore(None)),
        [EventType::TaskRestored]
    );
    let _ = act(&mut feed, &Command::Delete);
    assert_eq!(act(&mut feed, &Command::Purge), []);
    assert!(feed.tasks.is_empty());
    assert_eq!(
        refused(&mut feed, &Command::Restore(None)).0,
        Code::NotFound
    );
}

#[test]
fn back_to_a_version() {
    let mut feed = one();
    let _ = act(&mut feed, &Command::Complete(None));
    let _ = act(&mut feed, &Command::Edit(titled("b")));
    assert_eq!(act(&mut feed, &Command::Restore(Some(3))), []);
    assert_eq!(
        act(&mut feed, &Command::Restore(Some(1))),
        [EventType::TaskUpdated]
    );
    let task = feed.tasks[&task_id(0)].clone();
    assert_eq!(
        (task.title.as_str(), task.completed, task.version),
        ("a", false, 4)
    );
    assert_eq!(
        act(&mut feed, &Command::Restore(Some(3))),
        [EventType::TaskUpdated, EventType::TaskCompleted]
    );
    let _ = act(&mut feed, &Command::Delete);
    assert_eq!(
        act(&mut feed, &Command::Restore(Some(1))),
        [EventType::TaskRestored, EventType::TaskUpdated]
    );
    let refusal = refused(&mut feed, &Command::Restore(Some(99)));
    assert_eq!(
        refusal,
        (Code::ValidationFailed, vec!["version".to_owned()])
    );
}

#[test]
fn a_whole_replacement_takes_defaults_and_keeps_the_place() {
    let mut feed = one();
    let patch = TaskPatch {
        due_date: Some("2026-12-10".parse().ok()),
        tags: Some(vec!["x".to_owned()]),
        position: Some("k".to_owned()),
        time_zone: Some(Some("Asia/Kathmandu".to_owned())),
        ..TaskPatch::default()
    };
    let _ = act(&mut feed, &Command::Edit(patch));
    let _ = act(&mut feed, &Command::Replace(titled("b")));
    let task = &feed.tasks[&task_id(0)];
    assert_eq!((task.due_date, task.tags.len()), (None, 0));
    assert_eq!(
        (task.position.as_str(), task.time_zone.as_str()),
        ("k", "Europe/Berlin")
    );
    let refusal = refused(&mut feed, &Command::Replace(TaskPatch::default()));
    assert_eq!(refusal, (Code::ValidationFailed, vec!["title".to_owned()]));
}

#[test]
fn what_is_wrong_is_named() {
    let mut feed = one();
    let patch = TaskPatch {
        title: Some("x".repeat(201)),
        description: Some("a\u{0}".to_owned()),
        tags: Some(vec!["\u{7}".to_owned()]),
        due_date: Some(chrono::NaiveDate::from_ymd_opt(10_000, 1, 1)),
        position: Some("é".to_owned()),
        ..TaskPatch::default()
    };
    assert_eq!(
        refused(&mut feed, &Command::Edit(patch)).1,
        ["title", "description", "tags", "due_date", "position"]
    );
    let time = TaskPatch {
        due_time: Some("15:00".parse().ok()),
        time_zone: Some(Some("Mars".to_owned())),
        ..TaskPatch::default()
    };
    assert_eq!(
        refused(&mut feed, &Command::Edit(time)).1,
        ["due_time", "time_zone"]
    );
}

/// What holds between a task and what one event makes of it.
fn follows(before: Option<&Task>, decided: &Decided) -> Result<(), TestCaseError> {
    let after = &decided.task;
    prop_assert_eq!(after.version, before.map_or(0, |b| b.version) + 1);
    prop_assert_eq!(after.completed, after.completed_at.is_some());
    prop_assert!(after.due_time.is_none() || after.due_date.is_some());
    prop_assert!(after.recurrence.is_none() || after.series_id.is_some());
    prop_assert!(after.clone().title.trim() == after.title && !after.title.is_empty());
    prop_assert_eq!(
        before.is_none(),
        decided.event_type == EventType::TaskCreated
    );
    if let Some(before) = before {
        let names = changes(before, after);
        prop_assert!(!names.is_empty(), "an event that changes nothing");
        prop_assert_eq!((before.id, before.created_at), (after.id, after.created_at));
        prop_assert!(before.series_id.is_none() || before.series_id == after.series_id);
        let completes = !before.completed && after.completed;
        prop_assert_eq!(completes, decided.event_type == EventType::TaskCompleted);
        if decided.event_type == EventType::TaskCompleted {
            prop_assert_eq!(names.len(), 2);
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_history_folds_to_its_tasks(
        commands in proptest::collection::vec((0_u8..3, any_command()), 1..60)
    ) {
        let mut feed = Feed::default();
        for (at, (task, command)) in commands.iter().enumerate() {
            let id = task_id(*task);
            let mut before = feed.tasks.get(&id).cloned();
            let head = feed.head();
            match feed.take(mutation_id(at), id, command) {
                Ok(decided) => {
                    prop_assert!(decided.len() <= 3);
                    for event in decided {
                        follows(before.as_ref(), &event)?;
                        before = Some(event.task);
                    }
                }
                Err(fault) => {
                    prop_assert_eq!(feed.head(), head);
                    prop_assert!(fault.code == Code::ValidationFailed || fault.errors.is_empty());
                }
            }
        }
        feed.notify(task_id(0));
        let mut folded = BTreeMap::new();
        for (at, event) in feed.log.iter().enumerate() {
            let text = serde_json::to_string(event).unwrap();
            let event: Event = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(event.seq, i64::try_from(at + 1).ok());
            apply(&mut folded, event);
        }
        prop_assert_eq!(folded, feed.tasks);
    }
}
