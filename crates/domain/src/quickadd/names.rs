//! Names of days, months and numbers.

use chrono::Weekday;

use crate::recurrence::{month_name, weekday, weekday_name};

/// Words other than names with which something that is understood can begin.
const HEADS: [&str; 13] = [
    "today", "tonight", "tomorrow", "noon", "in", "on", "by", "due", "at", "next", "this", "every",
    "every!",
];

/// Whether something that is understood can begin with this word, in lower case.
pub(super) fn begins(word: &str) -> bool {
    HEADS.contains(&word) || day_of_week(word).is_some() || month(word).is_some()
}

/// A weekday by its name or a short form of it.
pub(super) fn day_of_week(word: &str) -> Option<Weekday> {
    (0..7).find_map(|at| {
        let day = weekday(at)?;
        let short: &[&str] = match day {
            Weekday::Mon => &["mon"],
            Weekday::Tue => &["tue", "tues"],
            Weekday::Wed => &["wed"],
            Weekday::Thu => &["thu", "thur", "thurs"],
            Weekday::Fri => &["fri"],
            Weekday::Sat => &["sat"],
            Weekday::Sun => &["sun"],
        };
        let named = short.contains(&word) || word.eq_ignore_ascii_case(weekday_name(day));
        named.then_some(day)
    })
}

/// A month, 1 to 12, by its name or a short form of it.
pub(super) fn month(word: &str) -> Option<u32> {
    (1..=12).find(|month| {
        let name = month_name(*month);
        word.eq_ignore_ascii_case(name)
            || name.get(..3).is_some_and(|s| word.eq_ignore_ascii_case(s))
            || (*month == 9 && word == "sept")
    })
}

/// A whole number of one to four digits.
pub(super) fn number(word: &str) -> Option<u32> {
    let plain = (1..=4).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| word.parse().ok()).flatten()
}

/// How many: 1 to 999, or `a`.
pub(super) fn count(word: &str) -> Option<u32> {
    match word {
        "a" | "an" | "one" => Some(1),
        "two" => Some(2),
        "three" => Some(3),
        word => number(word).filter(|n| (1..=999).contains(n)),
    }
}

/// `15th`, `1st`.
pub(super) fn numbered(word: &str) -> Option<u32> {
    let digits = ["st", "nd", "rd", "th"]
        .iter()
        .find_map(|ending| word.strip_suffix(ending))?;
    number(digits)
}

/// A day of a month, 1 to 31, with or without its ending.
pub(super) fn month_day(word: &str) -> Option<u32> {
    numbered(word)
        .or_else(|| number(word))
        .filter(|day| (1..=31).contains(day))
}

/// `first` to `fifth`, `1st` to `5th`, `last`.
pub(super) fn ordinal(word: &str) -> Option<i16> {
    Some(match word {
        "first" => 1,
        "second" => 2,
        "third" => 3,
        "fourth" => 4,
        "fifth" => 5,
        "last" => -1,
        word => i16::try_from(numbered(word).filter(|n| (1..=5).contains(n))?).ok()?,
    })
}
