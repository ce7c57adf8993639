//! What a check of a whole store finds, and how a person's feed is held against the tasks.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;
use tidings_domain::{
    decide::apply,
    event::Event,
    id::{TaskId, UserId},
    task::Task,
};

use super::listing;

/// Faults that are told of; one suffices.
const TOLD: usize = 100;

/// What a check of the whole store found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// People looked at.
    pub users: u64,
    /// Events folded.
    pub events: u64,
    /// Tasks compared.
    pub tasks: u64,
    /// Events that left the outbox and are not in the audit trail: none where the audit consumer has
    /// always run.
    pub unrecorded: u64,
    /// What is wrong, for operators; ids, never contents. The first hundred.
    pub faults: Vec<String>,
}

impl Findings {
    pub(super) fn add(&mut self, fault: String) {
        if self.faults.len() < TOLD {
            self.faults.push(fault);
        }
    }
}

/// One person's events, folded: first all events in order, then all tasks, then the end.
pub(super) struct Fold<'a> {
    findings: &'a mut Findings,
    user: UserId,
    tasks: BTreeMap<TaskId, Task>,
    last: i64,
}

impl<'a> Fold<'a> {
    pub(super) fn new(user: UserId, findings: &'a mut Findings) -> Self {
        Self {
            findings,
            user,
            tasks: BTreeMap::new(),
            last: 0,
        }
    }

    /// The next event of the feed.
    pub(super) fn event(&mut self, seq: i64, event: Event<IgnoredAny>) {
        let user = self.user;
        self.last += 1;
        if seq != self.last || event.seq != Some(seq) || event.user_id != Some(user) {
            let last = self.last;
            self.findings
                .add(format!("{user}: seq {seq} where {last} belongs"));
            self.last = seq;
        }
        self.findings.events += 1;
        apply(&mut self.tasks, event);
    }

    /// The feed's row: its head, and how many tasks it counts outside the trash.
    pub(super) fn feed(&mut self, head: i64, kept: i64) {
        let (user, last) = (self.user, self.last);
        if last != head {
            self.findings.add(format!(
                "{user}: the feed's head is {head}, its last event {last}"
            ));
        }
        let outside = self.tasks.values().filter(|t| t.deleted_at.is_none());
        let outside = outside.count();
        if i64::try_from(outside).ok() != Some(kept) {
            self.findings.add(format!(
                "{user}: {outside} tasks outside the trash are counted as {kept}"
            ));
        }
    }

    /// A task that is there, and the words by which it is found.
    pub(super) fn task(&mut self, task: &Task, search: &str) {
        let user = self.user;
        self.findings.tasks += 1;
        if !listing::same_words(&listing::keys(task).1, search) {
            self.findings
                .add(format!("{user}: the words of task {} are others", task.id));
        }
        if self.tasks.remove(&task.id).as_ref() != Some(task) {
            self.findings.add(format!(
                "{user}: the events do not fold to task {}",
                task.id
            ));
        }
    }

    /// There are no more tasks.
    pub(super) fn end(self) {
        let user = self.user;
        for id in self.tasks.keys() {
            self.findings.add(format!(
                "{user}: the events have a task {id} that is not there"
            ));
        }
        self.findings.users += 1;
    }
}
