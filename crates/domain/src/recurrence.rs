//! Recurrence rules: RFC 5545 RRULEs, read, checked and put into words.
//!
//! Tidings repeats by the day, so rules are DAILY to YEARLY without BYHOUR, BYMINUTE and BYSECOND.

use std::fmt::{self, Write};

use chrono::{Datelike, NaiveDate, NaiveTime, Timelike, Weekday};

mod first;
mod read;
#[cfg(feature = "server")]
mod walk;
mod words;

pub(crate) use read::{tidy, tidy_days};
pub use words::{month_name, weekday_name, words};

/// The longest text of a rule, in bytes.
pub const RULE_MAX: usize = 500;
/// The greatest INTERVAL.
pub const INTERVAL_MAX: i16 = 9_999;
/// The greatest COUNT.
pub const COUNT_MAX: i16 = 9_999;

/// How often a rule comes round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freq {
    /// Every so many days.
    Daily,
    /// Every so many weeks.
    Weekly,
    /// Every so many months.
    Monthly,
    /// Every so many years.
    Yearly,
}

impl Freq {
    const ALL: [(Self, &'static str); 4] = [
        (Self::Daily, "DAILY"),
        (Self::Weekly, "WEEKLY"),
        (Self::Monthly, "MONTHLY"),
        (Self::Yearly, "YEARLY"),
    ];

    fn as_str(self) -> &'static str {
        Self::ALL
            .into_iter()
            .find(|(f, _)| *f == self)
            .map_or("", |(_, name)| name)
    }
}

/// A weekday in BYDAY: every one of the period, or with an ordinal only the nth, from the end where
/// negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day {
    /// Which of the period's; `None` is every one.
    pub ordinal: Option<i16>,
    /// The weekday.
    pub weekday: Weekday,
}

/// The last day, and perhaps time, that a rule may reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Until {
    /// The day, in UTC if `utc`, else local.
    pub date: NaiveDate,
    /// The time on it, where it was given.
    pub time: Option<NaiveTime>,
    /// Whether the time is in UTC.
    pub utc: bool,
}

/// A rule. Lists are sorted, from the front before from the end, and without doubles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// FREQ.
    pub freq: Freq,
    /// INTERVAL, 1 to [`INTERVAL_MAX`].
    pub interval: i16,
    /// BYMONTH, 1 to 12.
    pub months: Vec<i16>,
    /// BYWEEKNO, ±1 to ±53.
    pub weeks: Vec<i16>,
    /// BYYEARDAY, ±1 to ±366.
    pub year_days: Vec<i16>,
    /// BYMONTHDAY, ±1 to ±31.
    pub month_days: Vec<i16>,
    /// BYDAY.
    pub days: Vec<Day>,
    /// BYSETPOS, ±1 to ±366.
    pub positions: Vec<i16>,
    /// WKST.
    pub week_start: Weekday,
    /// COUNT, 1 to [`COUNT_MAX`].
    pub count: Option<i16>,
    /// UNTIL.
    pub until: Option<Until>,
}

/// The two letters of each weekday, from Monday.
const CODES: [&str; 7] = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];

fn code(weekday: Weekday) -> &'static str {
    CODES
        .get(weekday.num_days_from_monday() as usize)
        .copied()
        .unwrap_or_default()
}

/// The weekday that lies `days` after Monday.
pub(crate) fn weekday(days: usize) -> Option<Weekday> {
    Weekday::try_from(u8::try_from(days).ok()?).ok()
}

/// The canonical text of a rule, or of one of the words daily, weekly, monthly and yearly: without
/// `RRULE:`, in capitals, parts in one order, defaults left out.
///
/// # Errors
/// Words that say what is wrong.
pub fn canonical(rule: &str) -> Result<String, String> {
    Rule::parse(rule).map(|rule| rule.to_string())
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FREQ={}", self.freq.as_str())?;
        if self.interval != 1 {
            write!(f, ";INTERVAL={}", self.interval)?;
        }
        numbers(f, "BYMONTH", &self.months)?;
        numbers(f, "BYWEEKNO", &self.weeks)?;
        numbers(f, "BYYEARDAY", &self.year_days)?;
        numbers(f, "BYMONTHDAY", &self.month_days)?;
        for (at, day) in self.days.iter().enumerate() {
            f.write_str(if at == 0 { ";BYDAY=" } else { "," })?;
            if let Some(ordinal) = day.ordinal {
                write!(f, "{ordinal}")?;
            }
            f.write_str(code(day.weekday))?;
        }
        numbers(f, "BYSETPOS", &self.positions)?;
        if self.week_start != Weekday::Mon {
            write!(f, ";WKST={}", code(self.week_start))?;
        }
        if let Some(count) = self.count {
            write!(f, ";COUNT={count}")?;
        }
        if let Some(until) = self.until {
            let date = until.date;
            let (year, month, day) = (date.year(), date.month(), date.day());
            write!(f, ";UNTIL={year:04}{month:02}{day:02}")?;
            if let Some(time) = until.time {
                let (hour, minute, second) = (time.hour(), time.minute(), time.second());
                write!(f, "T{hour:02}{minute:02}{second:02}")?;
            }
            if until.utc {
                f.write_char('Z')?;
            }
        }
        Ok(())
    }
}

fn numbers(f: &mut fmt::Formatter<'_>, name: &str, list: &[i16]) -> fmt::Result {
    for (at, number) in list.iter().enumerate() {
        if at == 0 {
            write!(f, ";{name}={number}")?;
        } else {
            write!(f, ",{number}")?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::canonical;

    #[test]
    fn words_stand_for_rules() {
        for (word, rule) in [
            ("daily", "FREQ=DAILY"),
            ("Weekly", "FREQ=WEEKLY"),
            (" monthly ", "FREQ=MONTHLY"),
            ("YEARLY", "FREQ=YEARLY"),
        ] {
            assert_eq!(canonical(word).as_deref(), Ok(rule));
        }
    }

    #[test]
    fn one_form_for_each_rule() {
        for (text, rule) in [
            ("RRULE:FREQ=DAILY", "FREQ=DAILY"),
            ("rrule:freq=daily;interval=01", "FREQ=DAILY"),
            ("BYDAY=WE,MO,WE;FREQ=WEEKLY", "FREQ=WEEKLY;BYDAY=MO,WE"),
            (
                "FREQ=WEEKLY;WKST=SU;COUNT=10;BYDAY=TU,SU;INTERVAL=2",
                "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=SU;COUNT=10",
            ),
            ("FREQ=WEEKLY;WKST=MO;", "FREQ=WEEKLY"),
            (
                "FREQ=MONTHLY;BYDAY=-1FR,+1MO",
                "FREQ=MONTHLY;BYDAY=1MO,-1FR",
            ),
            (
                "FREQ=MONTHLY;BYMONTHDAY=-1,15,1",
                "FREQ=MONTHLY;BYMONTHDAY=1,15,-1",
            ),
            (
                "FREQ=MONTHLY;BYSETPOS=-1;BYDAY=MO,TU,WE,TH,FR",
                "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
            ),
            (
                "FREQ=YEARLY;BYMONTHDAY=24;BYMONTH=12;UNTIL=20301224",
                "FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=24;UNTIL=20301224",
            ),
            (
                "FREQ=DAILY;UNTIL=20301224T235959Z",
                "FREQ=DAILY;UNTIL=20301224T235959Z",
            ),
            (
                "FREQ=DAILY;UNTIL=20301224T180000",
                "FREQ=DAILY;UNTIL=20301224T180000",
            ),
            (
                "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO",
                "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO",
            ),
            ("FREQ=YEARLY;BYYEARDAY=100", "FREQ=YEARLY;BYYEARDAY=100"),
        ] {
            assert_eq!(canonical(text).as_deref(), Ok(rule), "{text}");
            assert_eq!(canonical(rule).as_deref(), Ok(rule), "twice: {text}");
        }
    }

    #[test]
    fn what_is_no_rule_is_refused() {
        let long = format!("FREQ=YEARLY;BYYEARDAY={}", "1,".repeat(500));
        for text in [
            "",
            "none",
            "sometimes",
            "INTERVAL=2",
            "FREQ=HOURLY",
            "FREQ=SECONDLY",
            "FREQ=DAILY;FREQ=DAILY",
            "FREQ=DAILY;BYHOUR=9",
            "FREQ=DAILY;BYMINUTE=9",
            "FREQ=DAILY;BYSECOND=9",
            "FREQ=DAILY;INTERVAL=0",
            "FREQ=DAILY;INTERVAL=-1",
            "FREQ=DAILY;INTERVAL=99999999999999999999",
            "FREQ=DAILY;COUNT=0",
            "FREQ=DAILY;COUNT=2;UNTIL=20301224",
            "FREQ=DAILY;UNTIL=20301324",
            "FREQ=DAILY;UNTIL=2030-12-24",
            "FREQ=DAILY;UNTIL=20301224T250000Z",
            "FREQ=DAILY;UNTIL=20301224Z",
            "FREQ=DAILY;UNTIL=+2301224",
            "FREQ=WEEKLY;BYDAY=1MO",
            "FREQ=DAILY;BYDAY=1MO",
            "FREQ=WEEKLY;BYMONTHDAY=1",
            "FREQ=MONTHLY;BYDAY=6MO",
            "FREQ=MONTHLY;BYDAY=0MO",
            "FREQ=MONTHLY;BYDAY=XX",
            "FREQ=MONTHLY;BYDAY=",
            "FREQ=MONTHLY;BYDAY=é",
            "FREQ=MONTHLY;BYMONTHDAY=32",
            "FREQ=MONTHLY;BYMONTHDAY=0",
            "FREQ=MONTHLY;BYYEARDAY=1",
            "FREQ=MONTHLY;BYWEEKNO=1",
            "FREQ=YEARLY;BYWEEKNO=1;BYDAY=1MO",
            "FREQ=YEARLY;BYMONTH=13",
            "FREQ=YEARLY;BYMONTH=-1",
            "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
            "FREQ=MONTHLY;BYSETPOS=1",
            "FREQ=DAILY;X=1",
            "FREQ=DAILY;;COUNT=2",
            "FREQ",
            "FREQ=DAILY\nFREQ=WEEKLY",
            long.as_str(),
        ] {
            assert!(canonical(text).is_err(), "{text}");
        }
    }
}
