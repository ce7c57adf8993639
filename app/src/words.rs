//! Dates, times and priorities as people say them. The server and the browser must say the same, so
//! this asks nothing of the browser's locale.

use chrono::{Datelike, NaiveDate, NaiveDateTime};
use tidings_domain::{
    recurrence::{month_name, weekday_name},
    task::{Priority, Task},
    time::{self, TimeOfDay, Timestamp},
    view::Here,
};

use crate::browser::text::upper;

fn month(date: NaiveDate) -> &'static str {
    month_name(date.month())
}

fn weekday(date: NaiveDate) -> &'static str {
    weekday_name(date.weekday())
}

/// A year, where it is not this one.
fn year(date: NaiveDate, today: NaiveDate) -> String {
    if date.year() == today.year() {
        String::new()
    } else {
        [" ", &date.year().to_string()].concat()
    }
}

fn near(date: NaiveDate, today: NaiveDate) -> Option<&'static str> {
    match (date - today).num_days() {
        -1 => Some("Yesterday"),
        0 => Some("Today"),
        1 => Some("Tomorrow"),
        _ => None,
    }
}

/// `Today`, `Yesterday`, `Tomorrow`, or else `Sat 28 Nov`.
pub fn day(date: NaiveDate, today: NaiveDate) -> String {
    if let Some(word) = near(date, today) {
        return word.into();
    }
    let (weekday, month) = (&weekday(date)[..3], &month(date)[..3]);
    let number = date.day().to_string();
    [weekday, " ", &number, " ", month, &year(date, today)].concat()
}

/// `Saturday, 28 November`.
pub fn long_day(date: NaiveDate, today: NaiveDate) -> String {
    let number = date.day().to_string();
    [
        weekday(date),
        ", ",
        &number,
        " ",
        month(date),
        &year(date, today),
    ]
    .concat()
}

/// The heading of a day: `Today`, `Tomorrow`, or else `Saturday, 28 November`.
pub fn day_heading(date: NaiveDate, today: NaiveDate) -> String {
    match near(date, today) {
        Some(word) => word.into(),
        None => long_day(date, today),
    }
}

/// `18:30`.
pub fn clock(at: NaiveDateTime) -> String {
    TimeOfDay::of(at).to_string()
}

/// An instant: `just now`, `18:30`, `Yesterday, 18:30`, `Sat 28 Nov, 18:30`.
pub fn moment(at: Timestamp, here: &Here<'_>) -> String {
    if (0..60_000).contains(&(here.now.0 - at.0)) {
        return "just now".into();
    }
    let local = time::local(here.zones, here.zone, at);
    if local.date() == here.today {
        clock(local)
    } else {
        [&day(local.date(), here.today), ", ", &clock(local)].concat()
    }
}

/// An instant with its day always: `Today, 18:00`.
pub fn moment_with_day(at: Timestamp, here: &Here<'_>) -> String {
    let local = time::local(here.zones, here.zone, at);
    [&day(local.date(), here.today), ", ", &clock(local)].concat()
}

/// How a due date stands to now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pressure {
    /// It has passed.
    Late,
    /// It is today.
    Now,
    /// It comes.
    Later,
}

/// When a task is due for someone here, in words, and how pressing that is. In a list of one day
/// (`in_day`), the day is left out: `18:30`, `All day`.
pub fn due(task: &Task, here: &Here<'_>, in_day: bool) -> Option<(String, Pressure)> {
    let date = here.due_day(task)?;
    let at = task.due_time.and(task.due_at(here.zones));
    let pressure = if date < here.today || at.is_some_and(|at| at < here.now) {
        Pressure::Late
    } else if date == here.today {
        Pressure::Now
    } else {
        Pressure::Later
    };
    let time = at.map(|at| clock(time::local(here.zones, here.zone, at)));
    let words = match (in_day, time) {
        (true, Some(time)) => time,
        (true, None) => "All day".into(),
        (false, Some(time)) => [&day(date, here.today), ", ", &time].concat(),
        (false, None) => day(date, here.today),
    };
    Some((words, pressure))
}

/// `1 task`, `2 tasks`.
pub fn count(number: usize, one: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    [&number.to_string(), " ", one, plural].concat()
}

/// A priority with a capital: `High`; `No priority`.
pub fn priority(priority: Priority) -> &'static str {
    match priority {
        Priority::None => "None",
        Priority::Low => "Low",
        Priority::Medium => "Medium",
        Priority::High => "High",
        Priority::Urgent => "Urgent",
    }
}

/// A title within a sentence: in quotes, cut where it is long.
pub fn quoted(title: &str) -> String {
    let cut = title.char_indices().nth(60).map(|(at, _)| at);
    match cut {
        Some(at) => ["“", title[..at].trim_end(), "…”"].concat(),
        None => ["“", title, "”"].concat(),
    }
}

/// Up to two letters that stand for a person.
pub fn initials(name: &str) -> String {
    let mut words = name.split_whitespace().filter_map(|w| w.chars().next());
    let first = words.next().unwrap_or('?');
    let letters: String = [first].into_iter().chain(words.next_back()).collect();
    upper(&letters)
}

/// One of eight colours for a tag, always the same one.
pub fn hue(tag: &str) -> &'static str {
    const HUES: [&str; 8] = [
        "dot hue-0",
        "dot hue-1",
        "dot hue-2",
        "dot hue-3",
        "dot hue-4",
        "dot hue-5",
        "dot hue-6",
        "dot hue-7",
    ];
    let sum = tag.bytes().fold(7_u32, |sum, b| {
        sum.wrapping_mul(31).wrapping_add(u32::from(b))
    });
    HUES[((sum >> 15) ^ sum) as usize % HUES.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn days_are_said_as_people_say_them() {
        let today = date("2026-11-21");
        for (on, words) in [
            ("2026-11-21", "Today"),
            ("2026-11-20", "Yesterday"),
            ("2026-11-22", "Tomorrow"),
            ("2026-11-28", "Sat 28 Nov"),
            ("2027-01-01", "Fri 1 Jan 2027"),
        ] {
            assert_eq!(day(date(on), today), words);
        }
        assert_eq!(long_day(today, today), "Saturday, 21 November");
        assert_eq!(day_heading(date("2026-11-22"), today), "Tomorrow");
    }

    #[test]
    fn long_titles_are_cut_between_characters() {
        assert_eq!(quoted("Buy milk"), "“Buy milk”");
        let long = "é".repeat(61);
        assert_eq!(quoted(&long).chars().count(), 63);
    }

    #[test]
    fn people_have_initials() {
        assert_eq!(initials("mira k. klein"), "MK");
        assert_eq!(initials("Zoë"), "Z");
        assert_eq!(initials(""), "?");
    }
}
