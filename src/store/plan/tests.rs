//! The bound on tasks, which would take too long to reach in a database.

use std::collections::HashMap;

use tidings_domain::{
    command::{Command, TaskPatch},
    error::Code,
    event::Metadata,
    id::{MutationId, TaskId, UserId},
    task::TASKS_MAX,
    time::{Timestamp, TzDatabase},
};
use uuid::Uuid;

use super::{Feed, Keys, Loaded, plan};
use crate::{
    clock::Ambient,
    error::{Error, Result},
    store::{Mutation, Outcome},
};

fn mutation(task: TaskId, command: Command) -> Mutation {
    Mutation {
        user_id: UserId(Uuid::nil()),
        task_id: task,
        action: command.into(),
        if_match: None,
        fingerprint: None,
        metadata: Metadata::default(),
        mutation_id: MutationId(Uuid::now_v7()),
        receipt: None,
    }
}

/// What becomes of commands, each to a task, of somebody who has so many tasks.
fn codes(tasks: i64, commands: Vec<(u128, Command)>) -> Vec<Option<Code>> {
    let mutations: Vec<_> = commands
        .into_iter()
        .map(|(task, command)| mutation(TaskId(Uuid::from_u128(task)), command))
        .collect();
    let feed = Feed {
        seq: 0,
        at: Timestamp(0),
        tasks,
        time_zone: "UTC".into(),
        first_position: None,
    };
    let loaded = Loaded {
        feeds: HashMap::from([(UserId(Uuid::nil()), feed)]),
        ..Loaded::default()
    };
    let keys = Keys::of(mutations.iter());
    let ambient = Ambient::default();
    let (_, outcomes) = plan(mutations.iter(), &keys, loaded, &ambient, &TzDatabase);
    let code = |outcome: &Result<Outcome>| match outcome {
        Err(Error::Refused(fault)) => Some(fault.code),
        _ => None,
    };
    outcomes.iter().map(code).collect()
}

fn titled() -> TaskPatch {
    TaskPatch {
        title: Some("A task".into()),
        ..TaskPatch::default()
    }
}

#[test]
fn bounds_the_tasks_outside_the_trash() {
    let create = || Command::Create(titled());
    let full = Some(Code::Conflict);
    assert_eq!(codes(TASKS_MAX, vec![(1, create())]), [full]);
    assert_eq!(
        codes(TASKS_MAX - 1, vec![(1, create()), (2, create())]),
        [None, full]
    );
    // The trash makes room, and nothing comes back out of it without.
    let commands = vec![
        (1, create()),
        (1, Command::Delete),
        (2, create()),
        (1, Command::Restore(None)),
        (1, Command::Purge),
    ];
    assert_eq!(
        codes(TASKS_MAX - 1, commands),
        [None, None, None, full, None]
    );
}
