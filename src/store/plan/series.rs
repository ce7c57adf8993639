//! What mutations do to the series that a task is of.

use tidings_domain::{
    command::{Command, TaskPatch},
    error::{Code, Fault},
    event::{Actor, Metadata},
    id::{TaskId, UserId},
    series::{self, Occurrence, Place},
    task::Task,
    time::Timestamp,
};

use super::{Planner, Standing, metadata};
use crate::{error::Result, store::Mutation};

impl Planner<'_> {
    /// Moves the mutation's task on to the next date.
    pub(super) fn skip(&mut self, mutation: &Mutation, now: Timestamp) -> Result<()> {
        let key = (mutation.user_id, mutation.task_id);
        let task = self.loaded.tasks.get(&key);
        let task = task
            .filter(|task| task.deleted_at.is_none())
            .ok_or(Code::NotFound)?;
        let no = |words: &str| Err(Fault::new(Code::Conflict, words).into());
        if task.completed {
            return no("The task is completed.");
        }
        if task.recurrence.is_none() {
            return no("The task does not repeat.");
        }
        let known = self.loaded.standings.get(&key).map(|s| &s.occurrence);
        let next = series::skipped(task, known, now, self.place(key.0)?);
        let Some((patch, occurrence)) = next else {
            return no("The task is the last of its series.");
        };
        self.carry_out(mutation, &Command::Edit(patch), now)?;
        self.stand(key, occurrence, 0);
        Ok(())
    }

    /// Puts the reminder of the mutation's task off. Those that follow on it keep theirs.
    pub(super) fn snooze(
        &mut self,
        mutation: &Mutation,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<()> {
        let key = (mutation.user_id, mutation.task_id);
        let task = self.loaded.tasks.get(&key);
        if task.is_some_and(|task| task.completed && task.deleted_at.is_none()) {
            let words = "The task is completed, so there is nothing to put off.";
            return Err(Fault::new(Code::Conflict, words).into());
        }
        let known = self.loaded.standings.get(&key).map(|s| &s.occurrence);
        let put_off = task.and_then(|task| series::put_off(task, known, until, self.zones));
        let patch = TaskPatch {
            remind_at: Some(Some(until)),
            ..TaskPatch::default()
        };
        self.carry_out(mutation, &Command::Edit(patch), now)?;
        if let Some(occurrence) = put_off {
            self.stand(key, occurrence, 0);
        }
        Ok(())
    }

    /// Makes the mutation's task, or brings it back, if it is to follow on the other. Where that is
    /// not to be, or was done before, nothing happens.
    pub(super) fn follow(&mut self, mutation: &Mutation, of: TaskId, now: Timestamp) -> Result<()> {
        let (user, id) = (mutation.user_id, mutation.task_id);
        let key = (user, id);
        let Some(done) = self.loaded.tasks.get(&(user, of)).filter(|t| t.completed) else {
            return Ok(());
        };
        let known = self
            .loaded
            .standings
            .get(&(user, of))
            .map(|s| &s.occurrence);
        let next = series::successor(done, known, self.place(user)?);
        let Some((patch, occurrence)) = next else {
            return Ok(());
        };
        let series_id = done.series_id;
        // One that went for good while the series had it in the trash is made anew.
        let gone =
            !self.loaded.tasks.contains_key(&key) && self.loaded.standings.contains_key(&key);
        let mut decided;
        if gone || !self.loaded.begun.contains(&key) {
            decided = self.decide(key, None, None, &Command::Create(patch), now)?;
            for event in &mut decided {
                event.task.series_id = series_id;
            }
        } else if self.is_untouched(key, |task| task.deleted_at.is_some()) {
            let trashed = self.loaded.tasks.get(&key);
            decided = self.decide(key, trashed, None, &Command::Restore(None), now)?;
            // The task that it follows on may have been changed while it was open.
            let back = decided.last().map(|event| &event.task);
            decided.extend(self.decide(key, back, None, &Command::Edit(patch), now)?);
        } else {
            return Ok(());
        }
        self.append(key, &metadata(mutation), decided, now)?;
        self.loaded.begun.insert(key);
        let version = self.loaded.tasks.get(&key).map_or(0, |task| task.version);
        self.stand(key, occurrence, version);
        Ok(())
    }

    /// Moves the successor of a task that was opened again to the trash, if nobody touched it.
    pub(super) fn take_back(
        &mut self,
        (user, of): (UserId, TaskId),
        metadata: Metadata,
        now: Timestamp,
    ) -> Result<()> {
        let key = (user, series::next_id(of));
        if !self.is_untouched(key, Task::is_open) {
            return Ok(());
        }
        let metadata = Metadata {
            actor: Actor::Recurring,
            ..metadata
        };
        let untouched = self.loaded.tasks.get(&key);
        let gone = self.decide(key, untouched, None, &Command::Delete, now)?;
        self.append(key, &metadata, gone, now)?;
        if let (Some(standing), Some(task)) = (
            self.loaded.standings.get_mut(&key),
            self.loaded.tasks.get(&key),
        ) {
            standing.version = task.version;
            self.stood.insert(key);
        }
        Ok(())
    }

    /// Whether the task is as the series left it, and so.
    pub(super) fn is_untouched(&self, key: (UserId, TaskId), so: impl Fn(&Task) -> bool) -> bool {
        let left = self.loaded.standings.get(&key).map(|s| s.version);
        let task = self.loaded.tasks.get(&key);
        task.is_some_and(|task| so(task) && left == Some(task.version))
    }

    pub(super) fn stand(&mut self, key: (UserId, TaskId), occurrence: Occurrence, version: i64) {
        let standing = Standing {
            occurrence,
            version,
        };
        self.loaded.standings.insert(key, standing);
        self.stood.insert(key);
    }

    fn place(&self, user: UserId) -> Result<Place<'_>> {
        let feed = self.loaded.feeds.get(&user).ok_or(Code::Unauthenticated)?;
        Ok(Place {
            zone: &feed.time_zone,
            zones: self.zones,
        })
    }
}
