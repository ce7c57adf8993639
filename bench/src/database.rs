//! The database of what is measured, beside the program: to fill it faster than people would, and to
//! see what has become of it.

use std::time::{Duration, Instant};

use serde::Serialize;
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, PgConnection,
    SqliteConnection, sqlite::SqliteConnectOptions,
};
use uuid::Uuid;

use crate::Outcome;

/// Between two looks at what is waited for.
const LOOK: Duration = Duration::from_millis(20);
/// How long that may take.
const DEADLINE: Duration = Duration::from_secs(120);

/// A connection.
pub(crate) enum Database {
    /// With what the program sets, but for its caches.
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Database {
    /// To the one at `url`, which is there.
    pub(crate) async fn open(url: &str) -> Outcome<Self> {
        Ok(if url.starts_with("sqlite:") {
            let options: SqliteConnectOptions = url.parse()?;
            let options = options.busy_timeout(DEADLINE).pragma("synchronous", "FULL");
            Self::Sqlite(options.connect().await?)
        } else {
            Self::Postgres(PgConnection::connect(url).await?)
        })
    }

    /// Runs a statement.
    pub(crate) async fn run(&mut self, sql: &str) -> Outcome {
        let sql = AssertSqlSafe(sql.to_owned());
        match self {
            Self::Sqlite(connection) => connection.execute(sql).await.map(|_| ())?,
            Self::Postgres(connection) => connection.execute(sql).await.map(|_| ())?,
        }
        Ok(())
    }

    /// Runs a statement in which `$json` is this list as rows of a column `value`, and `$uuid` and
    /// `$int` make of a text of theirs what the database has for it.
    pub(crate) async fn fill(&mut self, sql: &str, json: &impl Serialize) -> Outcome {
        let json = serde_json::to_string(json)?;
        let with = |list, uuid, int| {
            let sql = sql.replace("$json", list).replace("$uuid", uuid);
            AssertSqlSafe(sql.replace("$int", int))
        };
        match self {
            Self::Sqlite(connection) => {
                let sql = with("json_each(?1)", "", "");
                sqlx::query(sql).bind(json).execute(connection).await?;
            }
            Self::Postgres(connection) => {
                let sql = with("json_array_elements($1::json)", "::uuid", "::int8");
                sqlx::query(sql).bind(json).execute(connection).await?;
            }
        }
        Ok(())
    }

    /// The number that a query gives.
    pub(crate) async fn number(&mut self, sql: &str) -> Outcome<i64> {
        let sql = AssertSqlSafe(sql.to_owned());
        Ok(match self {
            Self::Sqlite(connection) => sqlx::query_scalar(sql).fetch_one(connection).await?,
            Self::Postgres(connection) => sqlx::query_scalar(sql).fetch_one(connection).await?,
        })
    }

    /// The text that a query gives.
    pub(crate) async fn text(&mut self, sql: &str) -> Outcome<String> {
        let sql = AssertSqlSafe(sql.to_owned());
        Ok(match self {
            Self::Sqlite(connection) => sqlx::query_scalar(sql).fetch_one(connection).await?,
            Self::Postgres(connection) => sqlx::query_scalar(sql).fetch_one(connection).await?,
        })
    }

    /// Counts what it holds, as PostgreSQL does by itself after a while.
    pub(crate) async fn settle(&mut self) -> Outcome {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(_) => self.run("ANALYZE").await,
        }
    }

    /// Waits until a query gives at most this number.
    pub(crate) async fn until_at_most(&mut self, sql: &str, number: i64) -> Outcome {
        let deadline = Instant::now() + DEADLINE;
        while self.number(sql).await? > number {
            if Instant::now() > deadline {
                return Err(format!("not in time: {sql}").into());
            }
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }

    /// Rows a second, where nothing is done but to insert as many to a transaction as a consumer is
    /// handed at once.
    pub(crate) async fn bare(&mut self) -> Outcome<f64> {
        const ROWS: usize = 1_000;
        const TIMES: usize = 20;
        self.run("CREATE TABLE bare (id TEXT PRIMARY KEY)").await?;
        let start = Instant::now();
        for _ in 0..TIMES {
            let rows: Vec<_> = (0..ROWS).map(|_| [Uuid::now_v7()]).collect();
            let sql = "INSERT INTO bare SELECT value->>0 FROM $json";
            self.fill(sql, &rows).await?;
        }
        let rate = (ROWS * TIMES) as f64 / start.elapsed().as_secs_f64();
        self.run("DROP TABLE bare").await?;
        Ok(rate)
    }
}
