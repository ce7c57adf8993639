//! What waits to be sent by the ways out of the server: mail, and pushes to browsers. Their tables are
//! emptied alike ([`crate::queue`]).

use tidings_domain::{id::UserId, notice::Kind, time::Timestamp};

/// What became of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Posted {
    /// It is sent, or there is nowhere to send it.
    Done(i64),
    /// Not now: try again at that time.
    Retry {
        /// The row.
        n: i64,
        /// When.
        at: Timestamp,
        /// Why, for operators.
        error: String,
    },
    /// Set aside: shown, never lost.
    Aside {
        /// The row.
        n: i64,
        /// Why, for operators.
        error: String,
    },
}

/// How many rows are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueDepth {
    /// That wait.
    pub waiting: i64,
    /// That were set aside.
    pub aside: i64,
}

/// A row that could not be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsent {
    /// The row.
    pub n: i64,
    /// To whom.
    pub user_id: UserId,
    /// What it is about.
    pub kind: Option<Kind>,
    /// When it was written.
    pub created_at: Timestamp,
    /// How often it could not be sent.
    pub attempts: i64,
    /// Why, at last.
    pub error: String,
    /// When it is tried again; `None`: it was set aside.
    pub again: Option<Timestamp>,
}
