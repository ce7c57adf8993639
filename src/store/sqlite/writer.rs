//! The writer: an owned task that holds the one writing connection. It takes what waits, carries it
//! out in one transaction and answers after the commit. Callers hold no part of the transaction, so
//! that one who goes away harms nothing.

use std::{fs::File, mem, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use sqlx::{
    ConnectOptions, Connection, Sqlite, SqliteConnection,
    query::Query,
    sqlite::{SqliteArguments, SqliteConnectOptions},
};
use tidings_domain::{id::UserId, time::TzDatabase};
use tokio::{
    sync::{mpsc, oneshot},
    time::{self, MissedTickBehavior},
};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::{
    db,
    job::{Call, Job, News, lost},
    load, retention, write,
};
use crate::{
    clock::Ambient,
    error::{Error, Result},
    shutdown::Owned,
    store::{Mutation, OnCommit, Outcome, plan::Keys, plan::plan},
    telemetry,
};

/// Pieces of work in one transaction.
const GROUP: usize = 256;
/// Pieces of work that wait. Beyond it callers wait to be let in.
const QUEUE: usize = 1024;
/// How long they wait.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often to look for what is kept no longer.
const PRUNE: Duration = Duration::from_secs(60);
/// When to look again where there may be more.
const SOON: Duration = Duration::from_secs(1);

enum Work {
    Mutation(Box<Mutation>, oneshot::Sender<Result<Outcome>>),
    Job(Box<dyn Job>),
}

/// The way to the writer.
pub(super) struct Writer {
    queue: mpsc::Sender<Work>,
    failed: CancellationToken,
    task: Owned,
}

impl Writer {
    pub(super) fn start(
        options: SqliteConnectOptions,
        connection: SqliteConnection,
        lock: File,
        ambient: Ambient,
        on_commit: Arc<dyn OnCommit>,
    ) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let side = Side {
            options,
            connection: Some(connection),
            ambient,
            on_commit,
            _lock: lock,
        };
        let failed = CancellationToken::new();
        let task = Owned::start("writer of the store", &failed, |stop| {
            side.run(waiting, stop)
        });
        Self {
            queue,
            failed,
            task,
        }
    }

    /// Carries a mutation out.
    pub(super) async fn mutate(&self, mutation: Mutation) -> Result<Outcome> {
        let (caller, answer) = oneshot::channel();
        self.send(Work::Mutation(Box::new(mutation), caller))
            .await?;
        let answer = answer.instrument(telemetry::commit());
        answer.await.map_err(|_| lost())?
    }

    /// Writes in a transaction that is shared with whatever else waits: where `write` fails, what it
    /// wrote is undone, and nothing else.
    pub(super) async fn write<T, F>(&self, news: News, write: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T>> + Send + 'static,
    {
        let (caller, answer) = oneshot::channel();
        let call = Call::new(news, write, caller);
        self.send(Work::Job(Box::new(call))).await?;
        let answer = answer.instrument(telemetry::commit());
        answer.await.map_err(|_| lost())?
    }

    /// The same of one text of statements; how many rows it touched.
    pub(super) async fn execute(
        &self,
        news: News,
        query: Query<'static, Sqlite, SqliteArguments>,
    ) -> Result<u64> {
        self.write(news, move |connection| {
            Box::pin(async move {
                let done = query.execute(connection).await.map_err(db)?;
                Ok(done.rows_affected())
            })
        })
        .await
    }

    async fn send(&self, work: Work) -> Result<()> {
        let full = || Error::Unavailable("too many writes are waiting".into());
        match self.queue.try_send(work) {
            Ok(()) => Ok(()),
            Err(mpsc::error::TrySendError::Closed(_)) => Err(lost()),
            Err(mpsc::error::TrySendError::Full(work)) => {
                let sent = time::timeout(PATIENCE, self.queue.send(work)).await;
                sent.map_err(|_| full())?.map_err(|_| lost())
            }
        }
    }

    /// Cancelled where the writer ended before it was closed.
    pub(super) fn failed(&self) -> &CancellationToken {
        &self.failed
    }

    /// Takes no more, writes what waits, and lets go of the file.
    pub(super) async fn close(&self) {
        self.task.end().await;
    }
}

/// The writer's own side.
struct Side {
    options: SqliteConnectOptions,
    /// None after a failure: a connection in doubt is thrown away.
    connection: Option<SqliteConnection>,
    ambient: Ambient,
    on_commit: Arc<dyn OnCommit>,
    /// Says that the database is open, for as long as this writes.
    _lock: File,
}

impl Side {
    async fn run(mut self, mut waiting: mpsc::Receiver<Work>, stop: CancellationToken) {
        let mut prune = time::interval(PRUNE);
        prune.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut group = Vec::with_capacity(GROUP);
        let mut closing = false;
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled(), if !closing => {
                    closing = true;
                    waiting.close();
                }
                // Before the queue, which need never be empty.
                _ = prune.tick(), if !closing => {
                    match self.prune().await {
                        Ok(true) => prune.reset_after(SOON),
                        Ok(false) => {}
                        Err(error) => tracing::warn!(%error, "old answers, sessions and notes were not removed; they will be later"),
                    }
                }
                count = waiting.recv_many(&mut group, GROUP) => {
                    if count == 0 {
                        break;
                    }
                    self.commit(mem::take(&mut group)).await;
                }
            }
        }
        if let Some(mut connection) = self.connection.take() {
            let checkpoint = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)");
            if let Err(error) = checkpoint.execute(&mut connection).await {
                tracing::warn!(%error, "the journal was not moved into the database; the next start does it");
            }
            if let Err(error) = connection.close().await {
                tracing::warn!(%error, "the database was not closed cleanly");
            }
        }
    }

    async fn connection(&mut self) -> Result<SqliteConnection> {
        match self.connection.take() {
            Some(connection) => Ok(connection),
            None => self.options.connect().await.map_err(db),
        }
    }

    /// Carries a group out and answers each caller.
    async fn commit(&mut self, group: Vec<Work>) {
        let mut mutations = Vec::with_capacity(group.len());
        let mut callers = Vec::with_capacity(group.len());
        let mut jobs = Vec::new();
        for work in group {
            match work {
                Work::Mutation(mutation, caller) => {
                    mutations.push(*mutation);
                    callers.push(caller);
                }
                Work::Job(job) => jobs.push((job, false)),
            }
        }
        let done = self.transact(&mutations, &mut jobs).await;
        // Whatever came of it: to read anew does no harm.
        for user in jobs.iter().filter_map(|(job, _)| job.news().account()) {
            self.on_commit.account_changed(user);
        }
        match done {
            Ok((outcomes, mut users)) => {
                let mut news = !users.is_empty();
                for (caller, outcome) in callers.into_iter().zip(outcomes) {
                    let _ = caller.send(outcome);
                }
                for (job, done) in jobs {
                    match job.news() {
                        _ if !done => {}
                        News::None => {}
                        News::Outbox | News::Account(_) => news = true,
                        News::Feeds(more) => {
                            news = true;
                            users.extend_from_slice(&more);
                        }
                        News::Gone(user) => {
                            news = true;
                            users.push(user);
                        }
                    }
                    job.answer(None);
                }
                if news {
                    self.on_commit.committed(&users);
                }
            }
            Err(error) => {
                tracing::error!(%error, "a group of writes failed");
                let passing = error.is_passing();
                let words = error.to_string();
                let each = || {
                    if passing {
                        Error::Unavailable(words.clone().into())
                    } else {
                        Error::internal(words.clone())
                    }
                };
                for caller in callers {
                    let _ = caller.send(Err(each()));
                }
                for (job, _) in jobs {
                    job.answer(Some(each()));
                }
            }
        }
    }

    /// One transaction. The connection goes back only if it is sound.
    async fn transact(
        &mut self,
        mutations: &[Mutation],
        jobs: &mut [(Box<dyn Job>, bool)],
    ) -> Result<(Vec<Result<Outcome>>, Vec<UserId>)> {
        const BEGIN: &str = "BEGIN IMMEDIATE";
        let mut connection = self.connection().await?;
        let mut transaction = connection.begin_with(BEGIN).await.map_err(db)?;
        // A savepoint keeps a copy of each page that is written after it. The job that comes first does
        // without: should it fail, nothing else is undone with it.
        if let Some((job, done)) = jobs.first_mut() {
            *done = job.run(&mut transaction).await;
            if !*done {
                // Where SQLite has undone it by itself, a connection that is in no doubt goes on.
                if transaction.rollback().await.is_err() {
                    connection = self.connection().await?;
                }
                transaction = connection.begin_with(BEGIN).await.map_err(db)?;
            }
        }
        let mutated = self.mutate_all(&mut transaction, mutations).await?;
        for (job, done) in jobs.iter_mut().skip(1) {
            let mut part = transaction.begin().await.map_err(db)?;
            *done = job.run(&mut part).await;
            if *done {
                part.commit().await.map_err(db)?;
            } else {
                part.rollback().await.map_err(db)?;
            }
        }
        transaction.commit().await.map_err(db)?;
        self.connection = Some(connection);
        Ok(mutated)
    }

    /// Carries mutations out: what became of each, and whose feeds went on.
    async fn mutate_all(
        &self,
        transaction: &mut SqliteConnection,
        mutations: &[Mutation],
    ) -> Result<(Vec<Result<Outcome>>, Vec<UserId>)> {
        if mutations.is_empty() {
            return Ok(Default::default());
        }
        let keys = Keys::of(mutations.iter());
        let (loaded, last) = load::load(transaction, &keys).await?;
        let (set, outcomes) = plan(mutations.iter(), &keys, loaded, &self.ambient, &TzDatabase);
        write::store(transaction, &set, last).await?;
        let users = set.feeds.iter().map(|(user, _)| *user).collect();
        Ok((outcomes, users))
    }

    /// Removes what is kept no longer; whether there may be more.
    async fn prune(&mut self) -> Result<bool> {
        let now = self.ambient.clock.now();
        let mut connection = self.connection().await?;
        let more = retention::prune(&mut connection, now).await?;
        self.connection = Some(connection);
        Ok(more)
    }
}
