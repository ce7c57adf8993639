//! Deliveries that come one by one and are handed over together: while consumers are at some, others
//! gather, so that under load many share a statement and a commit, and a single one waits for nobody.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tidings_domain::event::Topic;
use tokio::{
    select,
    sync::oneshot,
    time::{Instant, sleep_until, timeout},
};

use super::{Consumers, Delivery, Verdict, Why};

/// Deliveries handed over at once.
const MOST: usize = 256;
/// How long a delivery waits for its turn, and how long a turn may take; then it is to come again.
/// Together less than a sidecar waits, and a turn longer than a statement may take.
const WAIT_WITHIN: Duration = Duration::from_secs(8);
const HANDLE_WITHIN: Duration = Duration::from_secs(12);

/// Hands deliveries over to consumers.
pub struct Together {
    consumers: Consumers,
    lines: [Line; Topic::ALL.len()],
}

/// What waits of a topic.
#[derive(Default)]
struct Line {
    waiting: Mutex<Vec<Waiting>>,
    /// Whoever has it hands over for all.
    turn: tokio::sync::Mutex<()>,
}

/// A delivery, and who waits for what becomes of it.
type Waiting = (Delivery, oneshot::Sender<Verdict>);

impl Together {
    /// To these consumers.
    pub fn new(consumers: Consumers) -> Self {
        Self {
            consumers: consumers.unordered(),
            lines: Default::default(),
        }
    }

    /// Hands a delivery over, with whatever else waits, and tells what became of it.
    pub async fn deliver(&self, topic: Topic, delivery: Delivery) -> Verdict {
        let line = &self.lines[topic as usize];
        let (sender, mut verdict) = oneshot::channel();
        line.lock().push((delivery, sender));
        let deadline = Instant::now() + WAIT_WITHIN;
        loop {
            select! {
                biased;
                verdict = &mut verdict => {
                    return verdict.unwrap_or_else(|_| again("whoever handed it over went away"));
                }
                _turn = line.turn.lock() => self.hand_over(topic, line.take()).await,
                () = sleep_until(deadline) => return again(LATE),
            }
        }
    }

    async fn hand_over(&self, topic: Topic, waiting: Vec<Waiting>) {
        let (deliveries, senders): (Vec<_>, Vec<_>) = waiting.into_iter().unzip();
        let handled = self.consumers.deliver(topic, &deliveries);
        let handled = timeout(HANDLE_WITHIN, handled).await;
        let verdicts = handled.unwrap_or_else(|_| vec![again(LATE); deliveries.len()]);
        for (sender, verdict) in senders.into_iter().zip(verdicts) {
            // Whoever waited may have gone away.
            let _ = sender.send(verdict);
        }
    }
}

const LATE: &str = "it took too long";

fn again(why: &str) -> Verdict {
    Verdict::Retry(Why::unread(why))
}

impl Line {
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first that somebody waits for. One that is there twice stays for the next time: consumers
    /// tell by their inbox, which they ask before they write.
    fn take(&self) -> Vec<Waiting> {
        self.lock().retain(|(_, sender)| !sender.is_closed());
        let mut taken = HashSet::new();
        let mut fits =
            |(delivery, _): &mut Waiting| taken.len() < MOST && taken.insert(delivery.event_id);
        self.lock().extract_if(.., |one| fits(one)).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use async_trait::async_trait;
    use futures_util::{future::join_all, poll};
    use tokio::sync::Semaphore;
    use uuid::Uuid;

    use super::*;
    use crate::{
        consumers::{Consumer, Role},
        error::{Error, Result},
    };

    /// Notes what it is handed over, once it may.
    struct Slow {
        handed: Mutex<Vec<Vec<String>>>,
        may: Semaphore,
    }

    #[async_trait]
    impl Consumer for Slow {
        fn name(&self) -> &'static str {
            "slow"
        }

        fn topics(&self) -> &'static [Topic] {
            Role::Audit.topics()
        }

        async fn handle(&self, deliveries: &[Delivery]) -> Result<()> {
            self.may.acquire().await.unwrap().forget();
            let types = deliveries.iter().map(|d| d.event_type.clone()).collect();
            self.handed.lock().unwrap().push(types);
            match deliveries.iter().any(|d| d.event_type == "bad") {
                true => Err(Error::internal("bad")),
                false => Ok(()),
            }
        }
    }

    fn delivery(id: u128, event_type: &str) -> Delivery {
        let json = serde_json::json!({
            "event_id": Uuid::from_u128(id), "event_type": event_type, "version": "1.0",
            "timestamp": "2026-01-01T00:00:00.000Z", "user_id": Uuid::from_u128(id),
        });
        Delivery::read(json.to_string().into()).unwrap()
    }

    /// A consumer that waits to be let on, and what hands deliveries over to it.
    fn slow() -> (Arc<Slow>, Together) {
        let slow = Arc::new(Slow {
            handed: Mutex::default(),
            may: Semaphore::new(0),
        });
        let together = Together::new(Consumers::new(vec![slow.clone()]));
        (slow, together)
    }

    #[tokio::test(start_paused = true)]
    async fn what_comes_meanwhile_is_handed_over_together() {
        let (slow, together) = slow();
        let deliver = |(id, kind)| together.deliver(Topic::TaskEvents, delivery(id, kind));
        let all = [(1, "a"), (2, "b"), (3, "bad"), (4, "d"), (2, "b")];
        let release = async {
            // Paused time moves on once everyone waits.
            tokio::time::sleep(Duration::from_secs(1)).await;
            slow.may.add_permits(10);
        };
        let (verdicts, ()) = tokio::join!(join_all(all.map(deliver)), release);
        let retried = |v: &Verdict| matches!(v, Verdict::Retry(_));
        let retried: Vec<_> = verdicts.iter().map(retried).collect();
        assert_eq!(retried, [false, false, true, false, false]);
        let handed = slow.handed.lock().unwrap().clone();
        // Those that failed together, one by one; and then what was there twice.
        let alone = [vec!["b"], vec!["bad"], vec!["d"], vec!["b"]];
        assert_eq!(handed[..2], [vec!["a"], vec!["b", "bad", "d"]]);
        assert_eq!(handed[2..], alone);
    }

    #[tokio::test]
    async fn where_who_hands_over_goes_away_the_others_are_to_come_again() {
        let (_, together) = slow();
        let deliver = |id| Box::pin(together.deliver(Topic::TaskEvents, delivery(id, "a")));
        let (mut first, mut second, mut third) = (deliver(1), deliver(2), deliver(3));
        for one in [&mut first, &mut second, &mut third] {
            assert!(poll!(one).is_pending());
        }
        drop(first);
        assert!(poll!(&mut second).is_pending());
        drop(second);
        assert!(matches!(third.await, Verdict::Retry(_)));
    }

    #[tokio::test(start_paused = true)]
    async fn what_hangs_costs_those_that_wait_their_time_and_no_more() {
        let (slow, together) = slow();
        let deliver = |id| together.deliver(Topic::TaskEvents, delivery(id, "a"));
        let started = Instant::now();
        let (first, second) = tokio::join!(deliver(1), deliver(2));
        let late = again(LATE);
        assert_eq!([&first, &second], [&late, &late]);
        assert!(started.elapsed() <= WAIT_WITHIN + HANDLE_WITHIN);
        // Nobody waits for the second any more.
        slow.may.add_permits(1);
        assert_eq!(deliver(3).await, Verdict::Success);
        assert_eq!(slow.handed.lock().unwrap()[..], [vec!["a"]]);
    }
}
