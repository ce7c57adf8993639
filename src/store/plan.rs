//! Plans a group of mutations: from what the store loaded, in memory and in order, to what it has to
//! write. Knows no database, so that every one of them shares it.

mod notices;
mod reminders;
mod rows;
mod series;

use std::collections::{HashMap, HashSet};

use serde_json::value::{RawValue, to_raw_value};
use tidings_domain::{
    command::{Command, IfMatch},
    decide::{Context, Decided, decide},
    error::{Code, Fault},
    event::{self, Metadata},
    id::{EventId, TaskId, UserId},
    series::Occurrence,
    task::{TASKS_MAX, Task},
    time::{Timestamp, Zones},
};

use self::rows::Wire;
pub use self::rows::{EventRow, Feed, Keys, Loaded, Mailed, Seen, SeenRow, Standing, WriteSet};
pub use self::{
    notices::{MailRow, Told, tell, touched},
    reminders::reminder,
};
use super::{Action, Mutation, Outcome};
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
        stood: HashSet::new(),
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
    /// Tasks that stand elsewhere in their series than was loaded.
    stood: HashSet<(UserId, TaskId)>,
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
        let id = mutation.task_id;
        let feed = self.loaded.feeds.get(&user).ok_or(Code::Unauthenticated)?;
        if mutation
            .receipt
            .is_some_and(|r| self.loaded.receipts.contains(&r))
        {
            return Ok(Outcome {
                task: self.loaded.tasks.get(&(user, id)).cloned(),
                seq: feed.seq,
                replayed: true,
            });
        }
        let now = self.ambient.clock.now().max(feed.at);
        let head = feed.seq;
        match &mutation.action {
            Action::Command(command) => self.carry_out(mutation, command, now)?,
            Action::Skip => self.skip(mutation, now)?,
            Action::Snooze(until) => self.snooze(mutation, *until, now)?,
            Action::Follow(of) => self.follow(mutation, *of, now)?,
        }
        if let Some(receipt) = mutation.receipt {
            self.loaded.receipts.insert(receipt);
            self.set.receipts.push((receipt, now));
        }
        let quiet = self.loaded.feeds.get(&user).is_some_and(|f| f.seq == head);
        Ok(self.answer(mutation, now, quiet))
    }

    /// What a command does to a task.
    fn decide(
        &self,
        (user, id): (UserId, TaskId),
        before: Option<&Task>,
        if_match: Option<IfMatch>,
        command: &Command,
        now: Timestamp,
    ) -> Result<Vec<Decided>> {
        let feed = self.loaded.feeds.get(&user).ok_or(Code::Unauthenticated)?;
        let earlier = match command {
            Command::Restore(Some(version)) => self.loaded.versions.get(&(user, id, *version)),
            _ => None,
        };
        let context = Context {
            now,
            time_zone: &feed.time_zone,
            zones: self.zones,
            first_position: feed.first_position.as_deref(),
            earlier,
        };
        Ok(decide(id, before, if_match, command, &context)?)
    }

    /// Does to the mutation's task what a command does. Opened again, a completed one loses its
    /// successor if nobody touched that. With another rule a series begins.
    fn carry_out(&mut self, mutation: &Mutation, command: &Command, now: Timestamp) -> Result<()> {
        let key = (mutation.user_id, mutation.task_id);
        let before = self.loaded.tasks.get(&key);
        let decided = self.decide(key, before, mutation.if_match, command, now)?;
        let reopened = before.is_some_and(|task| task.completed)
            && decided.last().is_some_and(|last| !last.task.completed);
        if *command == Command::Purge {
            self.purge(key);
            return Ok(());
        }
        let begins = decided.last().filter(|last| {
            let rule = &last.task.recurrence;
            before.map_or(rule.is_some(), |task| task.recurrence != *rule)
        });
        let known = self.loaded.standings.get(&key).map(|s| &s.occurrence);
        let begins = begins.and_then(|last| Occurrence::of(&last.task, known));
        let metadata = metadata(mutation);
        self.append(key, &metadata, decided, now)?;
        if let Some(occurrence) = begins {
            self.stand(key, occurrence, 0);
        }
        if reopened {
            self.take_back(key, metadata, now)?;
        }
        Ok(())
    }

    /// Turns what was decided on a task into rows.
    fn append(
        &mut self,
        key: (UserId, TaskId),
        metadata: &Metadata,
        decided: Vec<Decided>,
        now: Timestamp,
    ) -> Result<()> {
        let (user, _) = key;
        let Some(last) = decided.last() else {
            return Ok(());
        };
        let Some(feed) = self.loaded.feeds.get_mut(&user) else {
            return Err(Code::Unauthenticated.into());
        };
        let kept = |task: Option<&Task>| i64::from(task.is_some_and(|t| t.deleted_at.is_none()));
        let more = kept(Some(&last.task)) - kept(self.loaded.tasks.get(&key));
        if more > 0 && feed.tasks >= TASKS_MAX {
            return Err(Fault::new(
                Code::Conflict,
                format!("You have {TASKS_MAX} tasks. Delete some to make room for new ones."),
            )
            .into());
        }
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
                metadata,
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
    /// That its series took it there is not forgotten: it may be wanted again.
    fn purge(&mut self, key: (UserId, TaskId)) {
        let head = self.loaded.feeds.get(&key.0).map_or(0, |feed| feed.seq);
        if self.is_untouched(key, |_| true) {
            self.stood.insert(key);
        } else {
            self.loaded.standings.remove(&key);
        }
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
        for key in self.stood {
            if let Some(standing) = self.loaded.standings.remove(&key) {
                self.set.standings.push((key.0, key.1, standing));
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

/// How the events of a mutation came about.
fn metadata(mutation: &Mutation) -> Metadata {
    Metadata {
        mutation_id: Some(mutation.mutation_id),
        ..mutation.metadata.clone()
    }
}

#[cfg(test)]
mod tests;
