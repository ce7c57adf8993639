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
                let verdicts = hand_over(consumer, &missed).await;
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
mod tests {
    use std::sync::{
        Mutex,
        atomic::{AtomicBool, AtomicI64, Ordering},
    };

    use async_trait::async_trait;
    use uuid::Uuid;

    use super::*;
    use crate::{error::Error, metrics};

    /// A log whose events are numbered from 1, of which the broker delivered none.
    #[derive(Default)]
    struct Log {
        published: AtomicI64,
        compared: AtomicI64,
        /// What an inbox has all the same.
        noted: Mutex<HashSet<EventId>>,
    }

    #[async_trait]
    impl Missed for Log {
        async fn published_to(&self, topics: &[Topic]) -> Result<i64> {
            assert_eq!(topics, [Topic::TaskEvents]);
            Ok(self.published.load(Ordering::SeqCst))
        }

        async fn compared_to(&self, consumer: &str) -> Result<i64> {
            assert_eq!(consumer, "keeper");
            Ok(self.compared.load(Ordering::SeqCst))
        }

        async fn compared(&self, _: &str, from: i64, to: i64) -> Result<()> {
            assert_eq!(self.compared.swap(to, Ordering::SeqCst), from);
            Ok(())
        }

        async fn missed(
            &self,
            _: &str,
            types: &[EventType],
            from: i64,
            to: i64,
        ) -> Result<Vec<Arc<str>>> {
            assert!(to - from <= PAGE);
            assert_eq!(types, [EventType::TaskCreated, EventType::TaskDeleted]);
            let event = |n: i64| {
                serde_json::json!({ "event_id": event_id(n), "event_type": "task.created",
                    "version": "1.0", "timestamp": "2026-12-10T13:30:00.000Z", "seq": n })
            };
            let events = (from + 1..=to).filter(|n| n % 10 > 0);
            Ok(events.map(|n| event(n).to_string().into()).collect())
        }

        async fn noted(&self, _: &str, ids: &[EventId]) -> Result<HashSet<EventId>> {
            let noted = self.noted.lock().unwrap();
            Ok(ids
                .iter()
                .filter(|id| noted.contains(id))
                .copied()
                .collect())
        }
    }

    fn event_id(n: i64) -> EventId {
        EventId(Uuid::from_u128(n as u128))
    }

    /// Under which id the keeper notes one of every seven.
    fn other_id(n: i64) -> EventId {
        EventId(Uuid::from_u128(n as u128 + (1 << 64)))
    }

    #[derive(Default)]
    struct Keeper {
        kept: Mutex<Vec<i64>>,
        is_away: AtomicBool,
    }

    #[async_trait]
    impl Consumer for Keeper {
        fn name(&self) -> &'static str {
            "keeper"
        }

        fn topics(&self) -> &'static [Topic] {
            &[Topic::TaskEvents]
        }

        fn notes(&self, event_type: EventType) -> bool {
            [
                EventType::TaskDeleted,
                EventType::TaskCreated,
                EventType::UserDeleted,
            ]
            .contains(&event_type)
        }

        fn noted_as(&self, delivery: &Delivery) -> Option<EventId> {
            let seq = delivery.seq?;
            Some(if seq % 7 > 0 {
                delivery.event_id
            } else {
                other_id(seq)
            })
        }

        async fn handle(&self, deliveries: &[Delivery]) -> Result<()> {
            if self.is_away.load(Ordering::SeqCst) {
                return Err(Error::Unavailable("away".into()));
            }
            let seqs = deliveries.iter().filter_map(|delivery| delivery.seq);
            self.kept.lock().unwrap().extend(seqs);
            Ok(())
        }
    }

    #[tokio::test]
    async fn what_was_not_delivered_from_one_look_to_the_next_is_handed_over() {
        let (log, keeper) = (Arc::<Log>::default(), Arc::<Keeper>::default());
        let consumers = Consumers::new(vec![keeper.clone()]);
        let metrics = Metrics::new(metrics::seconds());
        let mut catch_up = CatchUp::new(&consumers, log.clone(), None, metrics.clone());
        let kept = || keeper.kept.lock().unwrap().len();
        log.published.store(500, Ordering::SeqCst);
        catch_up.look().await;
        assert_eq!(kept(), 0, "it may be on its way");
        log.published.store(700, Ordering::SeqCst);
        keeper.is_away.store(true, Ordering::SeqCst);
        catch_up.look().await;
        assert_eq!((kept(), log.compared.load(Ordering::SeqCst)), (0, 0));
        keeper.is_away.store(false, Ordering::SeqCst);
        catch_up.look().await;
        // But for what is of other types.
        assert_eq!(kept(), 700 - 70);
        assert_eq!(catch_up.consumers[0].stuck, (0, 0));
        catch_up.look().await;
        assert_eq!((kept(), log.compared.load(Ordering::SeqCst)), (630, 700));
        // Rows that were put back are on their way again.
        log.published.store(600, Ordering::SeqCst);
        catch_up.look().await;
        assert_eq!(log.compared.load(Ordering::SeqCst), 700);
        let told = "consumer=\"keeper\",outcome=\"recovered\"} 630";
        assert!(metrics.text().contains(told), "{}", metrics.text());
    }

    #[tokio::test]
    async fn what_the_inbox_has_under_another_id_is_not_handed_over() {
        let (log, keeper) = (Arc::<Log>::default(), Arc::<Keeper>::default());
        let consumers = Consumers::new(vec![keeper.clone()]);
        let metrics = Metrics::new(metrics::seconds());
        let mut catch_up = CatchUp::new(&consumers, log.clone(), None, metrics);
        log.published.store(20, Ordering::SeqCst);
        log.noted
            .lock()
            .unwrap()
            .extend([other_id(3), other_id(14)]);
        catch_up.look().await;
        catch_up.look().await;
        let kept = keeper.kept.lock().unwrap().clone();
        let expected = (1..20).filter(|n| ![10, 14].contains(n));
        assert_eq!(kept, Vec::from_iter(expected));
    }

    #[test]
    fn only_what_the_inbox_still_knows_is_news() {
        const { assert!(2 * NEWS_MS < crate::store::KEPT_MS) };
    }

    #[tokio::test]
    async fn what_fails_at_every_look_holds_up_the_rest_for_so_long() {
        let (log, keeper) = (Arc::<Log>::default(), Arc::<Keeper>::default());
        let consumers = Consumers::new(vec![keeper.clone()]);
        let metrics = Metrics::new(metrics::seconds());
        let mut catch_up = CatchUp::new(&consumers, log.clone(), None, metrics);
        log.published.store(3 * PAGE, Ordering::SeqCst);
        keeper.is_away.store(true, Ordering::SeqCst);
        for _ in 0..=LOOKS {
            catch_up.look().await;
        }
        assert_eq!(log.compared.load(Ordering::SeqCst), 0);
        catch_up.look().await;
        assert_eq!(log.compared.load(Ordering::SeqCst), PAGE);
        keeper.is_away.store(false, Ordering::SeqCst);
        catch_up.look().await;
        assert_eq!(log.compared.load(Ordering::SeqCst), 3 * PAGE);
    }
}
