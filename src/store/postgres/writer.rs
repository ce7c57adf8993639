//! The writers: owned tasks with a connection each. People are shared out among them, so that each
//! person's mutations from this process are in one queue. A writer takes what waits, carries it out in
//! one transaction and answers after the commit. Callers hold no part of the transaction, so that one
//! who goes away harms nothing.

use std::{mem, sync::Arc, time::Duration};

use futures_util::future::join_all;
use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};
use tidings_domain::{id::UserId, time::TzDatabase};
use tokio::{
    sync::{mpsc, oneshot},
    time,
};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::{
    db, dial, is_conflict,
    job::{TRIES, lost},
    load, write,
};
use crate::{
    clock::Ambient,
    error::{Error, Result},
    shutdown::Owned,
    store::{Mutation, OnCommit, Outcome, plan::Keys, plan::plan},
    telemetry,
};

/// How many there are: while one waits for the disk, the other goes on. With more of them groups are
/// smaller, and cost more each.
const WRITERS: usize = 2;
/// Mutations in one transaction.
const GROUP: usize = 256;
/// Mutations that wait for a writer. Beyond it callers wait to be let in.
const QUEUE: usize = 512;
/// How long they wait.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a group may take: longer than the server lets any statement take, so that only a server
/// that is gone without a word is given up.
const GROUP_PATIENCE: Duration = Duration::from_secs(20);

type Waiting = (Box<Mutation>, oneshot::Sender<Result<Outcome>>);

/// The way to the writers.
pub(super) struct Writers {
    tasks: Vec<Owned>,
    lanes: [mpsc::Sender<Waiting>; WRITERS],
}

impl Writers {
    /// Starts them. They cancel `failed` where one ends before it is told to.
    pub(super) fn start(
        options: &PgConnectOptions,
        ambient: &Ambient,
        on_commit: &Arc<dyn OnCommit>,
        failed: &CancellationToken,
    ) -> Self {
        let mut tasks = Vec::with_capacity(WRITERS);
        let lanes = std::array::from_fn(|_| {
            let (queue, waiting) = mpsc::channel(QUEUE);
            let side = Side {
                options: options.clone(),
                connection: None,
                ambient: ambient.clone(),
                on_commit: on_commit.clone(),
            };
            let run = |stop| side.run(waiting, stop);
            tasks.push(Owned::start("writer of the store", failed, run));
            queue
        });
        Self { tasks, lanes }
    }

    /// Carries a mutation out.
    pub(super) async fn mutate(&self, mutation: Mutation) -> Result<Outcome> {
        // The last bits of an id are random.
        let lane = mutation.user_id.0.as_u128() % WRITERS as u128;
        let queue = &self.lanes[lane as usize];
        let (caller, answer) = oneshot::channel();
        let full = || Error::Unavailable("too many writes are waiting".into());
        match queue.try_send((Box::new(mutation), caller)) {
            Ok(()) => {}
            Err(mpsc::error::TrySendError::Closed(_)) => return Err(lost()),
            Err(mpsc::error::TrySendError::Full(work)) => {
                let sent = time::timeout(PATIENCE, queue.send(work)).await;
                sent.map_err(|_| full())?.map_err(|_| lost())?;
            }
        }
        let answer = answer.instrument(telemetry::commit());
        answer.await.map_err(|_| lost())?
    }

    /// Takes no more, and writes what waits.
    pub(super) async fn close(&self) {
        join_all(self.tasks.iter().map(Owned::end)).await;
    }
}

/// A writer's own side.
struct Side {
    options: PgConnectOptions,
    /// None before the first group, and after a failure: a connection in doubt is thrown away.
    connection: Option<PgConnection>,
    ambient: Ambient,
    on_commit: Arc<dyn OnCommit>,
}

impl Side {
    async fn run(mut self, mut waiting: mpsc::Receiver<Waiting>, stop: CancellationToken) {
        let mut group = Vec::with_capacity(GROUP);
        let mut closing = false;
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled(), if !closing => {
                    closing = true;
                    waiting.close();
                }
                count = waiting.recv_many(&mut group, GROUP) => {
                    if count == 0 {
                        break;
                    }
                    self.commit(mem::take(&mut group)).await;
                }
            }
        }
        if let Some(connection) = self.connection.take()
            && let Err(error) = connection.close().await
        {
            tracing::debug!(%error, "a connection was not closed cleanly");
        }
    }

    /// Carries a group out and answers each caller.
    async fn commit(&mut self, group: Vec<Waiting>) {
        let (mutations, callers): (Vec<_>, Vec<_>) = group.into_iter().unzip();
        match self.carry_out(&mutations).await {
            Ok((outcomes, users)) => {
                for (caller, outcome) in callers.into_iter().zip(outcomes) {
                    // A caller that went away does not mind.
                    let _ = caller.send(outcome);
                }
                if !users.is_empty() {
                    self.on_commit.committed(&users);
                }
            }
            Err(error) => {
                tracing::error!(%error, "a group of writes failed");
                let passing = error.is_passing();
                let words = error.to_string();
                for caller in callers {
                    let _ = caller.send(Err(if passing {
                        Error::Unavailable(words.clone().into())
                    } else {
                        Error::internal(words.clone())
                    }));
                }
            }
        }
    }

    /// Carries a group out, anew where that is sure to do nothing twice: where the server undid the
    /// transaction in favour of another, and where the connection was gone before it began.
    async fn carry_out(
        &mut self,
        mutations: &[Box<Mutation>],
    ) -> Result<(Vec<Result<Outcome>>, Vec<UserId>)> {
        let late = |_| Error::Unavailable("the database does not answer".into());
        let mut tries = 1;
        loop {
            let fresh = self.connection.is_none();
            let mut connection = match self.connection.take() {
                Some(connection) => connection,
                None => dial(&self.options).await?,
            };
            let mut begun = false;
            let done = time::timeout(
                GROUP_PATIENCE,
                transact(&mut connection, mutations, &self.ambient, &mut begun),
            );
            match done.await.map_err(late)? {
                Ok(done) => {
                    self.connection = Some(connection);
                    return Ok(done);
                }
                Err(error) if (!begun && !fresh || is_conflict(&error)) && tries < TRIES => {
                    tracing::debug!(%error, "a group of writes is carried out anew");
                    tries += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }
}

/// One transaction. Whoever else writes for these people waits for it, from the locks on.
async fn transact(
    connection: &mut PgConnection,
    mutations: &[Box<Mutation>],
    ambient: &Ambient,
    begun: &mut bool,
) -> Result<(Vec<Result<Outcome>>, Vec<UserId>)> {
    let each = || mutations.iter().map(|mutation| &**mutation);
    let keys = Keys::of(each());
    let mut transaction = connection.begin().await.map_err(db)?;
    *begun = true;
    let loaded = load::load(&mut transaction, &keys).await?;
    let (set, outcomes) = plan(each(), &keys, loaded, ambient, &TzDatabase);
    write::store(&mut transaction, &set).await?;
    transaction.commit().await.map_err(db)?;
    let users = set.feeds.iter().map(|(user, _)| *user).collect();
    Ok((outcomes, users))
}
