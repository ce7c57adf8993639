//! Writes other than mutations: each a short transaction on the pool, in a task of its own, so that a
//! caller who goes away harms nothing.

use std::{sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use sqlx::{PgConnection, PgPool};
use tidings_domain::{id::UserId, time::Timestamp};
use tokio::{
    sync::Semaphore,
    time::{self, MissedTickBehavior},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::Instrument;

use super::{db, is_conflict, outbox, retention};
use crate::{
    clock::Clock,
    error::{Error, Result},
    shutdown::watched,
    store::OnCommit,
    telemetry,
};

/// Writes that may be under way or wait for a connection. Beyond it callers wait to be let in.
const ROOM: usize = 256;
/// How long they wait.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often a transaction is tried that the server undoes in favour of another.
pub(super) const TRIES: usize = 5;
/// How often to look for what is kept no longer.
const PRUNE: Duration = Duration::from_secs(60);
/// When to look again where there may be more.
const SOON: Duration = Duration::from_secs(1);

/// What a job has to tell the world, once it is durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum News {
    /// Nothing.
    None,
    /// The outbox has more.
    Outbox,
    /// And so have these people's feeds, or their notifications were read.
    Feeds(Arc<[UserId]>),
    /// And so it may; this person's account, sessions or tokens are not what they were.
    Account(UserId),
    /// All that, and this person is gone: their feed too.
    Gone(UserId),
}

impl News {
    /// Whose account, sessions or tokens are not what they were.
    fn account(&self) -> Option<UserId> {
        match self {
            Self::None | Self::Outbox | Self::Feeds(_) => None,
            Self::Account(user) | Self::Gone(user) => Some(*user),
        }
    }
}

/// Does writes other than mutations.
pub(super) struct Jobs {
    pool: PgPool,
    on_commit: Arc<dyn OnCommit>,
    room: Arc<Semaphore>,
    /// Has every task that was started here.
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Jobs {
    /// Cancels `failed` where the task that prunes ends before it is told to.
    pub(super) fn new(
        pool: PgPool,
        on_commit: Arc<dyn OnCommit>,
        clock: Arc<dyn Clock>,
        failed: CancellationToken,
    ) -> Self {
        let tasks = TaskTracker::new();
        let stop = CancellationToken::new();
        let pruning = prune_now_and_then(pool.clone(), clock, stop.clone());
        tasks.spawn(watched(
            "pruner of the store",
            stop.clone(),
            failed,
            pruning,
        ));
        Self {
            pool,
            on_commit,
            room: Arc::new(Semaphore::new(ROOM)),
            tasks,
            stop,
        }
    }

    /// Writes in one transaction: where `write` fails, what it wrote is undone. It is carried out
    /// anew, on a clone, where the server undoes it in favour of another.
    pub(super) async fn write<T, F>(&self, news: News, write: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut PgConnection) -> BoxFuture<'c, Result<T>>
            + Clone
            + Send
            + 'static,
    {
        let full = |_| Error::Unavailable("too many writes are waiting".into());
        let room = self.room.clone().acquire_owned();
        let room = time::timeout(PATIENCE, room).await.map_err(full)?;
        if self.stop.is_cancelled() {
            return Err(lost());
        }
        let (pool, on_commit) = (self.pool.clone(), self.on_commit.clone());
        let task = self.tasks.spawn(async move {
            let _room = room;
            let done = transact(&pool, write).await;
            // Whatever came of it: to read anew does no harm.
            if let Some(user) = news.account() {
                on_commit.account_changed(user);
            }
            let value = done?;
            match news {
                News::None => {}
                News::Outbox | News::Account(_) => on_commit.committed(&[]),
                News::Feeds(users) => on_commit.committed(&users),
                News::Gone(user) => on_commit.committed(&[user]),
            }
            Ok(value)
        });
        let task = task.instrument(telemetry::commit());
        task.await.map_err(Error::internal)?
    }

    /// Takes no more, and ends what it began.
    pub(super) async fn close(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Drop for Jobs {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn transact<T, F>(pool: &PgPool, write: F) -> Result<T>
where
    F: for<'c> FnOnce(&'c mut PgConnection) -> BoxFuture<'c, Result<T>> + Clone,
{
    let mut tries = 1;
    loop {
        match attempt(pool, write.clone()).await {
            Err(error) if is_conflict(&error) && tries < TRIES => tries += 1,
            done => return done,
        }
    }
}

async fn attempt<T, F>(pool: &PgPool, write: F) -> Result<T>
where
    F: for<'c> FnOnce(&'c mut PgConnection) -> BoxFuture<'c, Result<T>>,
{
    let mut transaction = pool.begin().await.map_err(db)?;
    let value = write(&mut transaction).await?;
    transaction.commit().await.map_err(db)?;
    Ok(value)
}

async fn prune_now_and_then(pool: PgPool, clock: Arc<dyn Clock>, stop: CancellationToken) {
    let mut tick = time::interval(PRUNE);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            _ = tick.tick() => {}
        }
        match prune(&pool, clock.now()).await {
            Ok(true) => tick.reset_after(SOON),
            Ok(false) => {}
            Err(error) => {
                tracing::warn!(%error, "old answers, sessions, notes and leases were not removed; they will be later");
            }
        }
    }
}

/// Removes what is kept no longer, and leases that nobody has; whether there may be more.
async fn prune(pool: &PgPool, now: Timestamp) -> Result<bool> {
    let more = retention::prune(pool, now).await?;
    let leases = transact(pool, move |connection| {
        Box::pin(outbox::prune(connection, now.0))
    });
    leases.await?;
    Ok(more)
}

/// The store is closed.
pub(super) fn lost() -> Error {
    Error::Unavailable("the store was closed".into())
}
