//! Keeps the audit trail: a row an event, whatever its type.

use std::sync::Arc;

use async_trait::async_trait;
use tidings_domain::{
    event::{EventType, Topic},
    time::Timestamp,
};

use super::{Consumer, Delivery, Role};
use crate::{
    clock::Clock,
    error::Result,
    store::{AuditEntry, AuditTrail},
};

/// The `audit` consumer. Its inbox is the store's: an event that was recorded before is passed over.
pub struct Audit {
    trail: Arc<dyn AuditTrail>,
    clock: Arc<dyn Clock>,
}

impl Audit {
    /// Records in this trail.
    pub fn new(trail: Arc<dyn AuditTrail>, clock: Arc<dyn Clock>) -> Self {
        Self { trail, clock }
    }
}

#[async_trait]
impl Consumer for Audit {
    fn name(&self) -> &'static str {
        "audit"
    }

    fn topics(&self) -> &'static [Topic] {
        Role::Audit.topics()
    }

    fn notes(&self, _: EventType) -> bool {
        true
    }

    async fn handle(&self, deliveries: &[Delivery]) -> Result<()> {
        let recorded_at = self.clock.now();
        let entries = deliveries.iter().map(|d| entry(d, recorded_at));
        let entries = Vec::from_iter(entries);
        self.trail.record_audit(&entries, false).await
    }
}

/// The row of an event.
pub fn entry(delivery: &Delivery, recorded_at: Timestamp) -> AuditEntry {
    AuditEntry {
        event_id: delivery.event_id,
        event_type: delivery.event_type.clone(),
        user_id: delivery.user_id,
        seq: delivery.seq,
        timestamp: delivery.timestamp,
        recorded_at,
    }
}
