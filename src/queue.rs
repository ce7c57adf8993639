//! What waits in a table until it was sent: taken a few at a time, and tried again later where that
//! fails. Whatever is slow or away holds up nothing but its own queue.

use std::time::Duration;

use async_trait::async_trait;
use futures_util::{StreamExt, stream};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::{error::Result, store::Posted};

/// A queue is looked at this often.
const TICK: Duration = Duration::from_secs(2);
/// How long what is under way may go on after the task was told to stop.
const DRAIN: Duration = Duration::from_secs(5);

/// A table and the way out of it.
#[async_trait]
pub trait Queue: Send + Sync {
    /// What lies in it.
    type Item: Send + Sync;
    /// As lines in the log name it.
    const WHAT: &'static str;
    /// So much is sent at once.
    const ABREAST: usize;

    /// Takes what is due, a bounded part of it, so that nobody else does meanwhile.
    async fn claim(&self) -> Result<Vec<Self::Item>>;
    /// Sends one; what became of it.
    async fn post(&self, item: &Self::Item) -> Posted;
    /// Writes down what became of some.
    async fn settle(&self, posted: &[Posted]) -> Result<()>;
}

/// Empties a queue until `stop`; what is under way then has a few seconds.
pub async fn empty<Q: Queue>(queue: Q, stop: CancellationToken) {
    let mut failing = false;
    while !stop.is_cancelled() {
        let turn = turn(&queue, &stop).await;
        if let Err(error) = &turn
            && !failing
        {
            tracing::warn!(%error, "{} was not looked for; it will be later", Q::WHAT);
        }
        failing = turn.is_err();
        if turn.is_ok_and(|count| count > 0) {
            continue;
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = sleep(TICK) => {}
        }
    }
}

/// Sends what is due, at most a batch; how much there was.
///
/// # Errors
/// The queue's, where it cannot be had or written to.
pub async fn turn<Q: Queue>(queue: &Q, stop: &CancellationToken) -> Result<usize> {
    let items = queue.claim().await?;
    if items.is_empty() {
        return Ok(0);
    }
    let count = items.len();
    let mut posted = Vec::with_capacity(count);
    let late = async {
        stop.cancelled().await;
        sleep(DRAIN).await;
    };
    let mut sending = stream::iter(items)
        .map(|item| async move { queue.post(&item).await })
        .buffer_unordered(Q::ABREAST);
    let all = async {
        while let Some(one) = sending.next().await {
            posted.push(one);
        }
    };
    tokio::select! {
        () = all => {}
        () = late => tracing::warn!("{} that was under way will be sent again", Q::WHAT),
    }
    queue.settle(&posted).await?;
    Ok(count)
}

/// How long to wait after a failure that `attempts` others went before: `first` doubled for each of
/// them, up to `longest`, and between half and all of that by chance, so that many do not come back at
/// once. All in milliseconds.
pub fn backoff((first, longest): (i64, i64), attempts: i64) -> i64 {
    let full = (first << attempts.clamp(0, 16)).min(longest);
    full / 2 + rand::random_range(0..=full / 2)
}
