//! Decides what a command does to a task, and folds events back into tasks.

use std::collections::BTreeMap;

use crate::{
    command::{Command, IfMatch, TaskPatch},
    error::{Code, Fault, FieldError},
    event::{Event, EventType},
    id::TaskId,
    position,
    task::{RecurFrom, Task},
    time::{Timestamp, Zones},
};

/// What a decision may look at besides the task.
pub struct Context<'a> {
    /// Now; never before the feed's last event.
    pub now: Timestamp,
    /// The person's zone.
    pub time_zone: &'a str,
    /// The zone database.
    pub zones: &'a dyn Zones,
    /// The person's least position, before which a new task goes.
    pub first_position: Option<&'a str>,
    /// The task as it was at the version that [`Command::Restore`] names, where it is known.
    pub earlier: Option<&'a Task>,
}

/// One event to be: what happened, and the whole task after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// What happened.
    pub event_type: EventType,
    /// The task after it.
    pub task: Task,
}

/// Decides on a command: the events it makes, in order. None means that nothing changes.
/// [`Command::Purge`] makes none either; the store carries it out.
///
/// # Errors
/// A refusal: `not_found`, `conflict`, `version_mismatch` or `validation_failed`.
pub fn decide(
    id: TaskId,
    state: Option<&Task>,
    if_match: Option<IfMatch>,
    command: &Command,
    context: &Context<'_>,
) -> Result<Vec<Decided>, Fault> {
    if let Command::Create(patch) = command {
        return match state {
            Some(_) => Err(Fault::new(
                Code::Conflict,
                "A task with this id is there already.",
            )),
            None => create(id, patch.clone(), context).map(|event| vec![event]),
        };
    }
    let task = state.ok_or(Code::NotFound)?;
    let in_trash = task.deleted_at.is_some();
    if in_trash && !matches!(command, Command::Restore(_) | Command::Purge) {
        return Err(Code::NotFound.into());
    }
    if if_match.is_some_and(|m| m != IfMatch::Any && m != IfMatch::Version(task.version)) {
        return Err(Code::VersionMismatch.into());
    }
    match command {
        Command::Create(patch) | Command::Edit(patch) => edit(task, patch.clone(), context),
        Command::Replace(patch) if patch.title.is_none() => {
            Err(Fault::field("title", "required", "Title is needed."))
        }
        Command::Replace(patch) => edit(task, patch.clone().whole(), context),
        Command::Complete(done) => {
            let completed = Some(done.unwrap_or(!task.completed));
            edit(
                task,
                TaskPatch {
                    completed,
                    ..TaskPatch::default()
                },
                context,
            )
        }
        Command::Delete => {
            let mut after = next(task, context);
            after.deleted_at = Some(context.now);
            Ok(vec![Decided {
                event_type: EventType::TaskDeleted,
                task: after,
            }])
        }
        Command::Restore(version) => restore(task, *version, context),
        Command::Purge if !in_trash => Err(Fault::new(
            Code::Conflict,
            "Move the task to the trash first.",
        )),
        Command::Purge => Ok(Vec::new()),
    }
}

fn create(id: TaskId, patch: TaskPatch, context: &Context<'_>) -> Result<Decided, Fault> {
    if patch.title.is_none() {
        return Err(Fault::field("title", "required", "Title is needed."));
    }
    let blank = Task {
        id,
        title: String::new(),
        description: String::new(),
        completed: false,
        completed_at: None,
        priority: crate::task::Priority::None,
        tags: Vec::new(),
        due_date: None,
        due_time: None,
        time_zone: context.time_zone.to_owned(),
        remind_at: None,
        recurrence: None,
        series_id: None,
        position: String::new(),
        version: 1,
        created_at: context.now,
        updated_at: context.now,
        deleted_at: None,
    };
    let mut task = patched(&blank, patch, context)?;
    if task.position.is_empty() {
        task.position = position::before(context.first_position);
    }
    Ok(Decided {
        event_type: EventType::TaskCreated,
        task,
    })
}

/// Title and `completed` together are an update and then a completion.
fn edit(task: &Task, patch: TaskPatch, context: &Context<'_>) -> Result<Vec<Decided>, Fault> {
    let mut after = patched(task, patch, context)?;
    let completes = after.completed && !task.completed;
    let mut events = Vec::new();
    if completes {
        after.completed = false;
        after.completed_at = None;
    }
    if after != *task {
        after.version = task.version + 1;
        after.updated_at = context.now;
        events.push(Decided {
            event_type: EventType::TaskUpdated,
            task: after.clone(),
        });
    }
    if completes {
        let mut done = next(&after, context);
        done.completed = true;
        done.completed_at = Some(context.now);
        events.push(Decided {
            event_type: EventType::TaskCompleted,
            task: done,
        });
    }
    Ok(events)
}

fn restore(
    task: &Task,
    version: Option<i64>,
    context: &Context<'_>,
) -> Result<Vec<Decided>, Fault> {
    let mut events = Vec::new();
    let mut current = task.clone();
    if task.deleted_at.is_some() {
        current = next(task, context);
        current.deleted_at = None;
        events.push(Decided {
            event_type: EventType::TaskRestored,
            task: current.clone(),
        });
    }
    if let Some(version) = version {
        let earlier = context
            .earlier
            .filter(|e| e.version == version)
            .ok_or_else(|| {
                Fault::field(
                    "version",
                    "invalid",
                    format!("The task has no version {version}."),
                )
            })?;
        events.extend(edit(&current, TaskPatch::of(earlier), context)?);
    }
    Ok(events)
}

fn next(task: &Task, context: &Context<'_>) -> Task {
    let mut after = task.clone();
    after.version += 1;
    after.updated_at = context.now;
    after
}

/// The task with the patch in it, version and updated_at untouched, checked as a whole.
fn patched(task: &Task, patch: TaskPatch, context: &Context<'_>) -> Result<Task, Fault> {
    let patch = patch.checked()?;
    let mut after = task.clone();
    if let Some(title) = patch.title {
        after.title = title;
    }
    if let Some(description) = patch.description {
        after.description = description;
    }
    if let Some(completed) = patch.completed
        && completed != after.completed
    {
        after.completed = completed;
        after.completed_at = completed.then_some(context.now);
    }
    if let Some(priority) = patch.priority {
        after.priority = priority;
    }
    if let Some(tags) = patch.tags {
        after.tags = tags;
    }
    if let Some(due_date) = patch.due_date {
        after.due_date = due_date;
    }
    if let Some(due_time) = patch.due_time {
        after.due_time = due_time;
    }
    if let Some(zone) = patch.time_zone {
        after.time_zone = zone.unwrap_or_else(|| context.time_zone.to_owned());
    }
    if let Some(remind_at) = patch.remind_at {
        after.remind_at = remind_at;
    }
    if let Some(recurrence) = patch.recurrence {
        if recurrence.is_some() && after.series_id.is_none() {
            after.series_id = Some(after.id);
        }
        after.recurrence = recurrence;
    }
    if let Some(position) = patch.position {
        after.position = position;
    }
    whole(&after, task, context)?;
    Ok(after)
}

/// What can only be checked on the task as a whole.
fn whole(after: &Task, before: &Task, context: &Context<'_>) -> Result<(), Fault> {
    let mut errors = Vec::new();
    let mut bad = |field: &str, words: &str| errors.push(FieldError::new(field, "invalid", words));
    if after.due_time.is_some() && after.due_date.is_none() {
        bad("due_time", "A time needs a due date.");
    }
    if let Some(recurrence) = &after.recurrence
        && recurrence.from == RecurFrom::Due
        && after.due_date.is_none()
    {
        bad(
            "recurrence",
            "A task that repeats from its due date needs one.",
        );
    }
    if after.time_zone != before.time_zone
        && context
            .zones
            .offset(&after.time_zone, context.now)
            .is_none()
    {
        bad(
            "time_zone",
            "Time zone is an IANA name, such as Europe/Berlin.",
        );
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(Fault::fields(errors))
    }
}

/// Folds an event into the tasks: the last `task_data` of each task is the task. Events of a task
/// that was deleted for good have none and leave nothing behind. What is not of a task, such as a
/// notification about one, changes none.
pub fn apply<D>(tasks: &mut BTreeMap<TaskId, Task>, event: Event<D>) {
    match outcome(event) {
        Some((id, Some(task))) => drop(tasks.insert(id, task)),
        Some((id, None)) => drop(tasks.remove(&id)),
        None => {}
    }
}

/// The task that an event changes and what it is after it, see [`apply`].
pub(crate) fn outcome<D>(event: Event<D>) -> Option<(TaskId, Option<Task>)> {
    if !event.event_type.is_of_task() {
        return None;
    }
    let id = event.task_data.as_ref().map(|task| task.id);
    Some((id.or(event.task_id)?, event.task_data))
}
