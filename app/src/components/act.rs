//! What is done to one task or to several at once, by key, from the bar or from a dialog.

use crate::browser::timer::next_frame;
use tidings_domain::{command::Command, id::TaskId};

use super::drag;
use crate::{state::Client, words};

/// Changes one task or several; of several, `done` says what was done to how many.
pub fn change(
    client: Client,
    ids: &[TaskId],
    command: impl Fn(TaskId) -> Command,
    done: impl FnOnce(&str) -> String,
) {
    keep_focus(ids);
    match ids {
        [] => {}
        [id] => client.change(*id, command(*id)),
        _ => {
            let many = words::count(ids.len(), "task");
            let changes = ids.iter().map(|id| (*id, command(*id))).collect();
            client.change_many(changes, done(&many));
        }
    }
}

/// Completes tasks; where all of them are done, opens them again.
pub fn complete(client: Client, ids: &[TaskId]) {
    let open = |id: &TaskId| client.peek(*id).is_some_and(|t| !t.completed);
    let done = ids.iter().any(open);
    let end = if done { " done." } else { " open again." };
    let command = |_| Command::Complete(Some(done));
    change(client, ids, command, |many| [many, end].concat());
}

/// Moves tasks to the trash.
pub fn delete(client: Client, ids: &[TaskId]) {
    change(
        client,
        ids,
        |_| Command::Delete,
        |many| [many, " moved to the trash."].concat(),
    );
}

/// If the row with the focus goes with the change, the focus goes to the next that stays.
fn keep_focus(ids: &[TaskId]) {
    let Some(focused) = drag::focused() else {
        return;
    };
    let rows = drag::shown();
    let at = rows.iter().position(|r| *r == focused).unwrap_or_default();
    let stays = |id: &&TaskId| !ids.contains(id);
    let next = rows[at..].iter().find(stays);
    let next = next
        .or_else(|| rows[..at].iter().rev().find(stays))
        .copied();
    next_frame(move || {
        if drag::focused().is_none()
            && let Some(next) = next
        {
            drag::focus_row(next);
        }
    });
}
