//! Rate limits: how often an address or an account may try.

use std::{
    hash::{BuildHasher, Hash, RandomState},
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    str::FromStr,
    sync::Arc,
    time::Duration,
};

use governor::{
    Quota, RateLimiter, clock::Clock as _, middleware::NoOpMiddleware,
    state::keyed::DashMapStateStore,
};
use tidings_domain::error::{Code, Fault};

use crate::{clock::Clock, error::Result};

/// Keys fall into so many slots, each with a limit of its own: so the memory of a limit is bounded
/// by its shape, and nobody can flush it with made-up keys. Which keys share one is secret.
const SLOTS: u64 = 65_536;

/// So many at once, and then so many in a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub count: NonZeroU32,
    /// In which time.
    pub per: Duration,
}

impl FromStr for Rate {
    type Err = &'static str;

    /// Reads `<count>/<period>`, such as `10/5m`, with s, m or h.
    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        const FORM: &str = "must be <count>/<period>, such as 10/5m, or off";
        let (count, period) = text.split_once('/').ok_or(FORM)?;
        let unit = match period.as_bytes().last() {
            Some(b's') => 1,
            Some(b'm') => 60,
            Some(b'h') => 3600,
            _ => return Err(FORM),
        };
        let number = match &period[..period.len() - 1] {
            "" => 1,
            digits => digits.parse::<u32>().map_err(|_| FORM)?,
        };
        let per = Duration::from_secs(u64::from(number) * unit);
        if per.is_zero() || per > Duration::from_secs(24 * 3600) {
            return Err("must have a period of at most 24h");
        }
        let count = count.parse().map_err(|_| FORM)?;
        Ok(Self { count, per })
    }
}

type Limiter = RateLimiter<u64, DashMapStateStore<u64>, Ticks, NoOpMiddleware<Duration>>;

/// A limit, or none.
pub struct Limit(Option<Slots>);

struct Slots {
    limiter: Limiter,
    ticks: Ticks,
    hasher: RandomState,
}

impl Limit {
    /// A limit of that rate for each key.
    pub fn new(rate: Option<Rate>, clock: Arc<dyn Clock>) -> Self {
        Self(rate.and_then(|rate| {
            let quota = Quota::with_period(rate.per / rate.count.get())?.allow_burst(rate.count);
            let ticks = Ticks(clock);
            Some(Slots {
                limiter: RateLimiter::new(quota, DashMapStateStore::default(), ticks.clone()),
                ticks,
                hasher: RandomState::new(),
            })
        }))
    }

    /// Counts a try.
    ///
    /// # Errors
    /// `rate_limited`, with the seconds to wait, where it is one too many.
    pub fn check(&self, key: impl Hash) -> Result<()> {
        let Some(slots) = &self.0 else {
            return Ok(());
        };
        let slot = slots.hasher.hash_one(key) % SLOTS;
        slots.limiter.check_key(&slot).map_err(|early| {
            let wait = early.wait_time_from(slots.ticks.now());
            let seconds = wait.as_millis().div_ceil(1000).max(1);
            let mut fault = Fault::from(Code::RateLimited);
            fault.retry_after = Some(seconds.try_into().unwrap_or(u32::MAX));
            fault.into()
        })
    }
}

/// What an address counts as: a household's whole network, in IPv6.
pub fn network(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.into(),
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64).into(),
    }
}

/// The injected clock, for the limiter.
#[derive(Clone)]
struct Ticks(Arc<dyn Clock>);

impl governor::clock::Clock for Ticks {
    type Instant = Duration;

    fn now(&self) -> Duration {
        Duration::from_millis(self.0.now().0.try_into().unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::*;
    use crate::{clock::Hand, error::Error};

    #[test]
    fn rates_are_read() {
        let rate = |count, secs| Rate {
            count: NonZeroU32::new(count).unwrap(),
            per: Duration::from_secs(secs),
        };
        assert_eq!("10/5m".parse(), Ok(rate(10, 300)));
        assert_eq!("1/s".parse(), Ok(rate(1, 1)));
        assert_eq!("60/2h".parse(), Ok(rate(60, 7200)));
        for bad in [
            "", "10", "10/", "0/m", "-1/m", "10/0m", "10/5", "10/25h", "x/m", "1/m/m",
        ] {
            assert!(bad.parse::<Rate>().is_err(), "{bad}");
        }
    }

    #[test]
    fn each_key_has_its_own_tries_and_gets_them_back() {
        let hand = Arc::new(Hand::default());
        let limit = Limit::new(Some("2/1m".parse().unwrap()), hand.clone());
        assert!(limit.check("a").is_ok() && limit.check("a").is_ok());
        let Err(Error::Refused(fault)) = limit.check("a") else {
            panic!("a third try");
        };
        assert_eq!(
            (fault.code, fault.retry_after),
            (Code::RateLimited, Some(30))
        );
        assert!(limit.check("b").is_ok());
        hand.0.store(30_000, Ordering::Relaxed);
        assert!(limit.check("a").is_ok() && limit.check("a").is_err());
        let off = Limit::new(None, hand);
        assert!((0..1000).all(|_| off.check("a").is_ok()));
    }

    #[test]
    fn a_network_is_one_address() {
        let ip = |text: &str| network(text.parse().unwrap());
        assert_eq!(ip("2001:db8:1:2:3::4"), ip("2001:db8:1:2::"));
        assert_ne!(ip("2001:db8:1:2::"), ip("2001:db8:1:3::"));
        assert_eq!(ip("::ffff:192.0.2.1"), ip("192.0.2.1"));
        assert_ne!(ip("192.0.2.1"), ip("192.0.2.2"));
    }
}
