//! Instants, times of day and zones.
//!
//! Walking local time needs a zone database, which is too heavy for the browser's build. So zones
//! come in as [`Zones`]: chrono-tz on the server, the browser's `Intl` in a page.

use std::{fmt, marker::PhantomData, str::FromStr};

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
        f.write_str(&write_instant(*self))
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
        read_instant(text.as_bytes())
            .map(Self)
            .filter(|at| (Self::MIN..=Self::MAX).contains(at))
            .ok_or(BadTime)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&write_instant(*self))
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Written(PhantomData))
    }
}

/// Reads what is written as a text, from where the text lies.
struct Written<T>(PhantomData<T>);

impl<T: FromStr<Err = BadTime>> de::Visitor<'_> for Written<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a date or time")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
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

    /// What a clock shows, without its seconds.
    pub fn of(at: NaiveDateTime) -> Self {
        let minutes = at.num_seconds_from_midnight() / 60;
        Self(u16::try_from(minutes).unwrap_or_default())
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
        let mut text = String::new();
        pad(&mut text, "", u32::from(self.0 / 60), 2);
        pad(&mut text, ":", u32::from(self.0 % 60), 2);
        f.write_str(&text)
    }
}

impl FromStr for TimeOfDay {
    type Err = BadTime;

    fn from_str(text: &str) -> Result<Self, BadTime> {
        let seconds = clock(text.as_bytes()).ok_or(BadTime)?;
        u16::try_from(seconds / 60).map(Self).map_err(|_| BadTime)
    }
}

impl Serialize for TimeOfDay {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TimeOfDay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Written(PhantomData))
    }
}

/// Reads `YYYY-MM-DD`, and nothing looser. Years 1 to 9999.
///
/// # Errors
/// [`BadTime`] where the text has another form or names no day.
pub fn parse_date(text: &str) -> Result<NaiveDate, BadTime> {
    read_date(text.as_bytes())
        .filter(|date| date.year() > 0)
        .ok_or(BadTime)
}

/// Writes an instant in UTC, with milliseconds.
fn write_instant(at: Timestamp) -> String {
    let at = at.utc();
    let mut text = write_date(at.date());
    pad(&mut text, "T", at.hour(), 2);
    pad(&mut text, ":", at.minute(), 2);
    pad(&mut text, ":", at.second(), 2);
    pad(&mut text, ".", at.and_utc().timestamp_subsec_millis(), 3);
    text.push('Z');
    text
}

/// Writes a date as [`parse_date`] reads it.
pub fn write_date(date: NaiveDate) -> String {
    // Room for a time as well.
    let mut text = String::with_capacity(24);
    pad(&mut text, "", date.year().unsigned_abs(), 4);
    pad(&mut text, "-", date.month(), 2);
    pad(&mut text, "-", date.day(), 2);
    text
}

/// Appends a mark and a number of at least `width` digits. Chrono's own reading and writing knows
/// far more forms, and is too heavy for the browser's build.
fn pad(text: &mut String, mark: &str, number: u32, width: usize) {
    let mut digits = ['0'; 10];
    let (mut at, mut rest) = (digits.len(), number);
    while rest > 0 || at + width > digits.len() {
        at -= 1;
        digits[at] = char::from(b'0' + (rest % 10) as u8);
        rest /= 10;
    }
    text.push_str(mark);
    text.extend(&digits[at..]);
}

/// The number that digits write; none where something else is among them.
fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |number, digit| {
        let digit = digit.is_ascii_digit().then(|| u32::from(digit - b'0'))?;
        Some(number * 10 + digit)
    })
}

fn read_date(text: &[u8]) -> Option<NaiveDate> {
    match text {
        [year @ .., b'-', _, _, b'-', _, _] if year.len() == 4 => {
            let year = i32::try_from(number(year)?).ok()?;
            NaiveDate::from_ymd_opt(year, number(&text[5..7])?, number(&text[8..])?)
        }
        _ => None,
    }
}

/// Reads RFC 3339, as milliseconds since 1970. A space may stand for the T and a true minus for the
/// hyphen; digits past the milliseconds are dropped.
fn read_instant(text: &[u8]) -> Option<i64> {
    let (date, text) = text.split_at_checked(10)?;
    let (time, text) = text.split_at_checked(9)?;
    let [b'T' | b't' | b' ', _, _, b':', _, _, b':', _, _] = time else {
        return None;
    };
    // Second 60 is a leap second.
    let seconds = clock(&time[1..6])? + number(&time[7..]).filter(|second| *second <= 60)?;
    let (fraction, zone) = match text {
        [b'.', rest @ ..] => {
            let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
            rest.split_at_checked(digits).filter(|_| digits > 0)?
        }
        _ => text.split_at(0),
    };
    let fraction = fraction.iter().chain(b"000").take(3);
    let millis = fraction.fold(0, |millis, digit| millis * 10 + i64::from(digit - b'0'));
    let ahead = match zone {
        b"Z" | b"z" => 0,
        [b'+', zone @ ..] => i64::from(clock(zone)?),
        [b'-', zone @ ..] | [0xe2, 0x88, 0x92, zone @ ..] => -i64::from(clock(zone)?),
        _ => return None,
    };
    let day = read_date(date)?.and_time(NaiveTime::MIN);
    let since = i64::from(seconds) - ahead;
    Some(Timestamp::from_utc(day).0 + since * 1000 + millis)
}

/// Reads `HH:MM`, as seconds since midnight.
fn clock(text: &[u8]) -> Option<u32> {
    match text {
        [hour @ .., b':', _, _] if hour.len() == 2 => {
            let hour = number(hour).filter(|hour| *hour < 24)?;
            let minute = number(&text[3..]).filter(|minute| *minute < 60)?;
            Some(hour * 3600 + minute * 60)
        }
        _ => None,
    }
}

/// How a date that need not be there is written in JSON.
pub(crate) mod json_date {
    use std::borrow::Cow;

    use chrono::NaiveDate;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

    pub(crate) fn serialize<S: Serializer>(
        date: &Option<NaiveDate>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        date.map(super::write_date).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<NaiveDate>, D::Error> {
        Option::<Cow<'_, str>>::deserialize(deserializer)?
            .map(|text| super::parse_date(&text))
            .transpose()
            .map_err(de::Error::custom)
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
