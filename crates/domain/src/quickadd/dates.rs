//! Dates and times of day in words.

use chrono::{Datelike, Days, Months, NaiveDate, Weekday};

use super::{
    names::{count, day_of_week, month, month_day, number, numbered},
    plain,
    tokens::Tokens,
};
use crate::time::{TimeOfDay, parse_date};

/// A day that was said.
#[derive(Clone, Copy)]
pub(super) struct Day {
    pub(super) date: NaiveDate,
    /// Whether it is this evening.
    pub(super) tonight: bool,
}

/// A date from the word `at` on, and how many words say it.
pub(super) fn date(tokens: &Tokens<'_>, at: usize, today: NaiveDate) -> Option<(usize, Day)> {
    let (skipped, on) = match tokens.word(at)? {
        "on" => (1, true),
        "by" | "due" => (1, false),
        _ => (0, false),
    };
    let start = at + skipped;
    let word = tokens.word(start)?;
    // Nobody means a day by "on today": it is more likely "put on".
    let relative = || (!on).then(|| relative(tokens, start, today)).flatten();
    let (count, date) = relative()
        .or_else(|| absolute(tokens, start, today))
        .or_else(|| named_day(tokens, start, today, skipped > 0))?;
    let tonight = word == "tonight";
    (date.year() <= 9999).then_some((skipped + count, Day { date, tonight }))
}

fn relative(tokens: &Tokens<'_>, at: usize, today: NaiveDate) -> Option<(usize, NaiveDate)> {
    match tokens.word(at)? {
        "today" | "tonight" => Some((1, today)),
        "tomorrow" => Some((1, today.succ_opt()?)),
        "in" => {
            let count = count(tokens.word(at + 1)?)?;
            let date = match tokens.word(at + 2)?.trim_end_matches('s') {
                "day" => today.checked_add_days(Days::new(count.into())),
                "week" => today.checked_add_days(Days::new(u64::from(count) * 7)),
                "month" => today.checked_add_months(Months::new(count)),
                "year" => today.checked_add_months(Months::new(count * 12)),
                _ => None,
            };
            Some((3, date?))
        }
        "next" => {
            let monday = next_monday(today)?;
            let date = match tokens.word(at + 1)? {
                "week" => monday,
                "month" => today.with_day(1)?.checked_add_months(Months::new(1))?,
                "year" => NaiveDate::from_ymd_opt(today.year().checked_add(1)?, 1, 1)?,
                name => on_or_after(monday, day_of_week(name)?)?,
            };
            Some((2, date))
        }
        "this" => {
            let day = day_of_week(tokens.word(at + 1)?)?;
            Some((2, on_or_after(today, day)?))
        }
        _ => None,
    }
}

fn next_monday(today: NaiveDate) -> Option<NaiveDate> {
    on_or_after(today.succ_opt()?, Weekday::Mon)
}

fn on_or_after(date: NaiveDate, day: Weekday) -> Option<NaiveDate> {
    let days = day.days_since(date.weekday());
    date.checked_add_days(Days::new(days.into()))
}

/// The next day of that name, after today. With a date after it the date counts: `Mon 24 Dec`.
fn named_day(
    tokens: &Tokens<'_>,
    at: usize,
    today: NaiveDate,
    sure: bool,
) -> Option<(usize, NaiveDate)> {
    let word = tokens.word(at)?;
    let day = day_of_week(word)?;
    if let Some((count, date)) = absolute(tokens, at + 1, today) {
        return Some((count + 1, date));
    }
    // Sun and sat are also other words: "buy sun cream".
    let other = ["sat", "sun", "wed"].contains(&word);
    if other && !sure && at + 1 < tokens.len() && plain(tokens.written(at + 1)) {
        return None;
    }
    Some((1, on_or_after(today.succ_opt()?, day)?))
}

/// A date by day and month, perhaps with a year.
fn absolute(tokens: &Tokens<'_>, at: usize, today: NaiveDate) -> Option<(usize, NaiveDate)> {
    let word = tokens.word(at)?;
    if let Ok(date) = parse_date(word) {
        return Some((1, date));
    }
    if let Some(date) = digits(word, tokens.has_stop(at), today) {
        return Some((1, date));
    }
    let (count, day, month) = day_and_month(tokens, at)?;
    if let Some(year) = tokens.word(at + count).and_then(whole_year) {
        return Some((count + 1, NaiveDate::from_ymd_opt(year, month, day)?));
    }
    Some((count, coming(day, month, today)?))
}

/// `24 dec`, `24th of december`, `dec 24`: words, day, month.
pub(super) fn day_and_month(tokens: &Tokens<'_>, at: usize) -> Option<(usize, u32, u32)> {
    let word = tokens.word(at)?;
    let second = tokens.word(at + 1)?;
    if let Some(month) = month(word) {
        return Some((2, month_day(second)?, month));
    }
    let day = month_day(word)?;
    if second == "of" {
        return Some((3, day, month(tokens.word(at + 2)?)?));
    }
    Some((2, day, month(second)?))
}

/// `24.12.`, `24.12.2026`, `24/12/2026`.
fn digits(word: &str, stop: bool, today: NaiveDate) -> Option<NaiveDate> {
    let (mark, stop) = if word.contains('/') {
        ('/', false)
    } else {
        ('.', stop)
    };
    let mut parts = word.split(mark);
    let small = |part: &str| number(part).filter(|n| *n <= 31);
    let day = small(parts.next()?)?;
    let month = small(parts.next()?)?;
    match (parts.next(), parts.next()) {
        (Some(year), None) => NaiveDate::from_ymd_opt(whole_year(year)?, month, day),
        (None, None) if stop => coming(day, month, today),
        _ => None,
    }
}

fn whole_year(word: &str) -> Option<i32> {
    let year = number(word).filter(|_| word.len() == 4)?;
    i32::try_from(year).ok().filter(|year| *year >= 1000)
}

/// That day from today on: this year's or a later one.
fn coming(day: u32, month: u32, today: NaiveDate) -> Option<NaiveDate> {
    let year = today.year();
    (year..=year.saturating_add(8))
        .filter_map(|year| NaiveDate::from_ymd_opt(year, month, day))
        .find(|date| *date >= today)
}

/// A time of day from the word `at` on: how many words say it, the time, and whether it could be
/// either half of the day.
pub(super) fn time(tokens: &Tokens<'_>, at: usize) -> Option<(usize, TimeOfDay, bool)> {
    let (skipped, sure) = match tokens.word(at)? {
        "at" => (1, true),
        "by" => (1, false),
        _ => (0, false),
    };
    let at = at + skipped;
    let word = tokens.word(at)?;
    if word == "noon" {
        return Some((skipped + 1, TimeOfDay::new(12, 0)?, false));
    }
    let (word, mut half) = match (word.strip_suffix("am"), word.strip_suffix("pm")) {
        (Some(word), _) => (word, Some(0)),
        (_, Some(word)) => (word, Some(12)),
        _ => (word, None),
    };
    let mut count = skipped + 1;
    if half.is_none() {
        half = match tokens.word(at + 1) {
            Some("am") => Some(0),
            Some("pm") => Some(12),
            _ => None,
        };
        count += usize::from(half.is_some());
    }
    let (hour, minute) = match word.split_once(':') {
        Some((hour, minute)) if minute.len() == 2 => (hour, number(minute)?),
        None if half.is_some() || sure => (word, 0),
        _ => return None,
    };
    let hour = number(hour).filter(|_| hour.len() <= 2)?;
    let hour = match half {
        Some(half) if (1..=12).contains(&hour) => hour % 12 + half,
        Some(_) => return None,
        None => hour,
    };
    let time = TimeOfDay::new(hour.try_into().ok()?, minute.try_into().ok()?)?;
    Some((count, time, half.is_none()))
}

/// Whether a word is a day of a month with its ending: `15th`.
pub(super) fn nth_day(word: &str) -> Option<i16> {
    let day = numbered(word).filter(|day| (1..=31).contains(day))?;
    i16::try_from(day).ok()
}
