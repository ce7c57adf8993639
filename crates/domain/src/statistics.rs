//! What a person got done, counted by day in their zone.
//!
//! Stores count by quarters of an hour, since the clocks of every zone are whole quarters ahead of UTC.
//! So a person who moves sees other days, and what is stored depends on events alone.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, Days, NaiveDate};
use serde::{Serialize, Serializer};

use crate::{
    task::Priority,
    time::{self, TimeOfDay, Timestamp, write_date},
    view::Here,
};

/// A quarter of an hour, in milliseconds.
pub const QUARTER_MS: i64 = 900_000;
/// Days that can be asked for.
pub const DAYS_MAX: u16 = 366;
/// Days where nobody says how many.
pub const DAYS_DEFAULT: u16 = 30;
/// Days of [`Statistics::recent`]: half a year of whole weeks.
const RECENT: u64 = 26 * 7;

/// What a store counted of a person's tasks. A quarter is its number since 1970.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Tasks made since the first day asked for: the quarter, how many, and how many of those are
    /// completed.
    pub created: Vec<(i64, u32, u32)>,
    /// Tasks completed since then: the quarter, their priority, how many.
    pub completed: Vec<(i64, Priority, u32)>,
    /// The median of what those took from being made to being completed, in minutes.
    pub median_minutes: Option<i64>,
    /// Tags of those, and how many have each; the most first.
    pub tags: Vec<(String, u32)>,
    /// All quarters in which tasks were completed, and how many.
    pub ever: Vec<(i64, u32)>,
}

/// How many on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Day {
    /// The day.
    #[serde(serialize_with = "date")]
    pub date: NaiveDate,
    /// How many.
    pub count: u32,
}

/// The statistics of some days, up to today. Tasks in the trash do not count.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Statistics {
    /// Tasks made, by day; every day is there.
    pub created: Vec<Day>,
    /// Tasks completed, by day; every day is there.
    pub completed: Vec<Day>,
    /// The part of the tasks made on these days that is completed, 0 to 1.
    pub completion_rate: f64,
    /// The median time from making to completing of the tasks completed on these days.
    pub median_minutes: Option<i64>,
    /// Days in a row with a completion, up to today, or to yesterday while there is none today.
    pub streak_days: u32,
    /// [`points`] of the tasks completed on these days.
    pub points: u32,
    /// The longest such row, ever.
    #[serde(skip)]
    pub best_streak: u32,
    /// Tasks completed on these days by weekday, from Monday.
    #[serde(skip)]
    pub weekdays: [u32; 7],
    /// Tasks completed on these days by tag, the most first.
    #[serde(skip)]
    pub tags: Vec<(String, u32)>,
    /// Tasks completed on each day of half a year, whole weeks from Monday, up to today.
    #[serde(skip)]
    pub recent: Vec<Day>,
}

/// What completing a task is worth.
pub fn points(priority: Priority) -> u32 {
    match priority {
        Priority::None => 1,
        Priority::Low => 2,
        Priority::Medium => 3,
        Priority::High => 5,
        Priority::Urgent => 8,
    }
}

/// Where the first of so many days, up to today, begins.
pub fn since(days: u16, here: &Here<'_>) -> Timestamp {
    let first = before(here.today, u64::from(days.max(1)) - 1);
    time::instant(here.zones, here.zone, first, TimeOfDay::MIDNIGHT)
}

impl Statistics {
    /// The statistics of so many days up to today, of what a store counted [`since`] then.
    pub fn of(counted: &Counted, days: u16, here: &Here<'_>) -> Self {
        let on = |quarter: i64| {
            let at = Timestamp(quarter.saturating_mul(QUARTER_MS));
            time::local(here.zones, here.zone, at).date()
        };
        let first = before(here.today, u64::from(days.max(1)) - 1);
        let created = counted.created.iter().map(|(at, made, _)| (on(*at), *made));
        let completed = counted.completed.iter().map(|(at, _, n)| (on(*at), *n));
        let completed = by_day(completed, first, here.today);
        let mut weekdays = [0; 7];
        for day in &completed {
            let weekday = day.date.weekday().num_days_from_monday() as usize;
            weekdays[weekday] += day.count;
        }
        let made: u32 = counted.created.iter().map(|(_, made, _)| made).sum();
        let done: u32 = counted.created.iter().map(|(.., done)| done).sum();
        let worth = counted.completed.iter().map(|(_, p, n)| points(*p) * n);
        let ever = || counted.ever.iter().map(|(at, n)| (on(*at), *n));
        let (streak_days, best_streak) = streaks(ever().map(|(day, _)| day).collect(), here.today);
        let monday = before(
            here.today,
            u64::from(here.today.weekday().num_days_from_monday()),
        );
        Self {
            created: by_day(created, first, here.today),
            completed,
            completion_rate: f64::from(done) / f64::from(made.max(1)),
            median_minutes: counted.median_minutes,
            streak_days,
            points: worth.sum(),
            best_streak,
            weekdays,
            tags: counted.tags.clone(),
            recent: by_day(ever(), before(monday, RECENT - 7), here.today),
        }
    }
}

fn before(date: NaiveDate, days: u64) -> NaiveDate {
    date.checked_sub_days(Days::new(days)).unwrap_or(date)
}

/// How many there are on each day from `first` to `last`.
fn by_day(
    counts: impl Iterator<Item = (NaiveDate, u32)>,
    first: NaiveDate,
    last: NaiveDate,
) -> Vec<Day> {
    let mut days: BTreeMap<NaiveDate, u32> = first
        .iter_days()
        .take_while(|day| *day <= last)
        .map(|day| (day, 0))
        .collect();
    for (date, count) in counts {
        if let Some(day) = days.get_mut(&date) {
            *day += count;
        }
    }
    days.into_iter()
        .map(|(date, count)| Day { date, count })
        .collect()
}

/// The row of days that is not broken yet, and the longest one.
fn streaks(days: BTreeSet<NaiveDate>, today: NaiveDate) -> (u32, u32) {
    let (mut row, mut best, mut last) = (0, 0, None);
    for day in days {
        row = if last.is_some() && last == day.pred_opt() {
            row + 1
        } else {
            1
        };
        best = best.max(row);
        last = Some(day);
    }
    let lasts = last.is_some_and(|last| last >= before(today, 1));
    (if lasts { row } else { 0 }, best)
}

fn date<S: Serializer>(date: &NaiveDate, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&write_date(*date))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::TzDatabase;

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().0 / QUARTER_MS
    }

    fn here(zone: &'static str, now: &str) -> Here<'static> {
        Here::at(zone, now.parse().unwrap(), &TzDatabase)
    }

    fn counts(days: &[Day]) -> Vec<(String, u32)> {
        let days = days.iter().filter(|day| day.count > 0);
        days.map(|day| (write_date(day.date), day.count)).collect()
    }

    #[test]
    fn a_day_is_one_of_the_persons_zone() {
        // Half past ten in the evening, UTC.
        let counted = Counted {
            created: vec![(at("2026-11-20T22:30:00.000Z"), 2, 1)],
            ..Counted::default()
        };
        for (zone, day) in [
            ("UTC", "2026-11-20"),
            ("Europe/Berlin", "2026-11-20"),
            ("Europe/Helsinki", "2026-11-21"),
            ("Asia/Kathmandu", "2026-11-21"),
            ("America/New_York", "2026-11-20"),
        ] {
            let here = here(zone, "2026-11-21T12:00:00.000Z");
            let stats = Statistics::of(&counted, 7, &here);
            assert_eq!(counts(&stats.created), [(day.to_owned(), 2)], "{zone}");
            assert_eq!((stats.created.len(), stats.completed.len()), (7, 7));
            assert_eq!(stats.completion_rate, 0.5);
        }
    }

    #[test]
    fn days_begin_at_local_midnight_and_last_as_long_as_they_do() {
        // The clocks went back on 25 October 2026 in Berlin.
        let here = here("Europe/Berlin", "2026-10-26T12:00:00.000Z");
        assert_eq!(since(1, &here), "2026-10-25T23:00:00.000Z".parse().unwrap());
        assert_eq!(since(2, &here), "2026-10-24T22:00:00.000Z".parse().unwrap());
        let counted = Counted {
            completed: vec![
                (at("2026-10-24T22:00:00.000Z"), Priority::None, 1),
                (at("2026-10-25T22:45:00.000Z"), Priority::High, 1),
                (at("2026-10-25T23:00:00.000Z"), Priority::Urgent, 2),
            ],
            ..Counted::default()
        };
        let stats = Statistics::of(&counted, 2, &here);
        let days = [("2026-10-25".to_owned(), 2), ("2026-10-26".to_owned(), 2)];
        assert_eq!(counts(&stats.completed), days);
        assert_eq!(stats.weekdays, [2, 0, 0, 0, 0, 0, 2]);
        assert_eq!(stats.points, 1 + 5 + 16);
    }

    #[test]
    fn a_streak_is_not_broken_before_the_day_is_over() {
        let of = |done: &[&str], now: &str| {
            let day = |day: &&str| (at(&format!("{day}T12:00:00.000Z")), 1);
            let counted = Counted {
                ever: done.iter().rev().map(day).collect(),
                ..Counted::default()
            };
            let now = format!("{now}T12:00:00.000Z");
            let stats = Statistics::of(&counted, 30, &here("UTC", &now));
            (stats.streak_days, stats.best_streak)
        };
        let four = ["2026-11-10", "2026-11-11", "2026-11-12", "2026-11-20"];
        assert_eq!(of(&four, "2026-11-20"), (1, 3));
        assert_eq!(of(&four, "2026-11-21"), (1, 3));
        assert_eq!(of(&four, "2026-11-22"), (0, 3));
        assert_eq!(of(&four[..3], "2026-11-12"), (3, 3));
        assert_eq!(of(&[], "2026-11-12"), (0, 0));
    }

    #[test]
    fn half_a_year_begins_on_a_monday_and_ends_today() {
        let here = here("UTC", "2026-11-21T12:00:00.000Z");
        let stats = Statistics::of(&Counted::default(), 1, &here);
        let (first, last) = (
            stats.recent[0].date,
            stats.recent[stats.recent.len() - 1].date,
        );
        assert_eq!((first.weekday(), last), (chrono::Weekday::Mon, here.today));
        assert_eq!(stats.recent.len(), 25 * 7 + 6);
        assert_eq!((stats.completion_rate, stats.points), (0.0, 0));
    }
}
