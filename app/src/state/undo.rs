//! Ways back: the command that undoes another.

use tidings_domain::{
    command::{Command, TaskPatch},
    id::TaskId,
    task::Task,
    time::Timestamp,
};

/// How long a change can be undone at a keystroke, in milliseconds.
pub const UNDO_MS: i64 = 10_000;

/// A change that can be undone.
#[derive(Clone, Debug, PartialEq)]
pub struct Undoable {
    /// What was done, as the toast says it.
    pub words: String,
    /// The toast that offers it.
    pub toast: u32,
    /// What undoes it, in order.
    pub inverse: Vec<(TaskId, Command)>,
    /// After this it is no longer offered.
    pub until: Timestamp,
}

/// What brings a task back from `command` to how it was `before`. Empty where nothing does.
pub fn inverse(before: Option<&Task>, command: &Command) -> Vec<Command> {
    let Some(before) = before else {
        return match command {
            Command::Create(_) => vec![Command::Delete],
            _ => Vec::new(),
        };
    };
    match command {
        Command::Edit(patch) => vec![Command::Edit(only(patch, before))],
        Command::Replace(_) => vec![Command::Edit(TaskPatch::of(before))],
        Command::Complete(_) => vec![Command::Complete(Some(before.completed))],
        Command::Delete => vec![Command::Restore(None)],
        Command::Restore(None) if before.deleted_at.is_none() => Vec::new(),
        Command::Restore(None) => vec![Command::Delete],
        Command::Restore(Some(_)) => {
            let mut back = vec![Command::Edit(TaskPatch::of(before))];
            if before.deleted_at.is_some() {
                back.push(Command::Delete);
            }
            back
        }
        Command::Create(_) | Command::Purge => Vec::new(),
    }
}

/// The fields that `patch` names, as they are in `task`.
fn only(patch: &TaskPatch, task: &Task) -> TaskPatch {
    let all = TaskPatch::of(task);
    // A date that goes takes its time along, and a time that comes brings its date.
    let due = patch.due_date.is_some() || patch.due_time.is_some();
    TaskPatch {
        title: all.title.filter(|_| patch.title.is_some()),
        description: all.description.filter(|_| patch.description.is_some()),
        completed: all.completed.filter(|_| patch.completed.is_some()),
        priority: all.priority.filter(|_| patch.priority.is_some()),
        tags: all.tags.filter(|_| patch.tags.is_some()),
        due_date: all.due_date.filter(|_| due),
        due_time: all.due_time.filter(|_| due),
        time_zone: all.time_zone.filter(|_| patch.time_zone.is_some()),
        remind_at: all.remind_at.filter(|_| patch.remind_at.is_some()),
        recurrence: all.recurrence.filter(|_| patch.recurrence.is_some() || due),
        position: all.position.filter(|_| patch.position.is_some()),
    }
}

/// What a change of one task is called, for the toast that offers to undo it. Nothing for what is
/// not worth a toast: a new task shows for itself, and so does a place in a list.
pub fn words(title: &str, command: &Command) -> Option<String> {
    let title = short(title);
    match command {
        Command::Complete(Some(true)) => Some(format!("“{title}” is done.")),
        Command::Complete(_) => Some(format!("“{title}” is open again.")),
        Command::Delete => Some(format!("“{title}” is in the trash.")),
        Command::Restore(None) => Some(format!("“{title}” is back.")),
        Command::Restore(Some(_)) => Some(format!("“{title}” is as it was.")),
        Command::Purge => Some(format!("“{title}” is gone for good.")),
        Command::Edit(patch) => edited(patch).map(|what| format!("{what} of “{title}” changed.")),
        Command::Replace(_) => Some(format!("“{title}” changed.")),
        Command::Create(_) => None,
    }
}

/// What the refusal of a change leaves unsaved, as the end of a sentence's subject.
pub fn unsaved(command: &Command) -> &'static str {
    match command {
        Command::Create(_) => "It was not added.",
        Command::Edit(patch) => match edited(patch) {
            Some("Title") => "Your new title was not saved.",
            Some("Description") => "Your new description was not saved.",
            Some("Tags") => "Your tags were not saved.",
            Some("Priority") => "Its new priority was not saved.",
            Some("Date") => "Its new date was not saved.",
            Some("Reminder") => "Its reminder was not saved.",
            Some("Repeat") => "How it repeats was not saved.",
            Some(_) => "Your change was not saved.",
            None => "It was not moved.",
        },
        Command::Replace(_) => "Your change was not saved.",
        Command::Complete(Some(false)) => "It was not reopened.",
        Command::Complete(_) => "It was not completed.",
        Command::Delete => "It was not deleted.",
        Command::Restore(_) => "It was not restored.",
        Command::Purge => "It was not removed.",
    }
}

/// The field that a patch is about; nothing where it only moves the task.
fn edited(patch: &TaskPatch) -> Option<&'static str> {
    let due = patch.due_date.is_some() || patch.due_time.is_some();
    let named = [
        (patch.title.is_some(), "Title"),
        (patch.description.is_some(), "Description"),
        (due, "Date"),
        (patch.priority.is_some(), "Priority"),
        (patch.tags.is_some(), "Tags"),
        (patch.remind_at.is_some(), "Reminder"),
        (patch.recurrence.is_some(), "Repeat"),
        (patch.completed.is_some(), "State"),
    ];
    named.into_iter().find_map(|(is, name)| is.then_some(name))
}

/// A title, short enough for a toast.
pub fn short(title: &str) -> String {
    const MOST: usize = 40;
    if title.chars().count() <= MOST {
        return title.to_owned();
    }
    let cut: String = title.chars().take(MOST - 1).collect();
    format!("{}…", cut.trim_end())
}

#[cfg(test)]
mod tests;
