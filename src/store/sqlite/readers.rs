//! Connections that read. A pool of sqlx asks each connection whether it lives whenever it comes back,
//! which here is a change of threads as dear as a small read itself; this one asks only where a read
//! was given up, or failed, on the way.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::{
    FutureExt, StreamExt, TryFutureExt, TryStreamExt,
    future::BoxFuture,
    stream::{self, BoxStream},
};
use sqlx::{
    ConnectOptions, Connection, Describe, Either, Execute, Executor, SqlStr, Sqlite,
    SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteQueryResult, SqliteRow, SqliteStatement, SqliteTypeInfo},
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

/// How long a read waits for a connection.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long reads have to end, once all is closed.
const END_WITHIN: Duration = Duration::from_secs(2);

type Done<T> = sqlx::Result<T>;

/// So many connections, opened when they are first wanted. A statement can be run on it as on a pool:
/// all its rows are taken before the first is handed on. What reads piece by piece, or several things
/// of one moment, takes a [`Reader`].
#[derive(Clone)]
pub(super) struct Readers(Arc<Shared>);

struct Shared {
    options: SqliteConnectOptions,
    count: u32,
    turns: Arc<Semaphore>,
    closed: CancellationToken,
    free: Mutex<Vec<SqliteConnection>>,
}

impl Shared {
    fn free(&self) -> MutexGuard<'_, Vec<SqliteConnection>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Readers {
    /// At most `count` connections, one of them now.
    ///
    /// # Errors
    /// Where that cannot be opened.
    pub(super) async fn open(options: SqliteConnectOptions, count: u32) -> Done<Self> {
        let first = options.connect().await?;
        Ok(Self(Arc::new(Shared {
            options,
            count,
            turns: Arc::new(Semaphore::new(count as usize)),
            closed: CancellationToken::new(),
            free: Mutex::new(vec![first]),
        })))
    }

    /// A connection, until it is dropped.
    ///
    /// # Errors
    /// `PoolTimedOut` where none is free in time, `PoolClosed`, or why none could be opened.
    pub(super) async fn get(&self) -> Done<Reader> {
        let lent = timeout(PATIENCE, async {
            let turn = self.0.turns.clone().acquire_owned().await;
            let turn = turn.map_err(|_| sqlx::Error::PoolClosed)?;
            let free = self.0.free().pop();
            let connection = match free {
                Some(connection) => connection,
                None => self.0.options.connect().await?,
            };
            Done::Ok((connection, turn))
        });
        let lent = self.0.closed.run_until_cancelled(lent).await;
        let lent = lent.ok_or(sqlx::Error::PoolClosed)?;
        Ok(Reader {
            lent: Some(lent.map_err(|_| sqlx::Error::PoolTimedOut)??),
            shared: self.0.clone(),
            settled: false,
        })
    }

    /// A connection besides those, whose settings may be changed.
    pub(super) async fn another(&self) -> Done<SqliteConnection> {
        self.0.options.connect().await
    }

    /// Lets nobody else read, waits a little for those that do, and closes what is free.
    pub(super) async fn close(&self) {
        self.0.closed.cancel();
        let all = timeout(END_WITHIN, self.0.turns.acquire_many(self.0.count));
        if all.await.is_err() {
            tracing::warn!("some reads of the database did not end in time");
        }
        let free = std::mem::take(&mut *self.0.free());
        for connection in free {
            connection.close().await.ok();
        }
    }
}

impl fmt::Debug for Readers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Readers").finish_non_exhaustive()
    }
}

/// A connection that reads, lent.
pub(super) struct Reader {
    /// Until it is given back.
    lent: Option<(SqliteConnection, OwnedSemaphorePermit)>,
    shared: Arc<Shared>,
    /// Whether all that it read came to its end.
    settled: bool,
}

impl Reader {
    /// The connection.
    pub(super) fn connection(&mut self) -> Done<&mut SqliteConnection> {
        let lent = self.lent.as_mut().ok_or(sqlx::Error::PoolClosed)?;
        Ok(&mut lent.0)
    }

    fn settle<T>(mut self, done: Done<T>) -> Done<T> {
        self.settled = done.is_ok();
        done
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let Some((mut connection, turn)) = self.lent.take() else {
            return;
        };
        let shared = self.shared.clone();
        if self.settled {
            shared.free().push(connection);
            return;
        }
        // What was given up may still be at work, or leave a transaction to be rolled back.
        tokio::spawn(async move {
            match connection.ping().await {
                Ok(()) => shared.free().push(connection),
                Err(error) => tracing::warn!(%error, "a connection that reads was lost"),
            }
            drop(turn);
        });
    }
}

impl<'c> Executor<'c> for &Readers {
    type Database = Sqlite;

    fn fetch_many<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxStream<'e, Done<Either<SqliteQueryResult, SqliteRow>>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Sqlite>,
    {
        let readers = self.clone();
        let all = async move {
            let mut reader = readers.get().await?;
            let all = reader.connection()?.fetch_many(query).try_collect().await;
            reader.settle(all)
        };
        let each = |all: Vec<_>| stream::iter(all).map(Ok);
        all.map_ok(each).try_flatten_stream().boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Done<Option<SqliteRow>>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Sqlite>,
    {
        let readers = self.clone();
        let one = async move {
            let mut reader = readers.get().await?;
            let one = reader.connection()?.fetch_optional(query).await;
            reader.settle(one)
        };
        one.boxed()
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [SqliteTypeInfo],
    ) -> BoxFuture<'e, Done<SqliteStatement>>
    where
        'c: 'e,
    {
        let readers = self.clone();
        let prepared = async move {
            let mut reader = readers.get().await?;
            let prepared = reader.connection()?.prepare_with(sql, parameters).await;
            reader.settle(prepared)
        };
        prepared.boxed()
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Done<Describe<Sqlite>>>
    where
        'c: 'e,
    {
        let readers = self.clone();
        let described = async move {
            let mut reader = readers.get().await?;
            let described = reader.connection()?.describe(sql).await;
            reader.settle(described)
        };
        described.boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENDLESS: &str = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT 100000000) \
                           SELECT count(*) FROM n";

    async fn readers(count: u32) -> Readers {
        let options = SqliteConnectOptions::new().in_memory(true);
        Readers::open(options, count).await.unwrap()
    }

    async fn one(readers: &Readers) -> Done<i64> {
        sqlx::query_scalar("SELECT 1").fetch_one(readers).await
    }

    #[tokio::test]
    async fn a_read_that_is_given_up_holds_up_nobody_else() {
        let readers = readers(2).await;
        let slow = sqlx::query(ENDLESS).fetch_one(&readers);
        let given_up = timeout(Duration::from_millis(20), slow).await;
        assert!(given_up.is_err(), "it is slow enough to be given up");
        for _ in 0..8 {
            let quick = timeout(Duration::from_secs(1), one(&readers));
            assert_eq!(quick.await.expect("no wait for the slow one").unwrap(), 1);
        }
    }

    #[tokio::test]
    async fn a_transaction_that_is_left_is_none_for_the_next() {
        let readers = readers(1).await;
        let mut reader = readers.get().await.unwrap();
        let transaction = reader.connection().unwrap().begin().await.unwrap();
        drop(transaction);
        drop(reader);
        let mut next = readers.get().await.unwrap();
        let begun = next
            .connection()
            .unwrap()
            .begin_with("BEGIN IMMEDIATE")
            .await;
        assert!(begun.is_ok(), "{begun:?}");
    }

    #[tokio::test]
    async fn a_statement_that_fails_leaves_a_connection_that_works() {
        let readers = readers(1).await;
        let none = sqlx::query("SELECT * FROM nothing").fetch_all(&readers);
        assert!(none.await.is_err());
        assert_eq!(one(&readers).await.unwrap(), 1);
        let rows: Vec<i64> = sqlx::query_scalar("VALUES (1), (2), (3)")
            .fetch_all(&readers)
            .await
            .unwrap();
        assert_eq!(rows, [1, 2, 3]);
    }

    #[tokio::test]
    async fn who_finds_none_free_is_told_in_time() {
        let readers = readers(1).await;
        let reader = readers.get().await.unwrap();
        tokio::time::pause();
        assert!(matches!(
            one(&readers).await,
            Err(sqlx::Error::PoolTimedOut)
        ));
        tokio::time::resume();
        drop(reader);
        readers.close().await;
        assert!(matches!(one(&readers).await, Err(sqlx::Error::PoolClosed)));
    }
}
