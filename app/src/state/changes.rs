//! Changes: shown at once, queued, sent in order, and undone.

use std::sync::Arc;

use tidings_domain::{
    command::{Command, TaskPatch},
    id::TaskId,
    position,
    replica::Pending,
};

use super::{
    Client,
    toast::{ToastAction, ToastKind},
    undo::{self, UNDO_MS, Undoable},
};
use crate::browser::id;

/// Changes that may wait at one time; more are refused, with words.
pub const WAITING_MOST: usize = 500;

impl Client {
    /// Adds a task: first of all where the patch names no place. Shown at once; returns its id.
    #[expect(clippy::should_implement_trait, reason = "it is what the button says")]
    pub fn add(self, patch: TaskPatch) -> TaskId {
        self.add_many(vec![patch])
            .first()
            .copied()
            .unwrap_or_else(|| id::task(self.exact_now()))
    }

    /// Adds several tasks, which end up in the order given. Undone together.
    pub fn add_many(self, patches: Vec<TaskPatch>) -> Vec<TaskId> {
        let count = patches.len();
        let mut changes = Vec::with_capacity(count);
        let mut before = None;
        if self.complete.get_untracked() {
            before = self
                .core
                .with_value(|core| core.first_position().map(str::to_owned));
        }
        let known = before.is_some() || self.complete.get_untracked();
        // From the last to the first, each before the one added before it.
        for mut patch in patches.into_iter().rev() {
            if known && patch.position.is_none() {
                let key = position::before(before.as_deref());
                patch.position = Some(key.clone());
                before = Some(key);
            }
            changes.push((id::task(self.exact_now()), Command::Create(patch)));
        }
        let mut ids: Vec<_> = changes.iter().map(|(id, _)| *id).collect();
        let words = (count > 1).then(|| format!("{count} tasks added."));
        self.carry_out(changes, words);
        ids.reverse();
        ids
    }

    /// Changes a task: shown at once, undone with [`Client::undo`].
    pub fn change(self, id: TaskId, command: Command) {
        let title = self.peek(id).map(|t| t.title).unwrap_or_default();
        let command = self.settled(id, command);
        let words = undo::words(&title, &command);
        self.carry_out(vec![(id, command)], words);
    }

    /// Changes several tasks in one go, undone together; `words` say what was done.
    pub fn change_many(self, changes: Vec<(TaskId, Command)>, words: impl Into<String>) {
        let changes = changes
            .into_iter()
            .map(|(id, command)| (id, self.settled(id, command)))
            .collect();
        self.carry_out(changes, Some(words.into()));
    }

    /// Turning round means something else each time, so it becomes what it means now.
    fn settled(self, id: TaskId, command: Command) -> Command {
        match command {
            Command::Complete(None) => {
                Command::Complete(Some(self.peek(id).is_some_and(|t| !t.completed)))
            }
            other => other,
        }
    }

    fn carry_out(self, changes: Vec<(TaskId, Command)>, words: Option<String>) {
        let mut inverse = Vec::new();
        for (id, command) in &changes {
            let before = self.peek(*id);
            let back = undo::inverse(before.as_ref(), command);
            inverse.splice(0..0, back.into_iter().map(|command| (*id, command)));
        }
        if !self.enqueue(changes) {
            return;
        }
        if let Some(last) = self.undoable.get_untracked() {
            self.toasts.dismiss(last.toast);
        }
        let offered = (!inverse.is_empty()).then(|| ToastAction {
            label: "Undo".to_owned(),
            run: Arc::new(move || self.undo()),
        });
        let undoable = offered.is_some();
        let toast = words.clone().map_or(0, |words| {
            self.toasts.push(ToastKind::Plain, words, offered)
        });
        self.undoable.set(undoable.then(|| Undoable {
            words: words.unwrap_or_default(),
            toast,
            inverse,
            until: self.exact_now().plus_ms(UNDO_MS),
        }));
    }

    /// Takes back the last change, if it was made within the last ten seconds.
    pub fn undo(self) {
        let Some(last) = self.last_undoable() else {
            return;
        };
        self.undoable.set(None);
        self.toasts.dismiss(last.toast);
        self.enqueue(last.inverse);
    }

    /// What [`Client::undo`] would take back now.
    pub fn last_undoable(self) -> Option<Undoable> {
        self.undoable
            .get_untracked()
            .filter(|last| self.exact_now() <= last.until)
    }

    /// A change of this task was refused: it cannot be undone either.
    pub(super) fn forget_undo(self, id: TaskId) {
        let of_it = |last: &Undoable| last.inverse.iter().any(|(task, _)| *task == id);
        if let Some(last) = self.undoable.get_untracked().filter(of_it) {
            self.toasts.dismiss(last.toast);
            self.undoable.set(None);
        }
    }

    /// Puts changes on top of what is shown and in line to be sent. False where too many wait.
    fn enqueue(self, changes: Vec<(TaskId, Command)>) -> bool {
        if self.waiting.get_untracked() + changes.len() > WAITING_MOST {
            self.toasts
                .bad("Too many changes wait to be sent. Get back online first.");
            return false;
        }
        let ids: Vec<_> = changes.iter().map(|(id, _)| *id).collect();
        let now = self.exact_now();
        self.core.update_value(|core| {
            for (task_id, command) in changes {
                core.replica.push(Pending {
                    mutation_id: id::mutation(now),
                    task_id,
                    command,
                    seq: None,
                });
            }
        });
        self.refresh(ids);
        self.queued.update(|n| *n = n.wrapping_add(1));
        true
    }
}
