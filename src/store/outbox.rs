//! What leaves: the outbox, and the trail of what has arrived.

use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tidings_domain::{
    event::Topic,
    id::{EventId, UserId},
    time::Timestamp,
};
use uuid::Uuid;

use crate::error::Result;

/// So many bytes of events are claimed at once, or one event.
pub const CLAIM_BYTES: usize = 8 << 20;

/// A row of the outbox: one event for one topic.
#[derive(Clone, Debug, PartialEq)]
pub struct OutboxRow {
    /// The row.
    pub id: i64,
    /// Where it goes.
    pub topic: Topic,
    /// Whose it is: the partition.
    pub user_id: Option<UserId>,
    /// The event.
    pub event_id: EventId,
    /// Its type, as written.
    pub event_type: String,
    /// Task or user id.
    pub subject: String,
    /// When it happened.
    pub timestamp: Timestamp,
    /// The event as JSON: the CloudEvent's `data`.
    pub json: Arc<str>,
    /// How often it has failed.
    pub attempts: i64,
}

/// What became of an outbox row.
#[derive(Clone, Debug, PartialEq)]
pub enum Settled {
    /// Published: the row goes.
    Done(i64),
    /// Failed: try again at that time.
    Retry {
        /// The row.
        id: i64,
        /// When.
        at: Timestamp,
        /// Why, for operators.
        error: String,
    },
    /// Set aside: shown, never lost.
    Dead {
        /// The row.
        id: i64,
        /// Why, for operators.
        error: String,
    },
}

/// What the outbox holds for a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxDepth {
    /// The topic.
    pub topic: Topic,
    /// Rows that wait.
    pub pending: i64,
    /// Rows set aside.
    pub dead: i64,
    /// When the oldest waiting one was written.
    pub oldest: Option<Timestamp>,
}

/// The outbox.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Leases (user, topic) pairs to `holder` until `until` and returns their oldest rows in order,
    /// at most `limit` and [`CLAIM_BYTES`], but one in any case. A pair whose oldest row waits for a
    /// retry yields nothing, so that order holds; a lease of another holder is passed over until it ends.
    async fn claim(
        &self,
        holder: Uuid,
        now: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<OutboxRow>>;
    /// Writes down what became of rows.
    async fn settle(&self, rows: &[Settled]) -> Result<()>;
    /// Lets a holder's leases go, at shutdown.
    async fn release(&self, holder: Uuid) -> Result<()>;
    /// How full it is, by topic.
    async fn depth(&self) -> Result<Vec<OutboxDepth>>;
}

/// A row for the audit trail.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEntry {
    /// The event.
    pub event_id: EventId,
    /// Its type, as written.
    pub event_type: String,
    /// Whose it is.
    pub user_id: Option<UserId>,
    /// Its seq, on a feed.
    pub seq: Option<i64>,
    /// When it happened.
    pub timestamp: Timestamp,
    /// When it was recorded.
    pub recorded_at: Timestamp,
}

/// A row of the audit trail, as `GET /api/audit` shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditRow {
    /// Rises in the trail's own order.
    pub n: i64,
    /// The event's seq.
    pub seq: Option<i64>,
    /// The event.
    pub event_id: EventId,
    /// Its type.
    pub event_type: String,
    /// When the consumer recorded it.
    pub recorded_at: Timestamp,
}

/// The audit trail, and with it the inbox of the audit consumer.
#[async_trait]
pub trait AuditTrail: Send + Sync {
    /// Records entries, each once: inbox row (consumer `audit`, event id) and trail row in one
    /// transaction. With `again` those in the inbox too, where the trail has lost them.
    async fn record_audit(&self, entries: &[AuditEntry], again: bool) -> Result<()>;
    /// Rows after `after`, n rising.
    async fn audit(&self, user: UserId, after: i64, limit: usize) -> Result<Vec<AuditRow>>;
}
