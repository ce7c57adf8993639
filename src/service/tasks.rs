//! What people and programs may do with tasks. Server functions, pages and REST all come through
//! here, so that each rule holds everywhere.

mod history;
mod list;
mod past;
pub mod samples;
mod statistics;

use sha2::{Digest, Sha256};
use tidings_domain::{
    command::{Command, IfMatch, client_made},
    error::{Code, Fault},
    id::{ClientId, MutationId, TaskId, UserId},
    search::{Due, Search},
    task::Task,
    time::{Timestamp, TzDatabase},
    view::{Board, Here, View},
};
use tracing::instrument;
use uuid::Uuid;

pub use self::{
    history::{ActivityLine, Version},
    list::{LIMIT_DEFAULT, LIMIT_MAX, ListRequest, Listed, limit, read_cursor, write_cursor},
};
use crate::{
    auth::Actor,
    clock::Ambient,
    error::Result,
    store::{Action, AuditRow, Mutation, Outcome, SharedStore, StoredEvent, TaskPage, TaskQuery},
    telemetry::{SPANS, about},
};

/// Open tasks that a page is rendered with, at most.
pub const BOARD_MAX: usize = 100;

/// A mutation id that a client chose, with what it asked for under it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// The id.
    pub mutation_id: MutationId,
    /// SHA-256 of what was asked.
    pub fingerprint: [u8; 32],
}

impl Key {
    /// The key of a client's own mutation id.
    ///
    /// # Errors
    /// `validation_failed` unless it is a version 7 UUID.
    pub fn client_made(mutation_id: MutationId, asked: &[&[u8]]) -> Result<Self, Fault> {
        if !mutation_id.is_v7() {
            let words = "A mutation id is a version 7 UUID.";
            return Err(Fault::field("mutation_id", "invalid", words));
        }
        Ok(Self {
            mutation_id,
            fingerprint: fingerprint(asked),
        })
    }

    /// The key of an `Idempotency-Key`: a UUID as it is, any other text mapped to one that only
    /// this person's texts map to.
    pub fn named(user: UserId, text: &str, asked: &[&[u8]]) -> Self {
        let own = (text.len() == 36).then(|| text.parse().ok()).flatten();
        let id = own.unwrap_or_else(|| Uuid::new_v5(&user.0, text.as_bytes()));
        Self {
            mutation_id: MutationId(id),
            fingerprint: fingerprint(asked),
        }
    }
}

/// SHA-256 over parts, each with its length, so that no two lists of parts look the same.
fn fingerprint(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// Which versions of a task a request may change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Precondition {
    /// Any, but the task must be there.
    Any,
    /// One of these.
    Versions(Vec<i64>),
}

impl Precondition {
    /// Whether it allows this version.
    pub fn allows(&self, version: i64) -> bool {
        match self {
            Self::Any => true,
            Self::Versions(versions) => versions.contains(&version),
        }
    }
}

/// A change that somebody wants.
#[derive(Clone, Debug)]
pub struct Intent {
    /// The task; `None` makes an id for a new one.
    pub task_id: Option<TaskId>,
    /// What is asked.
    pub action: Action,
    /// Which versions it is meant for.
    pub precondition: Option<Precondition>,
    /// The client's own id for it, by which a retry is recognised.
    pub key: Option<Key>,
    /// The browser profile or program, where it said so.
    pub client_id: Option<ClientId>,
}

/// The use cases of tasks.
#[derive(Clone)]
pub struct Tasks {
    store: SharedStore,
    ambient: Ambient,
}

impl Tasks {
    /// Over this store, clock and ids.
    pub fn new(store: SharedStore, ambient: Ambient) -> Self {
        Self { store, ambient }
    }

    /// The server's clock.
    pub fn now(&self) -> Timestamp {
        self.ambient.clock.now()
    }

    /// A new version 7 UUID.
    pub fn id(&self) -> Uuid {
        self.ambient.ids.next()
    }

    /// Carries a change out, once: a key seen before is answered with what it did then.
    ///
    /// # Errors
    /// Refusals of the rules, `version_mismatch`, `idempotency_mismatch`; `validation_failed` for a
    /// new task under an id that is not version 7.
    #[instrument(target = SPANS, level = "trace", skip_all)]
    pub async fn change(&self, actor: &Actor, intent: Intent) -> Result<Outcome> {
        let task_id = match intent.task_id {
            Some(id) if matches!(intent.action, Action::Command(Command::Create(_))) => {
                client_made(id)?
            }
            Some(id) => id,
            None => TaskId(self.id()),
        };
        about::task(task_id);
        let if_match = match &intent.precondition {
            None => None,
            Some(condition) => Some(self.resolve(actor, task_id, condition).await?),
        };
        let key = intent.key;
        let mutation_id = key.map_or_else(|| MutationId(self.id()), |key| key.mutation_id);
        let mutation = Mutation {
            user_id: actor.user.id,
            task_id,
            action: intent.action,
            if_match,
            fingerprint: key.map(|key| key.fingerprint),
            metadata: actor.metadata(Some(mutation_id), intent.client_id),
            mutation_id,
            receipt: None,
        };
        let outcome = self.store.mutate(mutation).await?;
        tracing::debug!(
            user_id = %actor.user.id,
            %task_id,
            seq = outcome.seq,
            replayed = outcome.replayed,
            trace_id = %actor.caller.trace.trace_id(),
            "a task was changed"
        );
        Ok(outcome)
    }

    /// Narrows a condition to the one version that the store is to compare. Of several, that is the
    /// one which the task has now; the store looks again.
    async fn resolve(
        &self,
        actor: &Actor,
        id: TaskId,
        condition: &Precondition,
    ) -> Result<IfMatch> {
        Ok(match condition {
            Precondition::Any => IfMatch::Any,
            Precondition::Versions(versions) => match versions.as_slice() {
                [] => IfMatch::Version(0),
                [version] => IfMatch::Version(*version),
                _ => {
                    let task = self.store.task(actor.user.id, id).await?;
                    let version = task.map_or(0, |task| task.version);
                    IfMatch::Version(if versions.contains(&version) {
                        version
                    } else {
                        0
                    })
                }
            },
        })
    }

    /// A task, in the trash or not.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn any(&self, actor: &Actor, id: TaskId) -> Result<Task> {
        about::task(id);
        let task = self.store.task(actor.user.id, id).await?;
        Ok(task.ok_or(Code::NotFound)?)
    }

    /// A task outside the trash.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn get(&self, actor: &Actor, id: TaskId) -> Result<Task> {
        let task = self.any(actor, id).await?;
        if task.deleted_at.is_some() {
            return Err(Code::NotFound.into());
        }
        Ok(task)
    }

    /// A part of a list.
    ///
    /// # Errors
    /// Only the store's.
    pub async fn list(&self, actor: &Actor, query: &TaskQuery) -> Result<TaskPage> {
        let here = Here::at(&actor.user.time_zone, self.now(), &TzDatabase);
        self.store.list(actor.user.id, query, &here).await
    }

    /// What the search box asks for, as it is typed: words, and filters among them. Nothing of `query`
    /// changes but what they ask for; `None` where they ask for nothing.
    pub fn searched(&self, actor: &Actor, typed: &str, query: TaskQuery) -> Option<TaskQuery> {
        let here = Here::at(&actor.user.time_zone, self.now(), &TzDatabase);
        let search = Search::parse(typed, here.today);
        let asks = !search.is_empty();
        let (due_after, due_before, completed) = match search.due {
            Some(Due::On(day)) => (day.pred_opt(), day.succ_opt(), None),
            Some(Due::Overdue(day)) => (None, Some(day), Some(false)),
            None => (None, None, None),
        };
        asks.then_some(TaskQuery {
            q: Some(search.words),
            tags: search.tags,
            priority: search.priority,
            due_after,
            due_before,
            completed,
            ..query
        })
    }

    /// What a page starts from: the view's open tasks, counts, and where the feed stands.
    ///
    /// # Errors
    /// Only the store's.
    pub async fn board(&self, actor: &Actor, view: &View) -> Result<Board> {
        let here = Here::at(&actor.user.time_zone, self.now(), &TzDatabase);
        self.store
            .board(actor.user.id, view, BOARD_MAX, &here)
            .await
    }

    /// The feed: the database's id, the head, and events after `after`.
    ///
    /// # Errors
    /// Only the store's.
    pub async fn events(
        &self,
        actor: &Actor,
        after: i64,
        limit: usize,
    ) -> Result<(Uuid, i64, Vec<StoredEvent>)> {
        let (head, events) = self.store.events(actor.user.id, after, limit).await?;
        Ok((self.store.epoch(), head, events))
    }

    /// What the audit consumer recorded of this person.
    ///
    /// # Errors
    /// Only the store's.
    pub async fn audit(&self, actor: &Actor, after: i64, limit: usize) -> Result<Vec<AuditRow>> {
        self.store.audit(actor.user.id, after, limit).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_fingerprint_do_not_run_into_each_other() {
        assert_ne!(fingerprint(&[b"ab", b"c"]), fingerprint(&[b"a", b"bc"]));
        assert_eq!(fingerprint(&[b"ab", b"c"]), fingerprint(&[b"ab", b"c"]));
    }

    #[test]
    fn a_key_that_is_no_uuid_belongs_to_its_person() {
        let [a, b] = [1, 2].map(|n| UserId(Uuid::from_u128(n)));
        let id = |user, text: &str| Key::named(user, text, &[]).mutation_id;
        assert_eq!(id(a, "order-7"), id(a, "order-7"));
        assert_ne!(id(a, "order-7"), id(b, "order-7"));
        let uuid = "0198c0de-0000-7000-8000-000000000001";
        assert_eq!(id(a, uuid).to_string(), uuid);
        assert_ne!(id(a, &uuid.replace('-', "")).to_string(), uuid);
    }
}
