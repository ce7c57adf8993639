//! The store: everything that lasts. One trait a noun; `Store` is all of them. Only this module and
//! those below it hold SQL.

mod aside;
mod backup;
mod check;
mod listing;
mod mails;
mod missed;
mod notices;
mod outbox;
mod people;
pub mod plan;
pub mod postgres;
mod pushes;
mod queue;
mod reminders;
mod replay;
mod retention;
pub mod sqlite;
mod statistics;
mod tasks;
mod trail;
mod turns;

use std::{collections::BTreeSet, sync::Arc};

use async_trait::async_trait;
use sqlx::migrate::Migrator;
use tidings_domain::id::UserId;
use tokio_util::sync::CancellationToken;

use crate::{clock::Ambient, error::Result};

pub use self::{
    aside::{AsideRow, DeadLetter, DeadLetters, Failure, OutboxAside, Undelivered},
    backup::{BackupError, Restored, backup, restore},
    check::Findings,
    mails::{Mail, Mails},
    missed::Missed,
    notices::{Notice, NoticePlace, Notices, Recipient},
    outbox::{
        AuditEntry, AuditRow, AuditTrail, CLAIM_BYTES, Outbox, OutboxDepth, OutboxRow, Settled,
    },
    people::{Account, Accounts, LooseEvent, ProfileChange, Session, Sessions, Token, Tokens},
    plan::MailRow,
    postgres::PostgresStore,
    pushes::{Push, PushMessage, Pushes, SUBSCRIPTIONS_MAX, Subscription},
    queue::{Posted, QueueDepth, Unsent},
    reminders::Reminders,
    replay::Replay,
    retention::{Expired, KEPT_MS, Retention},
    sqlite::SqliteStore,
    statistics::{Counts, Statistics, Tally, TallyTask},
    tasks::{
        Action, AsOf, Cursor, EVENTS_BYTES, Feeds, Mutation, Outcome, Receipt, Sort, SortKey,
        StoredEvent, TaskJson, TaskPage, TaskQuery, Tasks,
    },
    trail::{Trail, TrailQuery},
};

/// Everything that lasts.
#[async_trait]
pub trait Store:
    Tasks
    + Feeds
    + Accounts
    + Sessions
    + Tokens
    + Outbox
    + OutboxAside
    + DeadLetters
    + AuditTrail
    + Trail
    + Missed
    + Reminders
    + Notices
    + Mails
    + Pushes
    + Retention
    + Statistics
    + Replay
{
    /// Folds every person's events and compares with the tasks; looks for gaps; compares log, outbox,
    /// inbox and audit trail. Reads one moment, beside whatever goes on.
    async fn check(&self) -> Result<Findings>;
    /// Cancelled where a task of the store failed: writes may be `Unavailable` from then on.
    fn failed(&self) -> &CancellationToken;
    /// Writes what still waits and lets go of the database. Whatever is asked afterwards is
    /// `Unavailable`.
    async fn close(&self);
}

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

/// Opens the database at `url` and migrates it: PostgreSQL where it begins with `postgres://` or
/// `postgresql://`, else SQLite. `on_commit` is told of every commit that made events.
///
/// # Errors
/// `Unavailable` where the database is out of reach, `Internal` where it is not ours.
pub async fn open(
    url: &str,
    ambient: Ambient,
    on_commit: Arc<dyn OnCommit>,
) -> Result<SharedStore> {
    Ok(if postgres::is_url(url) {
        Arc::new(PostgresStore::open(url, ambient, on_commit).await?)
    } else {
        Arc::new(SqliteStore::open(url, ambient, on_commit).await?)
    })
}

/// As [`open`], for whoever only looks: where there is no database, none is made.
///
/// # Errors
/// As [`open`]; `Unavailable` also where it is missing.
pub async fn open_existing(
    url: &str,
    ambient: Ambient,
    on_commit: Arc<dyn OnCommit>,
) -> Result<SharedStore> {
    // PostgreSQL makes none by itself.
    if !postgres::is_url(url) {
        SqliteStore::schema(url).await?;
    }
    open(url, ambient, on_commit).await
}

/// How the schema of a database compares with the one that this program knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schema {
    /// It is the same.
    Newest,
    /// So many migrations are still to come.
    Behind(usize),
    /// It has migrations of a newer program.
    Ahead,
}

impl Schema {
    /// Of a database with these migrations.
    fn of(migrator: &Migrator, applied: &[i64]) -> Self {
        let known: BTreeSet<_> = migrator.iter().map(|migration| migration.version).collect();
        if applied.iter().any(|version| !known.contains(version)) {
            return Self::Ahead;
        }
        match known.len() - applied.len() {
            0 => Self::Newest,
            missing => Self::Behind(missing),
        }
    }
}

/// Looks at the schema of the database at `url`, and changes nothing.
///
/// # Errors
/// As [`open`]; `Unavailable` also where it is missing.
pub async fn schema(url: &str) -> Result<Schema> {
    if postgres::is_url(url) {
        PostgresStore::schema(url).await
    } else {
        SqliteStore::schema(url).await
    }
}

/// Brings the database at `url` to the newest schema, and does nothing else.
///
/// # Errors
/// As [`open`].
pub async fn migrate(url: &str) -> Result<()> {
    if postgres::is_url(url) {
        PostgresStore::migrate(url).await
    } else {
        SqliteStore::migrate(url).await
    }
}
