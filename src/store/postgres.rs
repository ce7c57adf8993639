//! The store on PostgreSQL: a pool that reads, and a few owned writers that a person's mutations are
//! shared out to. See [`writer`] for how mutations become transactions, [`job`] for other writes.
//! Other processes write too, so whatever is decided is decided on rows that were read under the lock
//! of the person's feed.

mod accounts;
mod aside;
mod audit;
mod backup;
mod check;
mod feeds;
mod job;
mod list;
mod load;
mod mails;
mod missed;
mod notices;
mod outbox;
#[cfg(test)]
mod plans;
mod pushes;
mod queue;
mod reminders;
mod replay;
mod retention;
mod series;
mod sessions;
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
    ConnectOptions, Connection, PgConnection, PgPool,
    migrate::Migrator,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tidings_domain::error::Code;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use self::{job::Jobs, writer::Writers};
use super::{Findings, OnCommit, Schema, Store, turns::Turns};
use crate::{
    clock::Ambient,
    error::{Error, Result},
};

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

/// Connections that read, and that do writes other than mutations.
const POOL: u32 = 8;
/// How many of them may read everything of a person at once: the others stay free for what is small.
const HEAVY: usize = 4;
/// How long anyone waits for a connection.
const ACQUIRE: Duration = Duration::from_secs(5);
/// A connection that lay idle this long is tried before it is used.
const STALE: Duration = Duration::from_secs(1);
/// How long a start waits for a server that starts too.
const START: Duration = Duration::from_secs(15);
/// How long until it is tried again.
const AGAIN: Duration = Duration::from_millis(100);
/// The lock of whoever has the database open: "open".
const LOCK_SPACE: i32 = 0x6f70_656e;
/// What each connection asks of the server. A client that is cut off must not keep a feed locked. What is
/// done often goes by an index, however few rows there are: a plan is kept from when there were few, and
/// walked a whole table at every commit until the server next counted its rows.
const SETTINGS: [(&str, &str); 7] = [
    ("statement_timeout", "10s"),
    ("lock_timeout", "5s"),
    ("idle_in_transaction_session_timeout", "10s"),
    ("jit", "off"),
    ("enable_seqscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
];

/// The store on PostgreSQL.
pub struct PostgresStore {
    epoch: Uuid,
    ambient: Ambient,
    pool: PgPool,
    heavy: Turns,
    writers: Writers,
    jobs: Jobs,
    /// Cancelled where one of the tasks of both failed.
    failed: CancellationToken,
}

impl PostgresStore {
    /// Opens the database at `url` (`postgres://user@host/database`) and migrates it, waiting a while
    /// for a server that is starting. `on_commit` is told of every commit that made events.
    ///
    /// # Errors
    /// `Unavailable` where the database is out of reach, `Internal` where it is not ours.
    pub async fn open(url: &str, ambient: Ambient, on_commit: Arc<dyn OnCommit>) -> Result<Self> {
        let options = options(url)?;
        let mut connection = connect(&options).await?;
        migrate_with(&mut connection).await?;
        let epoch = epoch(&mut connection, ambient.ids.next()).await?;
        connection.close().await.map_err(db)?;
        let options = options.options(SETTINGS);
        let pool = PgPoolOptions::new()
            .max_connections(POOL)
            .acquire_timeout(ACQUIRE)
            .test_before_acquire(false)
            .after_connect(|connection, _| Box::pin(hold(connection)))
            .before_acquire(|connection, about| {
                Box::pin(async move {
                    if about.idle_for >= STALE {
                        connection.ping().await?;
                    }
                    Ok(true)
                })
            })
            .connect_lazy_with(options.clone());
        let failed = CancellationToken::new();
        let jobs = Jobs::new(
            pool.clone(),
            on_commit.clone(),
            ambient.clock.clone(),
            failed.clone(),
        );
        let writers = Writers::start(&options, &ambient, &on_commit, &failed);
        Ok(Self {
            epoch,
            ambient,
            pool,
            heavy: Turns::new(HEAVY),
            writers,
            jobs,
            failed,
        })
    }

    /// Brings the database at `url` to the newest schema and does nothing else.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn migrate(url: &str) -> Result<()> {
        let mut connection = connect(&options(url)?).await?;
        migrate_with(&mut connection).await?;
        connection.close().await.map_err(db)
    }

    /// Looks at the schema of the database at `url`, which must be there.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn schema(url: &str) -> Result<Schema> {
        let mut connection = dial(&options(url)?).await?;
        let schema = schema_of(&mut connection).await?;
        connection.close().await.map_err(db)?;
        Ok(schema)
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn check(&self) -> Result<Findings> {
        self.findings().await
    }

    fn failed(&self) -> &CancellationToken {
        &self.failed
    }

    async fn close(&self) {
        self.writers.close().await;
        self.jobs.close().await;
        self.pool.close().await;
    }
}

/// Whether this is the URL of a PostgreSQL database.
pub(super) fn is_url(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}

fn options(url: &str) -> Result<PgConnectOptions> {
    let options = PgConnectOptions::from_str(url).map_err(db)?;
    Ok(options
        .application_name("tidings")
        // A start is no news: what was there already is not told.
        .options([("client_min_messages", "warning")])
        .disable_statement_logging())
}

/// A connection to a server that may still be starting.
async fn connect(options: &PgConnectOptions) -> Result<PgConnection> {
    let deadline = Instant::now() + START;
    loop {
        match dial(options).await {
            Err(error) if error.is_passing() && Instant::now() < deadline => sleep(AGAIN).await,
            done => return done,
        }
    }
}

/// A connection, in bounded time.
async fn dial(options: &PgConnectOptions) -> Result<PgConnection> {
    let late = |_| Error::Unavailable("no connection to the database in time".into());
    let dialled = async {
        let mut connection = options.connect().await?;
        hold(&mut connection).await?;
        Ok(connection)
    };
    timeout(ACQUIRE, dialled).await.map_err(late)?.map_err(db)
}

/// Says that the database is open, for as long as the connection is: whoever restores a backup has the
/// lock alone, and is waited for.
async fn hold(connection: &mut PgConnection) -> sqlx::Result<()> {
    let hold = sqlx::query("SELECT pg_advisory_lock_shared($1, 0)").bind(LOCK_SPACE);
    hold.execute(connection).await.map(drop)
}

/// Which migrations a database has seen.
async fn schema_of(connection: &mut PgConnection) -> Result<Schema> {
    let begun = "SELECT to_regclass('_sqlx_migrations') IS NOT NULL";
    let begun = sqlx::query_scalar(begun).fetch_one(&mut *connection);
    let mut applied = Vec::new();
    if begun.await.map_err(db)? {
        let versions = "SELECT version FROM _sqlx_migrations WHERE success";
        let versions = sqlx::query_scalar(versions).fetch_all(connection);
        applied = versions.await.map_err(db)?;
    }
    Ok(Schema::of(&MIGRATIONS, &applied))
}

/// Migrates under a lock that keeps other processes out, and waits for it as long as it takes.
async fn migrate_with(connection: &mut PgConnection) -> Result<()> {
    let encoding: String = sqlx::query_scalar("SHOW server_encoding")
        .fetch_one(&mut *connection)
        .await
        .map_err(db)?;
    if encoding != "UTF8" {
        return Err(Error::internal(format!(
            "the encoding of the database is {encoding}; it must be UTF8"
        )));
    }
    let done = MIGRATIONS.run_direct(None, connection, false).await;
    done.map_err(|error| match error {
        sqlx::migrate::MigrateError::Execute(error) => db(error),
        error => Error::internal(error),
    })
}

async fn epoch(connection: &mut PgConnection, fresh: Uuid) -> Result<Uuid> {
    sqlx::query("INSERT INTO meta (key, value) VALUES ('epoch', $1) ON CONFLICT DO NOTHING")
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

/// What a failed statement means to callers: whether the same may succeed later.
fn db(error: sqlx::Error) -> Error {
    /// Classes of SQLSTATE that pass: connection, sign-in, no such database yet, rolled back,
    /// resources, operator, system.
    const PASSING: [&str; 7] = ["08", "28", "3D", "40", "53", "57", "58"];
    /// And these: a lock not had in time, a server that is (still) a standby, one that cut off an
    /// idle transaction.
    const PASSING_CODES: [&str; 3] = ["55P03", "25006", "25P03"];
    /// A text with U+0000, which PostgreSQL keeps nowhere: nothing is found by it.
    const UNSTORABLE: &str = "22021";
    let passing = match &error {
        sqlx::Error::Io(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        error => code(error).is_some_and(|code| {
            PASSING_CODES.contains(&&*code) || PASSING.iter().any(|class| code.starts_with(class))
        }),
    };
    if passing {
        Error::Unavailable(error.into())
    } else if code(&error).as_deref() == Some(UNSTORABLE) {
        Code::ValidationFailed.into()
    } else {
        Error::internal(error)
    }
}

/// Whether the server undid a transaction in favour of another (serialization failure, deadlock):
/// the same may succeed at once.
fn is_conflict(error: &Error) -> bool {
    let Error::Unavailable(source) = error else {
        return false;
    };
    let code = source.downcast_ref::<sqlx::Error>().and_then(code);
    matches!(code.as_deref(), Some("40001" | "40P01"))
}

/// PostgreSQL's SQLSTATE of a failed statement.
fn code(error: &sqlx::Error) -> Option<String> {
    let code = error.as_database_error()?.code()?;
    Some(code.into_owned())
}

/// Reads JSON that we wrote.
fn from_json<'a, T: serde::Deserialize<'a>>(text: &'a str) -> Result<T> {
    serde_json::from_str(text).map_err(Error::internal)
}

/// A text without U+0000, which PostgreSQL keeps nowhere.
fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::turns::tests::{Nobody, are_kept};

    #[tokio::test]
    async fn only_so_many_read_everything_at_once() {
        let url = plans::server::database().await;
        let store = PostgresStore::open(&url, Ambient::default(), Arc::new(Nobody));
        let store = store.await.unwrap();
        are_kept(&store, &store.heavy, HEAVY as u32).await;
    }
}
