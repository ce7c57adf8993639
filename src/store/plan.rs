//! Plans a group of mutations: from what the store loaded, in memory and in order, to what it has to
//! write. Knows no database, so that every one of them shares it.

use std::collections::{HashMap, HashSet};

use serde::Serialize;
use serde_json::{
    Value,
    value::{RawValue, to_raw_value},
};
use tidings_domain::{
    command::Command,
    decide::{Context, Decided, decide},
    error::{Code, Fault},
    event::{self, EventType, Metadata, Topic},
    id::{EventId, MutationId, TaskId, UserId},
    task::{TASKS_MAX, Task},
    time::{Timestamp, Zones},
};

use super::{LooseEvent, Mutation, Outcome};
use crate::{
    clock::Ambient,
    error::{Error, Result},
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
    /// The least position of the person's tasks outside the trash.
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
#[derive(Debug, Default)]
pub struct Keys {
    /// Whose feeds.
    pub users: Vec<UserId>,
    /// Mutations that may have been seen.
    pub mutations: Vec<(UserId, MutationId)>,
    /// Target tasks.
    pub tasks: Vec<(UserId, TaskId)>,
    /// Earlier versions that are to be restored.
    pub versions: Vec<(UserId, TaskId, i64)>,
}

impl Keys {
    /// What these mutations touch.
    pub fn of<'a>(mutations: impl Iterator<Item = &'a Mutation>) -> Self {
        let mut keys = Self::default();
        let mut users = HashSet::new();
        let mut ids = HashSet::new();
        let mut tasks = HashSet::new();
        for mutation in mutations {
            let user = mutation.user_id;
            if users.insert(user) {
                keys.users.push(user);
            }
            if mutation.fingerprint.is_some() && ids.insert((user, mutation.mutation_id)) {
                keys.mutations.push((user, mutation.mutation_id));
            }
            if tasks.insert((user, mutation.task_id)) {
                keys.tasks.push((user, mutation.task_id));
            }
            if let Command::Restore(Some(version)) = mutation.command {
                keys.versions.push((user, mutation.task_id, version));
            }
        }
        keys
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
struct Wire<'a> {
    event_id: EventId,
    event_type: EventType,
    version: &'static str,
    timestamp: Timestamp,
    user_id: Option<UserId>,
    task_id: Option<TaskId>,
    seq: Option<i64>,
    task_data: Option<&'a RawValue>,
    data: &'a Value,
    metadata: &'a Metadata,
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
}

/// What a group of mutations writes.
#[derive(Debug, Default)]
pub struct WriteSet {
    /// Events, in order.
    pub events: Vec<EventRow>,
    /// Tasks as they are after the group, each once, with the JSON that the log has.
    pub tasks: Vec<(UserId, Task, Box<RawValue>)>,
    /// Tasks deleted for good, with the seq up to which their events lose their contents.
    pub purged: Vec<(UserId, TaskId, i64)>,
    /// Answers to keep.
    pub seen: Vec<SeenRow>,
    /// Feeds that moved.
    pub feeds: Vec<(UserId, Feed)>,
}

impl WriteSet {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty() && self.purged.is_empty() && self.seen.is_empty()
    }
}

/// Decides on each mutation in order; later ones see what earlier ones did. A refused one leaves no
/// trace.
pub fn plan<'a>(
    mutations: impl Iterator<Item = &'a Mutation>,
    keys: &Keys,
    loaded: Loaded,
    ambient: &Ambient,
    zones: &dyn Zones,
) -> (WriteSet, Vec<Result<Outcome>>) {
    let mut planner = Planner {
        loaded,
        ambient,
        zones,
        written: HashMap::new(),
        moved: HashSet::new(),
        restores: !keys.versions.is_empty(),
        set: WriteSet::default(),
    };
    let outcomes = mutations.map(|m| planner.mutate(m)).collect();
    (planner.finish(), outcomes)
}

struct Planner<'a> {
    /// Kept up to date with what was decided.
    loaded: Loaded,
    ambient: &'a Ambient,
    zones: &'a dyn Zones,
    /// JSON of the tasks that were written, and not deleted for good since.
    written: HashMap<(UserId, TaskId), Box<RawValue>>,
    moved: HashSet<UserId>,
    /// Whether any mutation restores an earlier version.
    restores: bool,
    set: WriteSet,
}

impl Planner<'_> {
    fn mutate(&mut self, mutation: &Mutation) -> Result<Outcome> {
        let user = mutation.user_id;
        if let Some(fingerprint) = &mutation.fingerprint
            && let Some(seen) = self.loaded.seen.get(&(user, mutation.mutation_id))
        {
            if seen.fingerprint != *fingerprint {
                return Err(Code::IdempotencyMismatch.into());
            }
            return Ok(Outcome {
                task: seen.task.clone(),
                seq: seen.seq,
                replayed: true,
            });
        }
        let key = (user, mutation.task_id);
        let feed = self.loaded.feeds.get(&user).ok_or(Code::Unauthenticated)?;
        let now = self.ambient.clock.now().max(feed.at);
        let before = self.loaded.tasks.get(&key);
        let earlier = match mutation.command {
            Command::Restore(Some(version)) => {
                self.loaded.versions.get(&(user, mutation.task_id, version))
            }
            _ => None,
        };
        let context = Context {
            now,
            time_zone: &feed.time_zone,
            zones: self.zones,
            first_position: feed.first_position.as_deref(),
            earlier,
        };
        let decided = decide(
            mutation.task_id,
            before,
            mutation.if_match,
            &mutation.command,
            &context,
        )?;
        let kept = |task: Option<&Task>| i64::from(task.is_some_and(|t| t.deleted_at.is_none()));
        let more = decided
            .last()
            .map_or(0, |last| kept(Some(&last.task)) - kept(before));
        if more > 0 && feed.tasks >= TASKS_MAX {
            return Err(Fault::new(
                Code::Conflict,
                format!("You have {TASKS_MAX} tasks. Delete some to make room for new ones."),
            )
            .into());
        }
        if mutation.command == Command::Purge {
            self.purge(key);
        } else if !decided.is_empty() {
            self.append(mutation, decided, now, more)?;
        }
        Ok(self.answer(mutation, now))
    }

    /// Turns what was decided into rows.
    fn append(
        &mut self,
        mutation: &Mutation,
        decided: Vec<Decided>,
        now: Timestamp,
        more: i64,
    ) -> Result<()> {
        let user = mutation.user_id;
        let key = (user, mutation.task_id);
        let Some(feed) = self.loaded.feeds.get_mut(&user) else {
            return Err(Code::Unauthenticated.into());
        };
        let metadata = Metadata {
            mutation_id: Some(mutation.mutation_id),
            ..mutation.metadata.clone()
        };
        let mut before = self.loaded.tasks.remove(&key);
        let mut seq = feed.seq;
        for Decided { event_type, task } in decided {
            seq += 1;
            let event_id = EventId(self.ambient.ids.next());
            let data = event::task_data(event_type, user, before.as_ref(), &task, self.zones);
            let raw = to_raw_value(&task).map_err(Error::internal)?;
            let wire = Wire {
                event_id,
                event_type,
                version: event::VERSION,
                timestamp: now,
                user_id: Some(user),
                task_id: Some(task.id),
                seq: Some(seq),
                task_data: Some(&raw),
                data: &data,
                metadata: &metadata,
            };
            self.set.events.push(EventRow {
                event_id,
                event_type,
                user_id: Some(user),
                seq: Some(seq),
                task_id: Some(task.id),
                version: Some(task.version),
                at: now,
                json: serde_json::to_string(&wire).map_err(Error::internal)?,
            });
            // A later mutation of the group may restore a version that is made here.
            if self.restores {
                let version = (user, task.id, task.version);
                self.loaded.versions.insert(version, task.clone());
            }
            self.written.insert(key, raw);
            before = Some(task);
        }
        feed.seq = seq;
        feed.at = now;
        feed.tasks += more;
        if let Some(task) = before {
            if task.deleted_at.is_none()
                && feed
                    .first_position
                    .as_ref()
                    .is_none_or(|first| task.position < *first)
            {
                feed.first_position = Some(task.position.clone());
            }
            self.loaded.tasks.insert(key, task);
        }
        self.moved.insert(user);
        Ok(())
    }

    /// Removes the task, and the contents of its events. It is in the trash, so that no count moves.
    fn purge(&mut self, key: (UserId, TaskId)) {
        let head = self.loaded.feeds.get(&key.0).map_or(0, |feed| feed.seq);
        self.loaded.tasks.remove(&key);
        self.written.remove(&key);
        self.loaded
            .versions
            .retain(|(user, task, _), _| (*user, *task) != key);
        for ((user, _), seen) in &mut self.loaded.seen {
            if *user == key.0 && seen.task.as_ref().is_some_and(|t| t.id == key.1) {
                seen.task = None;
            }
        }
        self.set.purged.push((key.0, key.1, head));
    }

    /// The answer, which is kept where its id is a client's.
    fn answer(&mut self, mutation: &Mutation, now: Timestamp) -> Outcome {
        let user = mutation.user_id;
        let task = self.loaded.tasks.get(&(user, mutation.task_id)).cloned();
        let seq = self.loaded.feeds.get(&user).map_or(0, |feed| feed.seq);
        if let Some(fingerprint) = mutation.fingerprint {
            self.set.seen.push(SeenRow {
                user_id: user,
                mutation_id: mutation.mutation_id,
                fingerprint,
                seq,
                task_id: mutation.task_id,
                version: task.as_ref().map(|t| t.version),
                at: now,
            });
            self.loaded.seen.insert(
                (user, mutation.mutation_id),
                Seen {
                    fingerprint,
                    seq,
                    task: task.clone(),
                },
            );
        }
        Outcome {
            task,
            seq,
            replayed: false,
        }
    }

    fn finish(mut self) -> WriteSet {
        for (key, raw) in self.written {
            if let Some(task) = self.loaded.tasks.remove(&key) {
                self.set.tasks.push((key.0, task, raw));
            }
        }
        for user in self.moved {
            if let Some(feed) = self.loaded.feeds.remove(&user) {
                self.set.feeds.push((user, feed));
            }
        }
        self.set
    }
}

#[cfg(test)]
mod tests {
    use tidings_domain::{command::TaskPatch, time::TzDatabase};
    use uuid::Uuid;

    use super::*;

    fn mutation(task: TaskId, command: Command) -> Mutation {
        Mutation {
            user_id: UserId(Uuid::nil()),
            task_id: task,
            command,
            if_match: None,
            fingerprint: None,
            metadata: Metadata::default(),
            mutation_id: MutationId(Uuid::now_v7()),
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
}
