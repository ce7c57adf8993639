//! Hands over from the log what a broker was given and never delivered, as when its data were lost.

use std::{sync::Arc, time::Duration};

use tidings_domain::event::EventType;
use tokio_util::sync::CancellationToken;

use super::{Consumer, Consumers, Delivery, Verdict, hand_over};
use crate::{error::Result, metrics::Metrics, store::Missed};

/// How much of the log is compared at once.
const PAGE: i64 = 200;
/// Looks at which a page is tried, should something in it fail each time.
const LOOKS: u32 = 10;

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
        let consumers = consumers.list.iter().filter(|c| c.has_inbox());
        let consumers = consumers.cloned().map(|consumer| Watched {
            consumer,
            before: 0,
            stuck: (0, 0),
        });
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
    async fn look(&mut self) {
        for watched in &mut self.consumers {
            let consumer = &*watched.consumer;
            let patient = watched.stuck.1 < LOOKS;
            match compare(consumer, &*self.log, watched.before, patient).await {
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

/// Goes on comparing, as far as the log had left the outbox `before`. Who is not `patient` any more
/// passes over what cannot be taken.
async fn compare(
    consumer: &dyn Consumer,
    log: &dyn Missed,
    before: i64,
    mut patient: bool,
) -> Result<Compared> {
    let name = consumer.name();
    let to = log.published_to(consumer.topics()).await?;
    let from = log.compared_to(name).await?;
    let (mut at, end) = (from, to.min(before));
    let (mut recovered, mut held) = (0, None);
    while at < end {
        let next = end.min(at + PAGE);
        let missed = log.missed(name, at, next).await?;
        let missed = missed
            .into_iter()
            .filter_map(|json| Delivery::read(json).ok());
        let missed: Vec<_> = missed.filter(|missed| is_for(consumer, missed)).collect();
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

/// Whether the consumer would be delivered this.
fn is_for(consumer: &dyn Consumer, delivery: &Delivery) -> bool {
    let topics = EventType::parse(&delivery.event_type).map_or(&[][..], EventType::topics);
    topics.iter().any(|topic| consumer.topics().contains(topic)) && consumer.is_noted(delivery)
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Mutex,
        atomic::{AtomicBool, AtomicI64, Ordering},
    };

    use async_trait::async_trait;
    use tidings_domain::event::Topic;
    use uuid::Uuid;

    use super::*;
    use crate::{error::Error, metrics};

    /// A log whose events are numbered from 1, of which the broker delivered none.
    #[derive(Default)]
    struct Log {
        published: AtomicI64,
        compared: AtomicI64,
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

        async fn missed(&self, _: &str, from: i64, to: i64) -> Result<Vec<Arc<str>>> {
            assert!(to - from <= PAGE);
            let event = |n| {
                let kind = ["task.created", "user.registered"][usize::from(n % 10 == 0)];
                serde_json::json!({ "event_id": Uuid::now_v7(), "event_type": kind, "version": "1.0",
                    "timestamp": "2026-12-10T13:30:00.000Z", "seq": n })
            };
            let events = (from + 1..=to).map(|n| event(n).to_string().into());
            Ok(events.collect())
        }
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

        fn has_inbox(&self) -> bool {
            true
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
        // But for what is of other topics.
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
