//! Plans a group of mutations: from what the store loaded, in memory and in order, to what it has to
//! write. Knows no database, so that every one of them shares it.

mod notices;
mod reminders;
mod rows;

use std::collections::{HashMap, HashSet};

use serde_json::value::{RawValue, to_raw_value};
use tidings_domain::{
    command::Command,
    decide::{Context, Decided, decide},
    error::{Code, Fault},
    event::{self, Metadata},
    id::{EventId, TaskId, UserId},
    task::{TASKS_MAX, Task},
    time::{Timestamp, Zones},
};

use self::rows::Wire;
pub use self::rows::{EventRow, Feed, Keys, Loaded, Seen, SeenRow, WriteSet};
pub use self::{
    notices::{MailRow, Told, tell, touched},
    reminders::reminder,
};
use super::{Mutation, Outcome};
use crate::{
    clock::Ambient,
    error::{Error, Result},
};

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
        let quiet = decided.is_empty();
        if mutation.command == Command::Purge {
            self.purge(key);
        } else if !quiet {
            self.append(mutation, decided, now, more)?;
        }
        Ok(self.answer(mutation, now, quiet))
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
            if task.is_open()
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
    fn answer(&mut self, mutation: &Mutation, now: Timestamp, quiet: bool) -> Outcome {
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
                quiet,
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
mod tests;
