//! The transport without a broker: straight to the consumers of this process.

use async_trait::async_trait;
use tidings_domain::event::Topic;

use super::{
    traced::Publishing,
    transport::{Published, Transport},
};
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
        let read: Vec<_> = rows.iter().map(|row| read(topic, row)).collect();
        let deliveries = read.iter().flatten().map(|(delivery, _)| delivery.clone());
        let deliveries: Vec<_> = deliveries.collect();
        let mut verdicts = self.consumers.deliver(topic, &deliveries).await.into_iter();
        let mut published = Vec::with_capacity(rows.len());
        for delivery in read {
            published.push(match delivery {
                Err(error) => Published::Unfit(error.to_string()),
                Ok((_, publishing)) => {
                    let became = match verdicts.next() {
                        Some(Verdict::Success) => Published::Taken,
                        Some(Verdict::Drop(why)) => Published::Unfit(why.to_string()),
                        Some(Verdict::Retry(why)) => Published::Passing(why.to_string()),
                        None => Published::Passing("no verdict".into()),
                    };
                    publishing.end(&became);
                    became
                }
            });
        }
        published
    }
}

fn read(topic: Topic, row: &OutboxRow) -> serde_json::Result<(Delivery, Publishing<'_>)> {
    let mut delivery = Delivery::read(row.json.clone())?;
    let publishing = Publishing::begin(topic, row, delivery.trace);
    delivery.trace = publishing.trace;
    Ok((delivery, publishing))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tidings_domain::{error::Code, id::EventId, time::Timestamp};
    use uuid::Uuid;

    use super::*;
    use crate::{
        consumers::Consumer,
        error::{Error, Result},
    };

    /// Refuses events of the type `bad`, fails on `later`, and takes the rest.
    struct Judge;

    #[async_trait]
    impl Consumer for Judge {
        fn name(&self) -> &'static str {
            "judge"
        }

        fn topics(&self) -> &'static [Topic] {
            &[Topic::TaskEvents]
        }

        async fn handle(&self, deliveries: &[Delivery]) -> Result<()> {
            for delivery in deliveries {
                match delivery.event_type.as_str() {
                    "bad" => return Err(Code::ValidationFailed.into()),
                    "later" => return Err(Error::internal("later")),
                    _ => {}
                }
            }
            Ok(())
        }
    }

    fn row(id: i64, event_type: &str, json: Option<&str>) -> OutboxRow {
        let event_id = Uuid::from_u128(id.unsigned_abs().into());
        let event = serde_json::json!({
            "event_id": event_id,
            "event_type": event_type,
            "version": "1.0",
            "timestamp": "2026-12-10T13:30:00.000Z",
            "user_id": event_id,
        });
        OutboxRow {
            id,
            topic: Topic::TaskEvents,
            user_id: None,
            event_id: EventId(event_id),
            event_type: event_type.into(),
            subject: event_id.to_string(),
            timestamp: Timestamp(0),
            json: json.map_or_else(|| event.to_string(), str::to_owned).into(),
            attempts: 0,
        }
    }

    #[tokio::test]
    async fn each_row_gets_its_own_verdict() {
        let transport = InProcess::new(Consumers::new(vec![Arc::new(Judge)]));
        let rows = [
            row(1, "good", None),
            row(2, "good", Some("no event")),
            row(3, "bad", None),
            row(4, "later", None),
            row(5, "good", None),
        ];
        let published = transport.publish(Topic::TaskEvents, &rows).await;
        let kind = |published: &Published| match published {
            Published::Taken => 'T',
            Published::Passing(_) => 'P',
            Published::Refused(_) => 'R',
            Published::Unfit(_) => 'U',
            Published::Untried => '-',
        };
        assert_eq!(published.iter().map(kind).collect::<String>(), "TUUPT");
        assert!(transport.publish(Topic::TaskUpdates, &rows[..1]).await == [Published::Taken]);
    }
}
