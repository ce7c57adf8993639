//! Browsers that are to be told with every tab closed, and what is on its way to them.

use async_trait::async_trait;
use tidings_domain::{
    id::{TaskId, UserId},
    notice::Kind,
    time::Timestamp,
};
use uuid::Uuid;

use super::{Posted, QueueDepth, Unsent};
use crate::error::Result;

/// Subscriptions of a person that are kept: the newest.
pub const SUBSCRIPTIONS_MAX: usize = 10;
/// Rows that wait for a subscription, or were set aside, beyond which no more are written.
pub(super) const WAITING_MAX: usize = 50;

/// A browser that is to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// Its id.
    pub id: Uuid,
    /// Whose.
    pub user_id: UserId,
    /// The session that it was made in, and goes with.
    pub session: [u8; 32],
    /// Where its push service is reached: whoever knows it may send.
    pub endpoint: String,
    /// Its public key.
    pub p256dh: Vec<u8>,
    /// The secret beside the key.
    pub auth: Vec<u8>,
    /// When it was made, or made anew.
    pub created_at: Timestamp,
}

/// A notification on its way to a browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Push {
    /// The row.
    pub n: i64,
    /// To whom.
    pub user_id: UserId,
    /// What it is about.
    pub kind: Kind,
    /// When it was written, or put back.
    pub created_at: Timestamp,
    /// How often it could not be sent.
    pub attempts: i64,
    /// What to send, and where; nothing where nobody needs it any more: it was read elsewhere, is gone,
    /// or reminds of a task that is not open.
    pub message: Option<PushMessage>,
}

/// What is sent, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushMessage {
    /// The subscription.
    pub subscription: Uuid,
    /// Where its push service is reached.
    pub endpoint: String,
    /// Its public key.
    pub p256dh: Vec<u8>,
    /// The secret beside the key.
    pub auth: Vec<u8>,
    /// The notification.
    pub notification: Uuid,
    /// A few words.
    pub title: String,
    /// A sentence.
    pub body: String,
    /// The task that it is about.
    pub task_id: Option<TaskId>,
}

/// Subscriptions, and what is on its way to them.
#[async_trait]
pub trait Pushes: Send + Sync {
    /// Keeps a subscription, in the place of one with its endpoint, whoever had that: a browser is one
    /// person's at a time. Only the newest [`SUBSCRIPTIONS_MAX`] of a person are kept. `unauthenticated`
    /// where the session has ended.
    async fn subscribe(&self, subscription: &Subscription) -> Result<()>;
    /// Forgets a person's subscription with an endpoint; whether it was there.
    async fn unsubscribe_endpoint(&self, user: UserId, endpoint: &str) -> Result<bool>;
    /// Forgets one of a person's.
    async fn forget_subscription(&self, user: UserId, id: Uuid) -> Result<()>;
    /// What is due at `now`, the longest first, at most `limit`, and of each subscription only its
    /// first: whatever follows waits with it. Nobody else gets it before `until`, nor after that if it
    /// was settled.
    async fn claim_pushes(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<Push>>;
    /// Writes down what became of some.
    async fn settle_pushes(&self, pushes: &[Posted]) -> Result<()>;
    /// How many there are.
    async fn push_depth(&self) -> Result<QueueDepth>;
    /// Those that could not be sent, after a row: what waits to be tried again, and what was set aside.
    async fn pushes_unsent(&self, after: i64, limit: usize) -> Result<Vec<Unsent>>;
    /// Has those that were set aside sent again (`None`: all), as if they were written now; how many.
    async fn put_pushes_back(&self, n: Option<i64>, now: Timestamp) -> Result<u64>;
    /// Removes those that were set aside (`None`: all); how many.
    async fn drop_pushes(&self, n: Option<i64>) -> Result<u64>;
    /// The private key that they are signed with: `fresh`, the first time, and then the same.
    async fn push_key(&self, fresh: &str) -> Result<String>;
}
