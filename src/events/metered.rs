//! Counts what a transport does.

use std::sync::Arc;

use async_trait::async_trait;
use tidings_domain::event::Topic;
use tokio::time::Instant;

use super::transport::{Published, Transport};
use crate::{metrics::Metrics, store::OutboxRow};

/// A transport that is counted.
pub struct Metered {
    transport: Arc<dyn Transport>,
    metrics: Arc<Metrics>,
}

impl Metered {
    /// Counts what this transport does.
    pub fn new(transport: Arc<dyn Transport>, metrics: Arc<Metrics>) -> Self {
        Self { transport, metrics }
    }
}

#[async_trait]
impl Transport for Metered {
    fn keeps_order(&self) -> bool {
        self.transport.keeps_order()
    }

    fn is_open(&self) -> bool {
        self.transport.is_open()
    }

    async fn publish(&self, topic: Topic, rows: &[OutboxRow]) -> Vec<Published> {
        let started = Instant::now();
        let published = self.transport.publish(topic, rows).await;
        self.metrics.published_in(topic, started.elapsed());
        for one in &published {
            let outcome = match one {
                Published::Taken => "taken",
                Published::Passing(_) => "failed",
                Published::Untried => continue,
                Published::Refused(_) => "refused",
                Published::Unfit(_) => "unfit",
            };
            self.metrics.published(topic, outcome);
        }
        published
    }
}
