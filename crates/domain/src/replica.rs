//! A client's copy of a person's tasks: `shown = apply(pending, apply(events, snapshot))`.
//!
//! It takes frames late, twice or out of order and ends equal to the server: whatever does not go
//! on from the cursor is dropped, and a gap is answered by asking again.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    command::Command,
    decide::{Context, decide, outcome},
    error::Fault,
    event::Event,
    id::{MutationId, TaskId},
    live::{Resume, ServerFrame},
    sorted::{SortedMap, SortedSet},
    task::Task,
    view::View,
};

/// A change that was made here and that the server's events do not show yet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pending {
    /// Sent with the change, so that a retry does nothing twice.
    pub mutation_id: MutationId,
    /// The task.
    pub task_id: TaskId,
    /// What is asked of it.
    pub command: Command,
    /// The feed's head after it, once the server has answered.
    #[serde(default)]
    pub seq: Option<i64>,
}

/// What a client should do after a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing changed.
    Nothing,
    /// These tasks may show differently; by another's hand where the mutation is not one of ours.
    Changed(SortedSet<TaskId>),
    /// Anything may show differently.
    Reset,
    /// There is a gap: ask again from here.
    Sync(i64),
}

/// Tasks by id.
type Tasks = SortedMap<TaskId, Box<Task>>;

/// The copy.
#[derive(Clone, Debug, Default)]
pub struct Replica {
    epoch: Option<Uuid>,
    cursor: i64,
    base: Tasks,
    pending: Vec<Pending>,
    /// Chunks of a snapshot that is still arriving.
    arriving: Option<Vec<Task>>,
    /// Closed tasks from before the last snapshot, which says nothing of them.
    doubtful: SortedSet<TaskId>,
    complete: bool,
    live: bool,
}

impl Replica {
    /// A copy that starts from what a page held. `complete` says whether that was every open task;
    /// if not, the copy asks for a snapshot and fills up behind the view.
    pub fn new(
        epoch: Uuid,
        cursor: i64,
        tasks: impl IntoIterator<Item = Task>,
        complete: bool,
    ) -> Self {
        let base = tasks.into_iter().map(keyed).collect();
        Self {
            epoch: Some(epoch),
            cursor,
            base,
            complete,
            ..Self::default()
        }
    }

    /// Where to go on from; nothing where a snapshot is needed.
    pub fn resume(&self) -> Option<Resume> {
        let epoch = self.epoch.filter(|_| self.complete)?;
        Some(Resume {
            epoch,
            cursor: self.cursor,
        })
    }

    /// The last seq that the copy has.
    pub fn cursor(&self) -> i64 {
        self.cursor
    }

    /// Whether the copy holds every open task.
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// Whether the server has said that the copy is caught up.
    pub fn is_live(&self) -> bool {
        self.live
    }

    /// The socket is gone: not live until the server says so again.
    pub fn disconnected(&mut self) {
        self.live = false;
        self.arriving = None;
    }

    /// Changes that wait for the server or for its events, oldest first.
    pub fn pending(&self) -> &[Pending] {
        &self.pending
    }

    /// Takes a frame in.
    pub fn receive(&mut self, frame: ServerFrame) -> Step {
        match frame {
            ServerFrame::Welcome { epoch, .. } => {
                if self.epoch.is_some_and(|e| e != epoch) {
                    self.complete = false;
                    // A snapshot says nothing of closed tasks, and these are of no database now.
                    self.base.retain(|_, task| task.is_open());
                    // Another database, perhaps of before these changes: what it does not know is
                    // to be sent again, and what it knows does nothing twice.
                    for change in &mut self.pending {
                        change.seq = None;
                    }
                }
                self.epoch = Some(epoch);
                Step::Nothing
            }
            ServerFrame::Events { from, to, items } => self.events(from, to, items),
            ServerFrame::Live { cursor } if cursor > self.cursor => Step::Sync(self.cursor),
            ServerFrame::Live { .. } => {
                self.live = true;
                Step::Nothing
            }
            ServerFrame::Reset { .. } => {
                self.arriving = Some(Vec::new());
                self.live = false;
                Step::Nothing
            }
            ServerFrame::Snapshot {
                cursor,
                items,
                last,
            } => self.snapshot(cursor, items, last),
            ServerFrame::Tabs { .. }
            | ServerFrame::Unread { .. }
            | ServerFrame::Ping
            | ServerFrame::Pong => Step::Nothing,
        }
    }

    fn events<D>(&mut self, from: i64, to: i64, items: Vec<Event<D>>) -> Step {
        if to <= self.cursor || self.arriving.is_some() {
            return Step::Nothing;
        }
        if from > self.cursor + 1 {
            return Step::Sync(self.cursor);
        }
        let mut changed = SortedSet::default();
        for event in items {
            match event.seq {
                Some(seq) if seq > self.cursor => {}
                _ => continue,
            }
            if let Some(id) = event.task_id {
                // A notification about a task says nothing of how it is.
                if event.event_type.is_of_task() {
                    changed.insert(id);
                    self.doubtful.remove(&id);
                }
            }
            self.recognise(&event);
            match outcome(event) {
                Some((id, Some(task))) => self.base.insert(id, Box::new(task)),
                Some((id, None)) => drop(self.base.remove(&id)),
                None => {}
            }
        }
        self.cursor = to;
        changed.extend(self.settle());
        Step::Changed(changed)
    }

    /// An event of a change that is pending here: the server took it, though its answer is still on
    /// its way. Shown on top of its own event, a change that turns something round would turn it back.
    fn recognise<D>(&mut self, event: &Event<D>) {
        for change in &mut self.pending {
            let own = event.metadata.mutation_id == Some(change.mutation_id)
                && event.task_id == Some(change.task_id);
            if own && change.seq.is_none() {
                change.seq = event.seq;
            }
        }
    }

    fn snapshot(&mut self, cursor: i64, items: Vec<Task>, last: bool) -> Step {
        let Some(arriving) = &mut self.arriving else {
            return Step::Nothing;
        };
        arriving.extend(items);
        if !last {
            return Step::Nothing;
        }
        // A snapshot holds every open task. Of what it lacks, open tasks were closed meanwhile, and
        // of closed ones it says nothing: they stay for the views that show them, which fetch anew.
        let arrived = self.arriving.take().unwrap_or_default();
        let base: Tasks = arrived.into_iter().map(keyed).collect();
        let mut kept = std::mem::take(&mut self.base);
        kept.retain(|id, task| !task.is_open() && base.get(id).is_none());
        self.doubtful.extend(kept.keys().copied());
        self.base = base;
        self.base.extend(kept);
        self.cursor = cursor;
        self.complete = true;
        self.settle();
        Step::Reset
    }

    /// Holds tasks that a view fetched, unless the copy knows them in a later version.
    pub fn learn(&mut self, tasks: impl IntoIterator<Item = Task>) {
        for task in tasks {
            if self
                .base
                .get(&task.id)
                .is_none_or(|known| known.version <= task.version)
            {
                self.doubtful.remove(&task.id);
                self.base.insert(task.id, Box::new(task));
            }
        }
    }

    /// Forgets what a view held before the last snapshot and did not show again when it was fetched
    /// anew. Returns what went.
    pub fn give_up(&mut self, view: &View) -> SortedSet<TaskId> {
        let held = |task: &Task| match view {
            View::Completed => task.completed && task.deleted_at.is_none(),
            View::Trash => task.deleted_at.is_some(),
            _ => false,
        };
        let base = &mut self.base;
        let gone: SortedSet<_> = self
            .doubtful
            .iter()
            .copied()
            .filter(|id| base.get(id).is_none_or(|task| held(task)))
            .collect();
        for id in &gone {
            self.doubtful.remove(id);
            base.remove(id);
        }
        gone
    }

    /// What is here cannot be trusted: the next hello asks for a snapshot.
    pub fn distrust(&mut self) {
        self.complete = false;
    }

    /// Forgets a task that is gone for good; no event says so.
    pub fn forget(&mut self, id: TaskId) {
        self.base.remove(&id);
    }

    /// Puts a change on top.
    pub fn push(&mut self, change: Pending) {
        self.pending.push(change);
    }

    /// The server took the change; its events end at `seq`. Returns the tasks that may show
    /// differently.
    pub fn acknowledge(&mut self, mutation: MutationId, seq: i64) -> SortedSet<TaskId> {
        for change in &mut self.pending {
            if change.mutation_id == mutation {
                change.seq = Some(seq);
            }
        }
        self.settle()
    }

    /// The server refused the change: takes it off and returns it.
    pub fn refuse(&mut self, mutation: MutationId) -> Option<Pending> {
        let at = self
            .pending
            .iter()
            .position(|p| p.mutation_id == mutation)?;
        Some(self.pending.remove(at))
    }

    /// Drops the changes that the cursor has passed.
    fn settle(&mut self) -> SortedSet<TaskId> {
        let cursor = self.cursor;
        let base = &mut self.base;
        let mut settled = SortedSet::default();
        self.pending.retain(|change| {
            let done = change.seq.is_some_and(|seq| seq <= cursor);
            if done {
                settled.insert(change.task_id);
                // No event says that a task is gone for good.
                if change.command == Command::Purge {
                    base.remove(&change.task_id);
                }
            }
            !done
        });
        settled
    }

    /// A task as the server's events have it.
    pub fn settled(&self, id: TaskId) -> Option<&Task> {
        self.base.get(&id).map(Box::as_ref)
    }

    /// A task as it is shown: with the changes that are still pending, each as of when it was made.
    pub fn shown(&self, id: TaskId, context: &Context<'_>) -> Option<Task> {
        let mut task = self.settled(id).cloned();
        for change in self.pending.iter().filter(|p| p.task_id == id) {
            task = predict(task, change, context);
        }
        task
    }

    /// Ids of all tasks that may be shown.
    pub fn ids(&self) -> SortedSet<TaskId> {
        self.base
            .keys()
            .copied()
            .chain(self.pending.iter().map(|p| p.task_id))
            .collect()
    }
}

fn keyed(task: Task) -> (TaskId, Box<Task>) {
    (task.id, Box::new(task))
}

/// The task after a change that the server is expected to accept; as before where it would not.
fn predict(task: Option<Task>, change: &Pending, context: &Context<'_>) -> Option<Task> {
    if change.command == Command::Purge {
        return None;
    }
    // The change's own time, so that what is shown does not change with each look at it.
    let made = change.mutation_id.made_at();
    let context = &Context {
        now: made.unwrap_or(context.now),
        ..*context
    };
    let decided: Result<_, Fault> = decide(
        change.task_id,
        task.as_ref(),
        None,
        &change.command,
        context,
    );
    match decided {
        Ok(events) => events.into_iter().next_back().map(|e| e.task).or(task),
        Err(_) => task,
    }
}
