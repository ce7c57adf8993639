//! Time and ids, injected wherever they are needed so that tests are exact.

use std::sync::Arc;

use tidings_domain::{id::Ids, time::Timestamp};
use uuid::Uuid;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Now, in whole milliseconds.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp(chrono::Utc::now().timestamp_millis())
    }
}

/// Random version 7 UUIDs.
#[derive(Clone, Copy, Debug, Default)]
pub struct RandomIds;

impl Ids for RandomIds {
    fn next(&self) -> Uuid {
        Uuid::now_v7()
    }
}

/// The clock and the ids that one server runs on.
#[derive(Clone)]
pub struct Ambient {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Ids.
    pub ids: Arc<dyn Ids>,
}

impl Default for Ambient {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            ids: Arc::new(RandomIds),
        }
    }
}

/// A clock of tests that is moved by hand: milliseconds after some moment.
#[cfg(test)]
#[derive(Default)]
pub(crate) struct Hand(pub(crate) std::sync::atomic::AtomicI64);

#[cfg(test)]
impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp(1_800_000_000_000 + self.0.load(std::sync::atomic::Ordering::Relaxed))
    }
}
