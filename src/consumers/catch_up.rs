//! Hands over from the log what a broker was given and never delivered, as when its data were lost.

use std::{collections::HashSet, sync::Arc, time::Duration};

use tidings_domain::{
    event::{EventType, Topic},
    id::EventId,
    time::Timestamp,
};
use tokio_util::sync::CancellationToken;

use super::{Consumer, Consumers, Delivery, Verdict, hand_over};
use crate::{error::Result, metrics::Metrics, store::Missed};

/// How much of the log is compared at once.
const PAGE: i64 = 200;
/// Looks at which a page is tried, should something in it fail each time.
const LOOKS: u32 = 10;
/// How long ago, in milliseconds, something may have happened that people are still told of: 7 days,
/// as long as brokers keep it, and far less than inboxes remember.
const NEWS_MS: i64 = 7 * 86_400_000;

/// Compares the log with the inboxes of consumers, until it is told to stop. What left the outbox
/// before the last look and is still in no inbox now, a broker had long enough for.
pub struct CatchUp {
    consumers: Vec<Watched>,
    log: Arc<dyn Missed>,
    /// From one look to the next; `None`: it never looks.
    every: Option<Duration>,
    metrics: Arc<Metrics>,
}

struct Watched {
    consumer: Arc<dyn Consumer>,
    /// What its inbox tells of.
    types: Vec<EventType>,
    /// By which topics that comes to it.
    topics: Vec<Topic>,
    /// Up to where the log had left the outbox at the last look.
    before: i64,
    /// Where it got no further, and at how many looks.
    stuck: (i64, u32),
}

impl CatchUp {
    /// Looks after those consumers whose inbox tells what they took in.
    pub fn new(
        consumers: &Consumers,
        log: Arc<dyn Missed>,
        every: Option<Duration>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let consumers = consumers.list.iter().cloned().filter_map(Watched::new);
        let consumers: Vec<_> = consumers.collect();
        for watched in &consumers {
            metrics.recovered(watched.consumer.name(), 0);
        }
        Self {
            consumers,
            log,
            every,
            metrics,
        }
    }

    /// Looks until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        let look = async {
            let Some(every) = self.every else {
                return std::future::pending().await;
            };
            loop {
                self.look().await;
                tokio::time::sleep(every).await;
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = look => {}
        }
    }

    /// Looks once.
    pub async fn look(&mut self) {
        for watched in &mut self.consumers {
            let consumer = &*watched.consumer;
            match watched.compare(&*self.log).await {
                Ok(Compared {
                    to,
                    recovered,
                    held,
                }) => {
                    watched.before = to;
                    watched.stuck = match held {
                        Some(at) if at == watched.stuck.0 => (at, watched.stuck.1 + 1),
                        Some(at) => (at, 1),
                        None => (0, 0),
                    };
                    self.metrics.recovered(consumer.name(), recovered);
                    if recovered > 0 {
                        let consumer = consumer.name();
                        tracing::warn!(
                            consumer,
                            recovered,
                            "events that the broker did not deliver were handed over from the log"
                        );
                    }
                }
                Err(error) => {
                    let consumer = consumer.name();
                    tracing::warn!(consumer, %error, "the log was not compared with an inbox");
                }
            }
        }
    }
}

/// What came of a look.
struct Compared {
    /// Up to where the log has left the outbox.
    to: i64,
    /// How many events were handed over.
    recovered: u64,
    /// Where something could not be taken now, and is tried again.
    held: Option<i64>,
}

impl Watched {
    /// Nothing, where its inbox tells nothing of what is delivered to it.
    fn new(consumer: Arc<dyn Consumer>) -> Option<Self> {
        let by = |it: EventType, topics: &[Topic]| it.topics().iter().any(|t| topics.contains(t));
        let types = EventType::ALL.into_iter();
        let types = types.filter(|it| consumer.notes(*it) && by(*it, consumer.topics()));
        let types: Vec<_> = types.collect();
        let topics = consumer.topics().iter().copied();
        let topics = topics.filter(|topic| types.iter().any(|it| by(*it, &[*topic])));
        let topics = topics.collect();
        (!types.is_empty()).then_some(Self {
            consumer,
            types,
            topics,
            before: 0,
            stuck: (0, 0),
        })
    }

    /// Goes on comparing, as far as the log had left the outbox at the last look. What cannot be taken
    /// is passed over once it was tried for long enough.
    async fn compare(&self, log: &dyn Missed) -> Result<Compared> {
        let consumer = &*self.consumer;
        let name = consumer.name();
        let mut patient = self.stuck.1 < LOOKS;
        let to = log.published_to(&self.topics).await?;
        let from = log.compared_to(name).await?;
        let (mut at, end) = (from, to.min(self.before));
        let (mut recovered, mut held) = (0, None);
        while at < end {
            let next = end.min(at + PAGE);
            let missed = self.missed(log, at, next).await?;
            if !missed.is_empty() {
                let verdicts = hand_over(consumer, &missed, true).await;
                let taken = verdicts.iter().filter(|v| **v == Verdict::Success);
                recovered += taken.count() as u64;
                let again = verdicts.iter().any(|v| matches!(v, Verdict::Retry(_)));
                if again && patient {
                    // What it could not take now is still missing at the next look.
                    held = Some(at);
                    break;
                }
                // Of several such pages, one at a look is passed over.
                patient |= again;
            }
            at = next;
        }
        if at > from {
            log.compared(name, from, at).await?;
        }
        Ok(Compared {
            to,
            recovered,
            held,
        })
    }

    /// What lies between two places in the log and not in the inbox.
    async fn missed(&self, log: &dyn Missed, from: i64, to: i64) -> Result<Vec<Delivery>> {
        let name = self.consumer.name();
        let missed = log.missed(name, &self.types, from, to).await?;
        let missed = missed
            .into_iter()
            .filter_map(|json| Delivery::read(json).ok());
        let missed = missed.filter_map(|it| Some((self.consumer.noted_as(&it)?, it)));
        let mut missed: Vec<_> = missed.collect();
        let others = missed.iter().filter(|(id, it)| *id != it.event_id);
        let others: Vec<EventId> = others.map(|(id, _)| *id).collect();
        if !others.is_empty() {
            let noted: HashSet<_> = log.noted(name, &others).await?;
            missed.retain(|(id, _)| !noted.contains(id));
        }
        Ok(missed.into_iter().map(|(_, it)| it).collect())
    }
}

/// Whether something that a broker lost is recent enough for people to be told of it. So nobody is told
/// again of what an inbox has forgotten.
pub(super) fn is_news(delivery: &Delivery, now: Timestamp) -> bool {
    now.0 - delivery.timestamp.0 < NEWS_MS
}

#[cfg(test)]
mod tests;
