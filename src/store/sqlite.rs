//! The store on SQLite: one file, one writing connection that an owned task holds, and a few that
//! read. See [`writer`] for how writes become transactions.
//!
//! Limits are bound as `+?`: SQLite makes a statement anew whenever a plain `LIMIT ?` is bound, since it
//! plans by the number. Lists are bound as JSON and walked by `jsonb_each`: of `json_each` each look at a
//! row's `value` is a new text, which is parsed again.

mod accounts;
mod aside;
mod audit;
mod backup;
mod check;
mod feeds;
mod job;
mod list;
mod load;
mod lock;
mod mails;
mod missed;
mod notices;
mod outbox;
#[cfg(test)]
mod plans;
mod pushes;
mod queue;
mod readers;
mod reminders;
mod replay;
mod retention;
mod series;
mod sessions;
mod single;
mod statistics;
mod tasks;
mod tokens;
mod trail;
mod write;
mod writer;

use std::{
    str::FromStr,
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use sqlx::{
    ConnectOptions, Connection, SqliteConnection,
    migrate::Migrator,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use self::{readers::Readers, single::Single, writer::Writer};
use super::{Findings, OnCommit, Schema, Store, turns::Turns};
use crate::{
    clock::Ambient,
    error::{Error, Result},
};

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// Connections that read.
const READERS: u32 = 4;
/// How many of them may read everything of a person at once: the others stay free for what is small.
const HEAVY: usize = 2;
/// How long a statement waits for another process that writes.
const BUSY: Duration = Duration::from_secs(10);
/// SQLITE_BUSY.
const BUSY_CODE: i64 = 5;
/// How long until a file that another process opens is tried again.
const AGAIN: Duration = Duration::from_millis(10);

/// The store on SQLite.
pub struct SqliteStore {
    epoch: Uuid,
    ambient: Ambient,
    readers: Readers,
    single: Single,
    heavy: Turns,
    writer: Writer,
}

impl SqliteStore {
    /// Opens the database at `url` (`sqlite://path`, or a path), making its folder and file where
    /// they are missing, and migrates it. `on_commit` is told of every commit that made events.
    ///
    /// # Errors
    /// `Unavailable` where the file is out of reach, `Internal` where it is not ours.
    pub async fn open(url: &str, ambient: Ambient, on_commit: Arc<dyn OnCommit>) -> Result<Self> {
        let options = options(url)?;
        let lock = lock::shared(options.get_filename()).await?;
        let mut connection = connect(&options).await?;
        migrate_with(&mut connection).await?;
        let epoch = epoch(&mut connection, ambient.ids.next()).await?;
        let reading = options.clone().read_only(true).create_if_missing(false);
        let readers = Readers::open(reading, READERS).await.map_err(db)?;
        let writing = writing(&options);
        let writer = Writer::start(writing, connection, lock, ambient.clone(), on_commit);
        Ok(Self {
            epoch,
            ambient,
            single: Single::start(readers.clone(), writer.failed()),
            readers,
            heavy: Turns::new(HEAVY),
            writer,
        })
    }

    /// Brings the database at `url` to the newest schema, making it where it is missing, and does
    /// nothing else.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn migrate(url: &str) -> Result<()> {
        let options = options(url)?;
        let _lock = lock::shared(options.get_filename()).await?;
        let mut connection = connect(&options).await?;
        migrate_with(&mut connection).await?;
        connection.close().await.map_err(db)
    }

    /// Looks at the schema of the database at `url`, which must be there.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn schema(url: &str) -> Result<Schema> {
        let options = options(url)?.create_if_missing(false);
        let mut connection = options.connect().await.map_err(db)?;
        let schema = schema_of(&mut connection).await?;
        connection.close().await.map_err(db)?;
        Ok(schema)
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn check(&self) -> Result<Findings> {
        self.findings().await
    }

    fn failed(&self) -> &CancellationToken {
        self.writer.failed()
    }

    /// Moves the journal into the file, too.
    async fn close(&self) {
        self.readers.close().await;
        self.single.close().await;
        self.writer.close().await;
    }
}

fn options(url: &str) -> Result<SqliteConnectOptions> {
    let options = if url.starts_with("sqlite:") {
        SqliteConnectOptions::from_str(url).map_err(db)?
    } else {
        SqliteConnectOptions::new().filename(url)
    };
    Ok(options
        .create_if_missing(true)
        .busy_timeout(BUSY)
        .foreign_keys(true)
        .synchronous(SqliteSynchronous::Full)
        // What was deleted for good does not linger in free pages.
        .pragma("secure_delete", "FAST")
        .pragma("temp_store", "MEMORY")
        .pragma("cache_size", "-8000")
        .pragma("wal_autocheckpoint", "4000")
        .pragma("journal_size_limit", "67108864")
        .disable_statement_logging())
}

/// For a connection that writes: pages that it holds need not be read to be changed.
fn writing(options: &SqliteConnectOptions) -> SqliteConnectOptions {
    let options = options.clone().pragma("cache_size", "-64000");
    options.journal_mode(SqliteJournalMode::Wal)
}

/// A connection that writes; makes the file.
async fn connect(options: &SqliteConnectOptions) -> Result<SqliteConnection> {
    let options = writing(options);
    let deadline = Instant::now() + BUSY;
    loop {
        match options.connect().await {
            // To become a WAL file, or to recover one, SQLite wants the file to itself, and says that
            // it is busy without waiting for the time it was given.
            Err(error) if primary_code(&error) == Some(BUSY_CODE) && Instant::now() < deadline => {
                tokio::time::sleep(AGAIN).await;
            }
            done => return done.map_err(db),
        }
    }
}

/// Which migrations a database has seen.
async fn schema_of(connection: &mut SqliteConnection) -> Result<Schema> {
    let begun = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = '_sqlx_migrations')";
    let begun = sqlx::query_scalar(begun).fetch_one(&mut *connection);
    let mut applied = Vec::new();
    if begun.await.map_err(db)? {
        let versions = "SELECT version FROM _sqlx_migrations WHERE success";
        let versions = sqlx::query_scalar(versions).fetch_all(connection);
        applied = versions.await.map_err(db)?;
    }
    Ok(Schema::of(&MIGRATIONS, &applied))
}

/// Migrates in one transaction that keeps other processes out.
async fn migrate_with(connection: &mut SqliteConnection) -> Result<()> {
    let mut lock = connection.begin_with("BEGIN IMMEDIATE").await.map_err(db)?;
    MIGRATIONS
        .run_direct(None, &mut *lock, false)
        .await
        .map_err(Error::internal)?;
    lock.commit().await.map_err(db)
}

async fn epoch(connection: &mut SqliteConnection, fresh: Uuid) -> Result<Uuid> {
    sqlx::query("INSERT INTO meta (key, value) VALUES ('epoch', ?1) ON CONFLICT DO NOTHING")
        .bind(fresh.to_string())
        .execute(&mut *connection)
        .await
        .map_err(db)?;
    let epoch: String = sqlx::query_scalar("SELECT value FROM meta WHERE key = 'epoch'")
        .fetch_one(connection)
        .await
        .map_err(db)?;
    epoch.parse().map_err(Error::internal)
}

/// SQLite's result code, without its extension, of a failed statement.
fn primary_code(error: &sqlx::Error) -> Option<i64> {
    let code = error.as_database_error()?.code()?;
    code.parse::<i64>().ok().map(|code| code & 0xff)
}

/// What a failed statement means to callers: whether the same may succeed later.
fn db(error: sqlx::Error) -> Error {
    /// Primary result codes that pass: busy, locked, read-only, I/O, full, cannot open.
    const PASSING: [i64; 6] = [BUSY_CODE, 6, 8, 10, 13, 14];
    let passing = match &error {
        sqlx::Error::Io(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        error => primary_code(error).is_some_and(|code| PASSING.contains(&code)),
    };
    if passing {
        Error::Unavailable(error.into())
    } else {
        Error::internal(error)
    }
}

/// Reads JSON that we wrote.
fn from_json<'a, T: serde::Deserialize<'a>>(text: &'a str) -> Result<T> {
    serde_json::from_str(text).map_err(Error::internal)
}

/// Writes JSON to bind: lists go to the database as one parameter.
fn to_json<T: serde::Serialize + ?Sized>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(Error::internal)
}

/// Reads an id that we wrote.
fn id(text: &str) -> Result<Uuid> {
    text.parse().map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::turns::tests::{Nobody, are_kept};

    #[tokio::test]
    async fn only_so_many_read_everything_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let url = folder.path().join("t.db").to_string_lossy().into_owned();
        let store = SqliteStore::open(&url, Ambient::default(), Arc::new(Nobody));
        let store = store.await.unwrap();
        are_kept(&store, &store.heavy, HEAVY as u32).await;
    }
}
