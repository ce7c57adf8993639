//! What a plan starts from and what it comes to: rows, apart from any database.

use std::collections::{HashMap, HashSet};

use serde::Serialize;
use serde_json::{Value, value::RawValue};
use tidings_domain::{
    command::Command,
    event::{self, EventType, Metadata, Topic},
    id::{EventId, MutationId, TaskId, UserId},
    series::{self, Occurrence},
    task::Task,
    time::Timestamp,
};

use crate::{
    error::{Error, Result},
    store::{Action, LooseEvent, Mutation, Receipt},
};

/// A person's feed, as it is locked for a group of mutations.
#[derive(Clone, Debug)]
pub struct Feed {
    /// Its head.
    pub seq: i64,
    /// When its last event was.
    pub at: Timestamp,
    /// The person's tasks outside the trash.
    pub tasks: i64,
    /// The person's zone.
    pub time_zone: String,
    /// The least position of the person's open tasks.
    pub first_position: Option<String>,
}

/// The stored answer to a mutation seen before.
#[derive(Clone, Debug)]
pub struct Seen {
    /// What was asked.
    pub fingerprint: [u8; 32],
    /// The feed's head then.
    pub seq: i64,
    /// The task then.
    pub task: Option<Task>,
}

/// What a group of mutations touches, without doubles.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    /// Whose feeds.
    pub users: Vec<UserId>,
    /// Mutations that may have been seen.
    pub mutations: Vec<(UserId, MutationId)>,
    /// Target tasks.
    pub tasks: Vec<(UserId, TaskId)>,
    /// Earlier versions that are to be restored.
    pub versions: Vec<(UserId, TaskId, i64)>,
    /// Tasks whose place in a series matters.
    pub series: Vec<(UserId, TaskId)>,
    /// Events that consumers may have taken in.
    pub receipts: Vec<Receipt>,
}

impl Keys {
    /// What these mutations touch.
    pub fn of<'a>(mutations: impl Iterator<Item = &'a Mutation>) -> Self {
        let mut keys = Self::default();
        let mut users = HashSet::new();
        let mut ids = HashSet::new();
        let mut tasks = HashSet::new();
        let mut placed = HashSet::new();
        for mutation in mutations {
            let (user, id) = (mutation.user_id, mutation.task_id);
            if users.insert(user) {
                keys.users.push(user);
            }
            if mutation.fingerprint.is_some() && ids.insert((user, mutation.mutation_id)) {
                keys.mutations.push((user, mutation.mutation_id));
            }
            if let Action::Command(Command::Restore(Some(version))) = mutation.action {
                keys.versions.push((user, id, version));
            }
            keys.receipts.extend(mutation.receipt);
            let (also, series) = match &mutation.action {
                Action::Follow(of) => (Some(*of), vec![id, *of]),
                Action::Skip | Action::Snooze(_) => (None, vec![id]),
                Action::Command(command) => {
                    let next = may_reopen(command).then(|| series::next_id(id));
                    let own = may_move(command).then_some(id);
                    (next, own.into_iter().chain(next).collect())
                }
            };
            for key in [Some(id), also].into_iter().flatten().map(|id| (user, id)) {
                if tasks.insert(key) {
                    keys.tasks.push(key);
                }
            }
            for key in series.into_iter().map(|id| (user, id)) {
                if placed.insert(key) {
                    keys.series.push(key);
                }
            }
        }
        keys
    }
}

/// Whether a command may open a completed task again, whose successor may then go.
fn may_reopen(command: &Command) -> bool {
    match command {
        Command::Complete(done) => *done != Some(true),
        Command::Edit(patch) => patch.completed == Some(false),
        Command::Replace(patch) => patch.completed != Some(true),
        Command::Restore(version) => version.is_some(),
        Command::Create(_) | Command::Delete | Command::Purge => false,
    }
}

/// Whether a command may give a task another rule, or take its place in a series.
fn may_move(command: &Command) -> bool {
    match command {
        Command::Edit(patch) => patch.recurrence.is_some(),
        Command::Replace(_) | Command::Purge => true,
        Command::Restore(version) => version.is_some(),
        Command::Create(_) | Command::Complete(_) | Command::Delete => false,
    }
}

/// What the store found under the [`Keys`].
#[derive(Debug, Default)]
pub struct Loaded {
    /// Feeds; a person without one has no account.
    pub feeds: HashMap<UserId, Feed>,
    /// Mutations that were seen.
    pub seen: HashMap<(UserId, MutationId), Seen>,
    /// Tasks.
    pub tasks: HashMap<(UserId, TaskId), Task>,
    /// Earlier versions.
    pub versions: HashMap<(UserId, TaskId, i64), Task>,
    /// Where tasks stand in their series.
    pub standings: HashMap<(UserId, TaskId), Standing>,
    /// Those of [`Keys::series`] that have events, whether or not the task is still there.
    pub begun: HashSet<(UserId, TaskId)>,
    /// Events that were taken in.
    pub receipts: HashSet<Receipt>,
    /// What mail people got of late; loaded for notices alone.
    pub mailed: HashMap<UserId, Mailed>,
}

/// How much mail somebody got in 24 hours.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mailed {
    /// From when those count.
    pub since: Timestamp,
    /// So many; one more than are allowed where others were left out.
    pub mails: i64,
}

/// Where a task stands in its series, and what the series last did to it.
#[derive(Clone, Debug)]
pub struct Standing {
    /// Where.
    pub occurrence: Occurrence,
    /// The task's version since the series made it, took it away or brought it back, so that what
    /// somebody touched is told from what nobody did; 0 where the series did none of it.
    pub version: i64,
}

/// An event to append.
#[derive(Debug)]
pub struct EventRow {
    /// Its id.
    pub event_id: EventId,
    /// What happened.
    pub event_type: EventType,
    /// To whom.
    pub user_id: Option<UserId>,
    /// Its place in the feed.
    pub seq: Option<i64>,
    /// The task.
    pub task_id: Option<TaskId>,
    /// The task's version after it.
    pub version: Option<i64>,
    /// When.
    pub at: Timestamp,
    /// The event as it is kept and sent.
    pub json: String,
}

impl EventRow {
    /// The row of an event that stands in no feed.
    ///
    /// # Errors
    /// Internal, where the event cannot be written as JSON.
    pub fn loose(event: &LooseEvent) -> Result<Self> {
        let wire = Wire {
            event_id: event.event_id,
            event_type: event.event_type,
            version: event::VERSION,
            timestamp: event.timestamp,
            user_id: event.user_id,
            task_id: None,
            seq: None,
            task_data: None,
            data: &event.data,
            metadata: &event.metadata,
        };
        Ok(Self {
            event_id: event.event_id,
            event_type: event.event_type,
            user_id: event.user_id,
            seq: None,
            task_id: None,
            version: None,
            at: event.timestamp,
            json: serde_json::to_string(&wire).map_err(Error::internal)?,
        })
    }

    /// The topics that the event goes to.
    pub fn topics(&self) -> &'static [Topic] {
        self.event_type.topics()
    }
}

/// [`event::Event`], borrowed: the same members in the same order.
#[derive(Serialize)]
pub(super) struct Wire<'a> {
    pub(super) event_id: EventId,
    pub(super) event_type: EventType,
    pub(super) version: &'static str,
    pub(super) timestamp: Timestamp,
    pub(super) user_id: Option<UserId>,
    pub(super) task_id: Option<TaskId>,
    pub(super) seq: Option<i64>,
    pub(super) task_data: Option<&'a RawValue>,
    pub(super) data: &'a Value,
    pub(super) metadata: &'a Metadata,
}

/// A mutation's answer to keep.
#[derive(Debug)]
pub struct SeenRow {
    /// Whose.
    pub user_id: UserId,
    /// The mutation.
    pub mutation_id: MutationId,
    /// What was asked.
    pub fingerprint: [u8; 32],
    /// The feed's head after it.
    pub seq: i64,
    /// The task.
    pub task_id: TaskId,
    /// The task's version after it; `None` where it was deleted for good.
    pub version: Option<i64>,
    /// When.
    pub at: Timestamp,
    /// Whether it made no event.
    pub quiet: bool,
}

/// What a group of mutations writes.
#[derive(Debug, Default)]
pub struct WriteSet {
    /// Events, in order.
    pub events: Vec<EventRow>,
    /// Tasks as they are after the group, each once, with the JSON that the log has.
    pub tasks: Vec<(UserId, Task, Box<RawValue>)>,
    /// Tasks deleted for good, with the seq up to which their events lose their contents. Their
    /// places in series go too, but for what is in `standings`.
    pub purged: Vec<(UserId, TaskId, i64)>,
    /// Answers to keep.
    pub seen: Vec<SeenRow>,
    /// Feeds that moved.
    pub feeds: Vec<(UserId, Feed)>,
    /// Where tasks stand in their series, if that is new.
    pub standings: Vec<(UserId, TaskId, Standing)>,
    /// Events that were taken in, and when.
    pub receipts: Vec<(Receipt, Timestamp)>,
}

impl WriteSet {
    /// The tasks that lose their place in a series: those deleted for good that were given none since.
    pub fn displaced(&self) -> Vec<(UserId, TaskId)> {
        let standings = self.standings.iter();
        let stand: HashSet<_> = standings.map(|(user, task, _)| (*user, *task)).collect();
        let purged = self.purged.iter().map(|(user, task, _)| (*user, *task));
        purged.filter(|key| !stand.contains(key)).collect()
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
            && self.purged.is_empty()
            && self.seen.is_empty()
            && self.receipts.is_empty()
    }
}
