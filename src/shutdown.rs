//! When to stop: SIGTERM or SIGINT asks for it, a second one insists. And a task of the server that
//! ends before it was told to leaves no server to go on with.

use std::{io, panic::AssertUnwindSafe};

use futures_util::FutureExt;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::Mutex,
    task::{JoinHandle, JoinSet},
};
use tokio_util::sync::CancellationToken;

/// Runs a task that is to go on until `stop`. Where it panics, or ends before, that is logged and
/// `failed` is cancelled.
pub async fn watched(
    name: &'static str,
    stop: CancellationToken,
    failed: CancellationToken,
    task: impl Future<Output = ()>,
) {
    let ended = AssertUnwindSafe(task).catch_unwind().await;
    if ended.is_err() || !stop.is_cancelled() {
        tracing::error!("the {name} ended before its time");
        failed.cancel();
    }
}

/// A watched task and its owner's hold on it: it is told to stop when that is dropped.
pub struct Owned {
    stop: CancellationToken,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Owned {
    /// Runs one that ends once its token is cancelled. It cancels `failed` where it ends before.
    pub fn start<F>(
        name: &'static str,
        failed: &CancellationToken,
        run: impl FnOnce(CancellationToken) -> F,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let stop = CancellationToken::new();
        let task = watched(name, stop.clone(), failed.clone(), run(stop.clone()));
        Self {
            stop,
            task: Mutex::new(Some(tokio::spawn(task))),
        }
    }

    /// Tells it to stop, and waits until it has.
    pub async fn end(&self) {
        self.stop.cancel();
        if let Some(task) = self.task.lock().await.take() {
            // Should it have failed, that was told.
            let _ = task.await;
        }
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// The tasks that go on beside a server.
#[derive(Default)]
pub struct Beside {
    tasks: JoinSet<()>,
    failed: CancellationToken,
}

impl Beside {
    /// Runs one that ends once `until` is cancelled.
    pub fn keep<F>(
        &mut self,
        name: &'static str,
        until: &CancellationToken,
        run: impl FnOnce(CancellationToken) -> F,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        let task = run(until.clone());
        let failed = self.failed.clone();
        self.tasks.spawn(watched(name, until.clone(), failed, task));
    }

    /// Cancelled where one of them ended before its time.
    pub fn failed(&self) -> &CancellationToken {
        &self.failed
    }

    /// Waits for all of them.
    pub async fn ended(mut self) {
        while let Some(ended) = self.tasks.join_next().await {
            if ended.is_err() {
                self.failed.cancel();
            }
        }
    }
}

/// What the system tells the process.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Listens from now on.
    ///
    /// # Errors
    /// Where the system does not let it.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Cancels `stop` at the first signal and returns at the second.
    pub async fn watch(mut self, stop: CancellationToken) {
        self.next().await;
        tracing::info!("stopping; once more to stop at once");
        stop.cancel();
        self.next().await;
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_ends_before_its_time_has_failed() {
        let fails = async |stopped: bool, task: &mut (dyn Future<Output = ()> + Unpin)| {
            let (stop, failed) = (CancellationToken::new(), CancellationToken::new());
            if stopped {
                stop.cancel();
            }
            watched("task", stop, failed.clone(), task).await;
            failed.is_cancelled()
        };
        assert!(fails(false, &mut std::future::ready(())).await);
        assert!(!fails(true, &mut std::future::ready(())).await);
        for stopped in [false, true] {
            let mut panics = Box::pin(async { panic!("a fault of ours") });
            assert!(fails(stopped, &mut panics).await);
        }
    }
}
