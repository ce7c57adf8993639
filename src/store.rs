//! The store: everything that lasts. One trait a noun; `Store` is all of them. Only this module and
//! those below it hold SQL.

mod aside;
mod outbox;
mod people;
pub mod plan;
pub mod sqlite;
mod tasks;

use std::sync::Arc;

use tidings_domain::id::UserId;

pub use self::{
    aside::{AsideRow, DeadLetter, DeadLetters, Failure, OutboxAside, Undelivered},
    outbox::{AuditEntry, AuditRow, AuditTrail, Outbox, OutboxDepth, OutboxRow, Settled},
    people::{Account, Accounts, LooseEvent, ProfileChange, Session, Sessions, Token, Tokens},
    sqlite::SqliteStore,
    tasks::{
        AsOf, Cursor, EVENTS_BYTES, Feeds, Mutation, Outcome, Sort, SortKey, StoredEvent, TaskPage,
        TaskQuery, Tasks,
    },
};

/// Everything that lasts.
pub trait Store: Tasks + Feeds + Accounts + Sessions + Tokens + Outbox + AuditTrail {}

impl<T: Tasks + Feeds + Accounts + Sessions + Tokens + Outbox + AuditTrail> Store for T {}

/// Told of commits, after they are durable: wakes the relay and the sockets, and lets what was read of
/// a person be forgotten.
pub trait OnCommit: Send + Sync {
    /// These people's feeds, or the outbox for `None`, have something new. Must not block.
    fn committed(&self, users: &[UserId]);
    /// This person's account, a session or a token of theirs may have changed or ended. Told before
    /// the caller is answered, and whether or not it still waits. Must not block.
    fn account_changed(&self, user: UserId);
}

/// The shared handle.
pub type SharedStore = Arc<dyn Store>;

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
