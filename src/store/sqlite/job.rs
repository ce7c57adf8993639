//! Writes other than mutations, on their way to the writer.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use sqlx::SqliteConnection;
use tidings_domain::id::UserId;
use tokio::sync::oneshot;

use crate::error::{Error, Result};

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
    pub(super) fn account(&self) -> Option<UserId> {
        match self {
            Self::None | Self::Outbox | Self::Feeds(_) => None,
            Self::Account(user) | Self::Gone(user) => Some(*user),
        }
    }
}

/// A write other than a mutation.
pub(super) trait Job: Send {
    /// Writes. Whatever is written by a job that returns false is undone.
    fn run<'c>(&'c mut self, connection: &'c mut SqliteConnection) -> BoxFuture<'c, bool>;
    /// What there is to tell.
    fn news(&self) -> News;
    /// Answers the caller, with this error unless the transaction was committed.
    fn answer(self: Box<Self>, fault: Option<Error>);
}

/// A job of a caller that waits.
pub(super) struct Call<T, F> {
    write: Option<F>,
    news: News,
    result: Option<Result<T>>,
    caller: oneshot::Sender<Result<T>>,
}

impl<T, F> Call<T, F> {
    pub(super) fn new(news: News, write: F, caller: oneshot::Sender<Result<T>>) -> Self {
        Self {
            write: Some(write),
            news,
            result: None,
            caller,
        }
    }
}

impl<T, F> Job for Call<T, F>
where
    T: Send,
    F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T>> + Send,
{
    fn run<'c>(&'c mut self, connection: &'c mut SqliteConnection) -> BoxFuture<'c, bool> {
        Box::pin(async move {
            let Some(write) = self.write.take() else {
                return false;
            };
            let result = self.result.insert(write(connection).await);
            result.is_ok()
        })
    }

    fn news(&self) -> News {
        self.news.clone()
    }

    fn answer(self: Box<Self>, fault: Option<Error>) {
        let result = match (self.result, fault) {
            (Some(Err(error)), _) | (_, Some(error)) => Err(error),
            (Some(Ok(value)), None) => Ok(value),
            (None, None) => Err(lost()),
        };
        // A caller that went away does not mind.
        let _ = self.caller.send(result);
    }
}

/// The writer is gone.
pub(super) fn lost() -> Error {
    Error::Unavailable("the store was closed".into())
}
