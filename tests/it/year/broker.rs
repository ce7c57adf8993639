//! What carries events between the replicas here: it keeps them until somebody has handled them,
//! hands many out more than once, in any order, some of them days later, and gives way at bad moments.

use std::{
    collections::BTreeMap,
    future::pending,
    mem,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use rand::{Rng, SeedableRng, rngs::StdRng, seq::SliceRandom};
use tidings::{
    clock::Clock,
    events::{Published, Transport},
    store::OutboxRow,
};
use tidings_domain::{event::Topic, time::Timestamp};
use tokio::sync::Notify;

use super::calendar::DAY_MS;
use crate::kit::Hand;

/// How late the second of two deliveries may be: less than inboxes remember.
const LATER_MS: i64 = 10 * DAY_MS;

/// An event on its way.
#[derive(Clone)]
pub(super) struct Parcel {
    pub(super) topic: Topic,
    pub(super) json: Arc<str>,
    /// Not before.
    at: Timestamp,
    /// Whether it is a second one of the same.
    again: bool,
}

/// The broker of both replicas.
pub(super) struct Broker {
    clock: Arc<Hand>,
    inside: Mutex<Inside>,
}

struct Inside {
    parcels: Vec<Parcel>,
    rng: StdRng,
    /// How many there were twice.
    doubled: usize,
}

impl Broker {
    pub(super) fn new(clock: Arc<Hand>, seed: u64) -> Self {
        let inside = Inside {
            parcels: Vec::new(),
            rng: StdRng::seed_from_u64(seed),
            doubled: 0,
        };
        Self {
            clock,
            inside: Mutex::new(inside),
        }
    }

    fn keep(&self, topic: Topic, rows: &[OutboxRow]) {
        let now = self.clock.now();
        let Inside {
            parcels,
            rng,
            doubled,
        } = &mut *self.inside.lock().unwrap();
        for row in rows {
            let parcel = Parcel {
                topic,
                json: row.json.clone(),
                at: now,
                again: false,
            };
            if rng.random_bool(0.3) {
                let late = rng.random_bool(0.5);
                let after = if late {
                    rng.random_range(0..LATER_MS)
                } else {
                    0
                };
                *doubled += 1;
                parcels.push(Parcel {
                    at: now.plus_ms(after),
                    again: true,
                    ..parcel.clone()
                });
            }
            parcels.push(parcel);
        }
    }

    /// Some of what can be delivered, each part for somebody else. With `all`, all of it.
    pub(super) fn take(&self, all: bool) -> [Vec<Parcel>; 2] {
        let now = self.clock.now();
        let Inside { parcels, rng, .. } = &mut *self.inside.lock().unwrap();
        let (mut ready, later): (Vec<_>, Vec<_>) =
            mem::take(parcels).into_iter().partition(|p| p.at <= now);
        *parcels = later;
        ready.shuffle(rng);
        if !all {
            let left = rng.random_range(0..=ready.len() / 2);
            parcels.extend(ready.drain(..left));
        }
        let second = ready.split_off(rng.random_range(0..=ready.len()));
        [ready, second]
    }

    /// Has what nobody handled delivered again.
    pub(super) fn put_back(&self, parcels: Vec<Parcel>) {
        self.inside.lock().unwrap().parcels.extend(parcels);
    }

    /// Has what was to come later delivered at once.
    pub(super) fn hurry(&self) {
        let now = self.clock.now();
        for parcel in &mut self.inside.lock().unwrap().parcels {
            parcel.at = now;
        }
    }

    /// Whether nothing waits but what is late.
    pub(super) fn is_empty(&self) -> bool {
        let now = self.clock.now();
        let inside = self.inside.lock().unwrap();
        inside.parcels.iter().all(|p| p.again && p.at > now)
    }

    pub(super) fn doubled(&self) -> usize {
        self.inside.lock().unwrap().doubled
    }

    fn refuses(&self) -> bool {
        self.inside.lock().unwrap().rng.random_bool(0.04)
    }
}

/// Parcels by topic.
pub(super) fn by_topic(parcels: Vec<Parcel>) -> BTreeMap<Topic, Vec<Parcel>> {
    let mut topics: BTreeMap<Topic, Vec<Parcel>> = BTreeMap::new();
    for parcel in parcels {
        topics.entry(parcel.topic).or_default().push(parcel);
    }
    topics
}

/// A replica's way there.
pub(super) struct Wire {
    broker: Arc<Broker>,
    /// It takes what it is given next, and never says so.
    mute: AtomicBool,
    /// Told that it was.
    lost: Notify,
}

impl Wire {
    pub(super) fn new(broker: Arc<Broker>) -> Self {
        Self {
            broker,
            mute: AtomicBool::new(false),
            lost: Notify::new(),
        }
    }

    pub(super) fn be_mute(&self, mute: bool) {
        self.mute.store(mute, Ordering::SeqCst);
    }

    /// Waits until it took something and did not say so.
    pub(super) async fn lost(&self) {
        self.lost.notified().await;
    }
}

#[async_trait]
impl Transport for Wire {
    fn keeps_order(&self) -> bool {
        false
    }

    async fn publish(&self, topic: Topic, rows: &[OutboxRow]) -> Vec<Published> {
        if self.broker.refuses() {
            return vec![Published::Passing("busy".into()); rows.len()];
        }
        self.broker.keep(topic, rows);
        if self.mute.swap(false, Ordering::SeqCst) {
            self.lost.notify_one();
            return pending().await;
        }
        vec![Published::Taken; rows.len()]
    }
}
