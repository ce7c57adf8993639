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
