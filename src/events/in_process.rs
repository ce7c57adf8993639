//! The transport without a broker: straight to the consumers of this process.

use async_trait::async_trait;
use tidings_domain::event::Topic;

use super::transport::{Published, Transport};
use crate::{
    consumers::{Consumers, Delivery, Verdict},
    store::OutboxRow,
};

/// Delivers to the consumers of this process. A row is taken once each of them has handled it, so
/// that the outbox redelivers what a crash interrupted.
pub struct InProcess {
    consumers: Consumers,
}

impl InProcess {
    /// A transport to these consumers.
    pub fn new(consumers: Consumers) -> Self {
        Self { consumers }
    }
}

#[async_trait]
impl Transport for InProcess {
    fn keeps_order(&self) -> bool {
        true
    }

    async fn publish(&self, topic: Topic, rows: &[OutboxRow]) -> Vec<Published> {
        let read: Vec<_> = rows
            .iter()
            .map(|row| Delivery::read(row.json.clone()))
            .collect();
        let deliveries: Vec<_> = read.iter().flatten().cloned().collect();
        let mut verdicts = self.consumers.deliver(topic, &deliveries).await.into_iter();
        let mut published = Vec::with_capacity(rows.len());
        for delivery in read {
            published.push(match delivery {
                Err(error) => Published::Unfit(error.to_string()),
                Ok(_) => match verdicts.next() {
                    Some(Verdict::Success) => Published::Taken,
                    Some(Verdict::Drop(why)) => Published::Unfit(why),
                    Some(Verdict::Retry(why)) => Published::Passing(why),
                    None => Published::Passing("no verdict".into()),
                },
            });
        }
        published
    }
}
