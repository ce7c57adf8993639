//! The audit trail, as its owner looks at it.

use async_trait::async_trait;
use tidings_domain::{
    id::UserId,
    time::Timestamp,
    trail::{Entry, Kind},
};

use crate::error::Result;

/// Which rows of a person's trail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrailQuery {
    /// Of this kind, or of all.
    pub kind: Option<Kind>,
    /// Of what happened at this time or later.
    pub from: Timestamp,
    /// And before this place: a time, and an `n` among what happened then.
    pub before: (Timestamp, i64),
    /// So many at most.
    pub limit: usize,
}

/// The audit trail, with what the log still has of its rows.
#[async_trait]
pub trait Trail: Send + Sync {
    /// Rows as the query asks for them, the newest first.
    async fn trail(&self, user: UserId, query: &TrailQuery) -> Result<Vec<Entry>>;
}
