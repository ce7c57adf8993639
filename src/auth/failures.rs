//! Failed sign-ins: how many of them are written down.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use tidings_domain::time::Timestamp;

use super::rate::network;
use crate::clock::Clock;

/// Failures of an address that are written down in an hour.
const COUNT: usize = 10;
const HOUR_MS: i64 = 3_600_000;
/// Addresses fall into so many slots, which bounds the memory, at some 7 MB. Which of them share one
/// is secret.
const SLOTS: u64 = 65_536;

/// When the last failures of each address were written down. It is an exact window, unlike
/// [`super::rate::Limit`], which gives tries back one by one within the hour.
pub struct Failures {
    clock: Arc<dyn Clock>,
    hasher: RandomState,
    /// Oldest first.
    last: Mutex<HashMap<u64, [Timestamp; COUNT]>>,
}

impl Failures {
    /// Of no address yet.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            hasher: RandomState::new(),
            last: Mutex::default(),
        }
    }

    /// Whether one of this address, now, is to be written down: at most ten in any hour are.
    pub fn count(&self, address: IpAddr) -> bool {
        let now = self.clock.now();
        let slot = self.hasher.hash_one(network(address)) % SLOTS;
        let mut all = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let last = all.entry(slot).or_insert([Timestamp(i64::MIN); COUNT]);
        let counts = last[0].0.saturating_add(HOUR_MS) <= now.0;
        if counts {
            last.rotate_left(1);
            last[COUNT - 1] = now;
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::*;
    use crate::clock::Hand;

    #[test]
    fn no_hour_has_more_than_ten_of_an_address() {
        let hand = Arc::new(Hand::default());
        let failures = Failures::new(hand.clone());
        let [one, two]: [IpAddr; 2] = ["2001:db8::1", "192.0.2.1"].map(|ip| ip.parse().unwrap());
        // One a minute for five hours.
        let counted: Vec<i64> = (0..300)
            .filter(|minute| {
                hand.0.store(minute * 60_000, Ordering::Relaxed);
                failures.count(one)
            })
            .collect();
        let first: Vec<i64> = (0..10).collect();
        assert_eq!(counted[..10], first);
        assert_eq!(counted.len(), 50);
        assert!(counted.windows(11).all(|of| of[10] - of[0] >= 60));
        // The same household, and another address.
        assert!(!failures.count("2001:db8::2".parse().unwrap()));
        assert!(failures.count(two));
    }
}
