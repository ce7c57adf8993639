//! Reads the text of a rule.

use chrono::{NaiveDate, NaiveTime, Weekday};

use super::{CODES, COUNT_MAX, Day, Freq, INTERVAL_MAX, RULE_MAX, Rule, Until, weekday};
use crate::order::sort_by;

/// The longest each month can be, from January.
const MONTH_DAYS: [i16; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// What a rule may say.
const PARTS: [&str; 11] = [
    "FREQ",
    "INTERVAL",
    "COUNT",
    "UNTIL",
    "WKST",
    "BYMONTH",
    "BYWEEKNO",
    "BYYEARDAY",
    "BYMONTHDAY",
    "BYSETPOS",
    "BYDAY",
];

impl Rule {
    /// Every `interval` days, weeks, months or years, and nothing more.
    pub(crate) fn every(freq: Freq, interval: i16) -> Self {
        Self {
            freq,
            interval,
            months: Vec::new(),
            weeks: Vec::new(),
            year_days: Vec::new(),
            month_days: Vec::new(),
            days: Vec::new(),
            positions: Vec::new(),
            week_start: Weekday::Mon,
            count: None,
            until: None,
        }
    }

    /// Reads a rule, with or without `RRULE:` before it, or one of the words daily, weekly, monthly
    /// and yearly, without regard to case.
    ///
    /// # Errors
    /// Words that say what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > RULE_MAX {
            return Err(format!("A rule has at most {RULE_MAX} characters."));
        }
        let text = text.trim().to_ascii_uppercase();
        let text = text.strip_prefix("RRULE:").unwrap_or(&text);
        if let Some(freq) = freq(text) {
            return Ok(Self::every(freq, 1));
        }
        let text = text.strip_suffix(';').unwrap_or(text);
        let mut parts = Vec::new();
        for part in text.split(';') {
            let (name, value) = part.split_once('=').ok_or(
                "A rule is written such as FREQ=WEEKLY;BYDAY=MO,TH, or daily, weekly, monthly, yearly.",
            )?;
            if parts.iter().any(|(known, _)| *known == name) {
                return Err(format!("A rule has {name} once."));
            }
            parts.push((name, value));
        }
        let freq = parts
            .iter()
            .find(|(name, _)| *name == "FREQ")
            .and_then(|(_, value)| freq(value))
            .ok_or("A rule needs FREQ=DAILY, WEEKLY, MONTHLY or YEARLY.")?;
        let mut rule = Self::every(freq, 1);
        for (name, value) in parts {
            rule.take(name, value)?;
        }
        rule.check()?;
        Ok(rule)
    }

    fn take(&mut self, name: &str, value: &str) -> Result<(), String> {
        let fault = match name {
            "BYHOUR" | "BYMINUTE" | "BYSECOND" => {
                [name, " is not for tasks: set the time they are due."].concat()
            }
            _ if !PARTS.contains(&name) => ["A rule has no ", name, "."].concat(),
            _ if self.set(name, value).is_some() => return Ok(()),
            _ => [name, " cannot be ", value, "."].concat(),
        };
        Err(fault)
    }

    /// Takes in one of [`PARTS`]; none where it cannot be so.
    fn set(&mut self, name: &str, value: &str) -> Option<()> {
        match name {
            "INTERVAL" => self.interval = number(value, 1, INTERVAL_MAX)?,
            "COUNT" => self.count = Some(number(value, 1, COUNT_MAX)?),
            "UNTIL" => self.until = Some(until(value)?),
            "WKST" => self.week_start = day(value).filter(|d| d.ordinal.is_none())?.weekday,
            "BYMONTH" => self.months = list(value, 1, 12)?,
            "BYWEEKNO" => self.weeks = list(value, -53, 53)?,
            "BYYEARDAY" => self.year_days = list(value, -366, 366)?,
            "BYMONTHDAY" => self.month_days = list(value, -31, 31)?,
            "BYSETPOS" => self.positions = list(value, -366, 366)?,
            "BYDAY" => {
                self.days = value.split(',').map(day).collect::<Option<_>>()?;
                tidy_days(&mut self.days);
            }
            _ => {}
        }
        Some(())
    }

    /// What RFC 5545 says of parts together.
    fn check(&self) -> Result<(), String> {
        let yearly = self.freq == Freq::Yearly;
        let monthly = self.freq == Freq::Monthly;
        let ordinals = || self.days.iter().filter_map(|d| d.ordinal);
        let few = |o: i16| o.abs() <= if monthly { 5 } else { 53 };
        let fault = if self.count.is_some() && self.until.is_some() {
            "A rule has COUNT or UNTIL, not both."
        } else if ordinals().next().is_some() && !(monthly || (yearly && self.weeks.is_empty())) {
            "BYDAY has numbers only in months and years."
        } else if !ordinals().all(few) {
            "No month has that many of a weekday."
        } else if self.freq == Freq::Weekly && !self.month_days.is_empty() {
            "BYMONTHDAY is not for weeks."
        } else if !(yearly || self.weeks.is_empty() && self.year_days.is_empty()) {
            "BYWEEKNO and BYYEARDAY are for years."
        } else if !self.positions.is_empty() && !self.has_days() {
            "BYSETPOS needs days to choose from."
        } else if !self.months.is_empty() && !self.month_days.is_empty() && !self.any_month_day() {
            "None of those months has such a day."
        } else {
            return Ok(());
        };
        Err(fault.to_owned())
    }

    fn has_days(&self) -> bool {
        !(self.months.is_empty()
            && self.weeks.is_empty()
            && self.year_days.is_empty()
            && self.month_days.is_empty()
            && self.days.is_empty())
    }

    fn any_month_day(&self) -> bool {
        let longest = |month: &i16| {
            let at = usize::try_from(month - 1).unwrap_or_default();
            MONTH_DAYS.get(at).copied().unwrap_or_default()
        };
        let most = self.months.iter().map(longest).max().unwrap_or_default();
        self.month_days.iter().any(|day| day.abs() <= most)
    }
}

fn freq(word: &str) -> Option<Freq> {
    let found = Freq::ALL.into_iter().find(|(_, name)| *name == word);
    found.map(|(freq, _)| freq)
}

/// A whole number within bounds; a plus sign may lead it.
fn number(text: &str, min: i16, max: i16) -> Option<i16> {
    let number = text.parse().ok()?;
    (min..=max).contains(&number).then_some(number)
}

/// Numbers within bounds and never 0, tidied.
fn list(text: &str, min: i16, max: i16) -> Option<Vec<i16>> {
    let numbers: Option<Vec<i16>> = text
        .split(',')
        .map(|item| number(item, min, max).filter(|n| *n != 0))
        .collect();
    let mut numbers = numbers?;
    tidy(&mut numbers);
    Some(numbers)
}

/// Sorts numbers, those counted from the end last, and drops doubles.
pub(crate) fn tidy(numbers: &mut Vec<i16>) {
    sort_by(numbers, |a, b| (*a < 0, a).cmp(&(*b < 0, b)));
    numbers.dedup();
}

fn day(text: &str) -> Option<Day> {
    let (ordinal, code) = text.split_at_checked(text.len().checked_sub(2)?)?;
    let ordinal = match ordinal {
        "" => None,
        number_text => Some(number(number_text, -53, 53).filter(|n| *n != 0)?),
    };
    let weekday = weekday(CODES.iter().position(|c| *c == code)?)?;
    Some(Day { ordinal, weekday })
}

/// Sorts days, those counted from the end last, and drops doubles.
pub(crate) fn tidy_days(days: &mut Vec<Day>) {
    let place = |d: &Day| {
        let ordinal = d.ordinal.unwrap_or_default();
        (ordinal < 0, ordinal, d.weekday.num_days_from_monday())
    };
    sort_by(days, |a, b| place(a).cmp(&place(b)));
    days.dedup();
}

/// `YYYYMMDD`, `YYYYMMDDTHHMMSS` or the latter with `Z`.
fn until(text: &str) -> Option<Until> {
    let (text, utc) = match text.strip_suffix('Z') {
        Some(text) => (text, true),
        None => (text, false),
    };
    let (date, time) = match text.split_once('T') {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let digits = |text: &str, length: usize| -> Option<u32> {
        let plain = text.len() == length && text.bytes().all(|b| b.is_ascii_digit());
        plain.then(|| text.parse().ok()).flatten()
    };
    let number = digits(date, 8)?;
    let year = i32::try_from(number / 10_000).ok()?;
    let date = NaiveDate::from_ymd_opt(year, number / 100 % 100, number % 100)?;
    let time = match time {
        Some(time) => {
            let number = digits(time, 6)?;
            let (hour, minute, second) = (number / 10_000, number / 100 % 100, number % 100);
            Some(NaiveTime::from_hms_opt(hour, minute, second)?)
        }
        None if utc => return None,
        None => None,
    };
    (year > 0).then_some(Until { date, time, utc })
}
