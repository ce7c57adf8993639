//! Instants, times of day and zones.
//!
//! Walking local time needs a zone database, which is too heavy for the browser's build. So zones
//! come in as [`Zones`]: chrono-tz on the server, the browser's `Intl` in a page.

use std::{fmt, str::FromStr};

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, Timelike};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// An instant in UTC, in whole milliseconds since 1970. Written as RFC 3339 with milliseconds and
/// `Z`; any offset is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The last instant of the year 9999: the latest that is accepted.
    pub const MAX: Self = Self(253_402_300_799_999);
    /// The first instant of the year 1.
    pub const MIN: Self = Self(-62_135_596_800_000);

    /// The date and time of day in UTC.
    pub fn utc(self) -> NaiveDateTime {
        DateTime::from_timestamp_millis(self.0)
            .unwrap_or_default()
            .naive_utc()
    }

    /// The instant `ms` milliseconds later.
    pub fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    fn from_utc(at: NaiveDateTime) -> Self {
        Self(at.and_utc().timestamp_millis())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.utc();
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
            at.year(),
            at.month(),
            at.day(),
            at.hour(),
            at.minute(),
            at.second(),
            self.0.rem_euclid(1000)
        )
    }
}

/// The text is not a date, time or instant in the form that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadTime;

impl fmt::Display for BadTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a valid date or time")
    }
}

impl FromStr for Timestamp {
    type Err = BadTime;

    fn from_str(text: &str) -> Result<Self, BadTime> {
        let at = DateTime::parse_from_rfc3339(text).map_err(|_| BadTime)?;
        let at = Self(at.timestamp_millis());
        if at < Self::MIN || at > Self::MAX {
            Err(BadTime)
        } else {
            Ok(at)
        }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// A time of day in whole minutes, written `HH:MM`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeOfDay(u16);

impl TimeOfDay {
    /// Midnight.
    pub const MIDNIGHT: Self = Self(0);

    /// The time `hour:minute`, if there is one.
    pub fn new(hour: u16, minute: u16) -> Option<Self> {
        (hour < 24 && minute < 60).then(|| Self(hour * 60 + minute))
    }

    /// Minutes since midnight, under 1440.
    pub fn minutes(self) -> u16 {
        self.0
    }

    fn naive(self) -> NaiveTime {
        NaiveTime::from_num_seconds_from_midnight_opt(u32::from(self.0) * 60, 0).unwrap_or_default()
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl FromStr for TimeOfDay {
    type Err = BadTime;

    fn from_str(text: &str) -> Result<Self, BadTime> {
        match text.as_bytes() {
            [a, b, b':', c, d] if [a, b, c, d].iter().all(|x| x.is_ascii_digit()) => {
                let two = |x: &u8, y: &u8| u16::from(x - b'0') * 10 + u16::from(y - b'0');
                Self::new(two(a, b), two(c, d)).ok_or(BadTime)
            }
            _ => Err(BadTime),
        }
    }
}

impl Serialize for TimeOfDay {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TimeOfDay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// Reads `YYYY-MM-DD`, and nothing looser. Years 1 to 9999.
///
/// # Errors
/// [`BadTime`] where the text has another form or names no day.
pub fn parse_date(text: &str) -> Result<NaiveDate, BadTime> {
    if text.len() != 10
        || !text.is_ascii()
        || !text.bytes().all(|b| b.is_ascii_digit() || b == b'-')
    {
        return Err(BadTime);
    }
    let date: NaiveDate = text.parse().map_err(|_| BadTime)?;
    if (1..=9999).contains(&date.year()) {
        Ok(date)
    } else {
        Err(BadTime)
    }
}

/// A zone database.
pub trait Zones: Sync {
    /// What local clocks in `zone` (an IANA name) are ahead of UTC at `at`, in seconds. `None` for
    /// a zone that is not known.
    fn offset(&self, zone: &str, at: Timestamp) -> Option<i32>;
}

/// The date and time of day that clocks in `zone` show at `at`; UTC where the zone is unknown.
pub fn local(zones: &dyn Zones, zone: &str, at: Timestamp) -> NaiveDateTime {
    let offset = zones.offset(zone, at).unwrap_or(0);
    at.plus_ms(i64::from(offset) * 1000).utc()
}

/// The instant at which clocks in `zone` show `date` and `time`. In a gap the local time moves
/// forward by the gap; in an overlap it is the first of the two.
pub fn instant(zones: &dyn Zones, zone: &str, date: NaiveDate, time: TimeOfDay) -> Timestamp {
    const DAY: i64 = 86_400_000;
    let wall = Timestamp::from_utc(date.and_time(time.naive()));
    let offset = |at: Timestamp| i64::from(zones.offset(zone, at).unwrap_or(0)) * 1000;
    // Offsets a day either side are the ones before and after a change near this local time. With
    // the one before, an overlap yields its first instant and a gap moves forward.
    let before = offset(wall.plus_ms(-DAY));
    let after = offset(wall.plus_ms(DAY));
    let first = wall.plus_ms(-before);
    let second = wall.plus_ms(-after);
    if offset(first) == before {
        first
    } else if offset(second) == after {
        second
    } else {
        first
    }
}

/// The zone database of chrono-tz.
#[cfg(feature = "server")]
#[derive(Clone, Copy, Debug, Default)]
pub struct TzDatabase;

#[cfg(feature = "server")]
impl Zones for TzDatabase {
    fn offset(&self, zone: &str, at: Timestamp) -> Option<i32> {
        use chrono::{Offset, TimeZone};
        let zone: chrono_tz::Tz = zone.parse().ok()?;
        Some(
            zone.offset_from_utc_datetime(&at.utc())
                .fix()
                .local_minus_utc(),
        )
    }
}
