//! Dates of 2027 and after, by hand: how clocks go in Berlin, and on which days series fall.

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, Weekday};
use tidings_domain::{
    task::{RecurFrom, Recurrence},
    time::Timestamp,
};

pub(super) const HOUR_MS: i64 = 3_600_000;
pub(super) const DAY_MS: i64 = 24 * HOUR_MS;
pub(super) fn date(month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2027, month, day).unwrap()
}

pub(super) fn time(hour: u32, minute: u32) -> NaiveTime {
    NaiveTime::from_hms_opt(hour, minute, 0).unwrap()
}

/// The last Sunday of a month that has 31 days.
fn last_sunday(year: i32, month: u32) -> NaiveDate {
    let last = NaiveDate::from_ymd_opt(year, month, 31).unwrap();
    last - Days::new(last.weekday().num_days_from_sunday().into())
}

/// How many hours clocks in Berlin are ahead, by a clock that shows `hour` when they change.
fn ahead(shown: NaiveDateTime, hour: u32) -> i64 {
    let change = |month| last_sunday(shown.year(), month).and_time(time(hour, 0));
    if (change(3)..change(10)).contains(&shown) {
        2
    } else {
        1
    }
}

/// The instant at which clocks in Berlin show this: what they skip is an hour later, and of what comes
/// twice it is the first.
pub(super) fn instant(shown: NaiveDateTime) -> Timestamp {
    Timestamp(shown.and_utc().timestamp_millis() - ahead(shown, 3) * HOUR_MS)
}

/// What clocks in Berlin show.
pub(super) fn shown(at: Timestamp) -> NaiveDateTime {
    at.plus_ms(ahead(at.utc(), 1) * HOUR_MS).utc()
}

/// How a task repeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    Daily,
    MondaysAndThursdays,
    /// Monthly, from a 31st.
    EndOfMonth,
    /// On the 31st of the months that have one.
    ThirtyFirst,
    /// Ten days after it was done.
    TenDaysLater,
    EightTuesdays,
    /// Every second one until the end of June.
    Saturdays,
}

impl Rule {
    pub(super) fn written(self) -> Recurrence {
        let (rule, from) = match self {
            Self::Daily => ("FREQ=DAILY", RecurFrom::Due),
            Self::MondaysAndThursdays => ("FREQ=WEEKLY;BYDAY=MO,TH", RecurFrom::Due),
            Self::EndOfMonth => ("FREQ=MONTHLY", RecurFrom::Due),
            Self::ThirtyFirst => ("FREQ=MONTHLY;BYMONTHDAY=31", RecurFrom::Due),
            Self::TenDaysLater => ("FREQ=DAILY;INTERVAL=10", RecurFrom::Completion),
            Self::EightTuesdays => ("FREQ=WEEKLY;COUNT=8", RecurFrom::Due),
            Self::Saturdays => (
                "FREQ=WEEKLY;INTERVAL=2;BYDAY=SA;UNTIL=20270630",
                RecurFrom::Due,
            ),
        };
        Recurrence {
            rule: rule.into(),
            from,
        }
    }

    /// The first date of the series.
    pub(super) fn first(self) -> NaiveDate {
        match self {
            Self::Daily => date(1, 2),
            Self::MondaysAndThursdays => date(1, 4),
            Self::EndOfMonth | Self::ThirtyFirst => date(1, 31),
            Self::TenDaysLater => date(1, 5),
            Self::EightTuesdays => date(2, 2),
            Self::Saturdays => date(1, 9),
        }
    }

    /// Whether the series has this date.
    fn has(self, day: NaiveDate) -> bool {
        let since = (day - self.first()).num_days();
        match self {
            Self::Daily => true,
            Self::MondaysAndThursdays => [Weekday::Mon, Weekday::Thu].contains(&day.weekday()),
            Self::EndOfMonth => (day + Days::new(1)).day() == 1,
            Self::ThirtyFirst => day.day() == 31,
            Self::TenDaysLater => false,
            Self::EightTuesdays => since % 7 == 0 && since < 8 * 7,
            Self::Saturdays => since % 14 == 0 && day <= date(6, 30),
        }
    }

    /// The series' next date after one.
    pub(super) fn after(self, day: NaiveDate) -> Option<NaiveDate> {
        if self == Self::TenDaysLater {
            return Some(day + Days::new(10));
        }
        day.iter_days().skip(1).take(100).find(|day| self.has(*day))
    }
}
