//! Puts rules into words. What the add line can make of words, it can read back from these.

use chrono::{Datelike, Weekday};

use super::{Day, Freq, Rule};
use crate::task::RecurFrom;

const WEEKDAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WORKING: [Weekday; 5] = [
    Weekday::Mon,
    Weekday::Tue,
    Weekday::Wed,
    Weekday::Thu,
    Weekday::Fri,
];

/// The English name of a weekday.
pub fn weekday_name(weekday: Weekday) -> &'static str {
    WEEKDAYS
        .get(weekday.num_days_from_monday() as usize)
        .copied()
        .unwrap_or_default()
}

/// The English name of a month, 1 to 12.
pub fn month_name(month: u32) -> &'static str {
    (month as usize)
        .checked_sub(1)
        .and_then(|at| MONTHS.get(at))
        .copied()
        .unwrap_or_default()
}

/// A rule in words, such as `Every 2 weeks on Monday and Thursday`. A text that is no rule stays as
/// it is.
pub fn words(rule: &str, from: RecurFrom) -> String {
    let Ok(rule) = Rule::parse(rule) else {
        return rule.to_owned();
    };
    let mut text = rule.words();
    if from == RecurFrom::Completion {
        text += ", from completion";
    }
    text
}

impl Rule {
    /// The rule in words, as [`words`] has it.
    pub(crate) fn words(&self) -> String {
        let mut text = self.every_words();
        if let Some(count) = self.count {
            let s = if count == 1 { "" } else { "s" };
            text += &format!(", {count} time{s}");
        }
        if let Some(until) = self.until {
            let date = until.date;
            let month = month_name(date.month());
            text += &format!(", until {} {month} {}", date.day(), date.year());
        }
        text
    }

    /// The rule in words, but for its end.
    fn every_words(&self) -> String {
        let unit = match self.freq {
            Freq::Daily => "day",
            Freq::Weekly => "week",
            Freq::Monthly => "month",
            Freq::Yearly => "year",
        };
        let working = self.days.len() == WORKING.len()
            && WORKING.iter().all(|w| {
                self.days
                    .iter()
                    .any(|d| d.weekday == *w && d.ordinal.is_none())
            });
        if working
            && *self
                == (Self {
                    days: self.days.clone(),
                    ..Self::every(Freq::Weekly, 1)
                })
        {
            return "Every weekday".to_owned();
        }
        let mut text = match self.interval {
            1 => format!("Every {unit}"),
            interval => format!("Every {interval} {unit}s"),
        };
        let months: Vec<_> = self.months.iter().map(|m| month(*m)).collect();
        // One month and its days: "24 December".
        if let ([name], [_, ..], true) = (
            months.as_slice(),
            self.month_days.as_slice(),
            self.days.is_empty() && self.month_days.iter().all(|d| *d > 0),
        ) {
            let days = self.month_days.iter().map(ToString::to_string).collect();
            text += &format!(" on {} {name}", and(days));
        } else {
            let mut days = Vec::new();
            for day in &self.month_days {
                days.push(match nth(*day) {
                    last if *day < 0 => format!("the {last} day"),
                    nth => format!("the {nth}"),
                });
            }
            let position = match self.positions.as_slice() {
                [position] if working => Some(*position),
                _ => None,
            };
            if let Some(position) = position {
                days.push(format!("the {} weekday", ordinal(position)));
            } else {
                days.extend(self.days.iter().map(|day| self.day(*day)));
            }
            if !days.is_empty() {
                text += " on ";
                text += &and(days);
            }
            for (name, list) in [("week", &self.weeks), ("day", &self.year_days)] {
                if !list.is_empty() {
                    let list = list.iter().map(ToString::to_string).collect();
                    text += &format!(" in {name} {}", and(list));
                }
            }
            if !months.is_empty() {
                let of = self.days.iter().any(|d| d.ordinal.is_some());
                text += if of { " of " } else { " in " };
                text += &and(months);
            }
        }
        if !(self.positions.is_empty() || working && self.positions.len() == 1) {
            let positions = self.positions.iter().map(|p| ordinal(*p)).collect();
            text += &format!(", only the {} of them", and(positions));
        }
        text
    }

    fn day(&self, day: Day) -> String {
        let name = weekday_name(day.weekday);
        match day.ordinal {
            Some(at) => format!("the {} {name}", ordinal(at)),
            None if self.freq == Freq::Weekly => name.to_owned(),
            None => format!("every {name}"),
        }
    }
}

fn month(number: i16) -> String {
    month_name(u32::try_from(number).unwrap_or_default()).to_owned()
}

/// A day of a month: 1st, 22nd, last, 2nd last.
fn nth(number: i16) -> String {
    let count = number.unsigned_abs();
    let ending = match (count % 10, count % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    match number {
        -1 => "last".to_owned(),
        number if number < 0 => format!("{count}{ending} last"),
        _ => format!("{count}{ending}"),
    }
}

/// Which of several: first to fifth, last, else as a number.
fn ordinal(number: i16) -> String {
    let few = ["first", "second", "third", "fourth", "fifth"];
    usize::try_from(number)
        .ok()
        .and_then(|n| few.get(n.checked_sub(1)?))
        .map_or_else(|| nth(number), |word| (*word).to_owned())
}

/// `a`, `a and b`, `a, b and c`.
fn and(mut items: Vec<String>) -> String {
    match items.pop() {
        Some(last) if items.is_empty() => last,
        Some(last) => format!("{} and {last}", items.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_as_people_say_them() {
        for (rule, text) in [
            ("daily", "Every day"),
            ("FREQ=DAILY;INTERVAL=3", "Every 3 days"),
            ("FREQ=WEEKLY", "Every week"),
            ("FREQ=WEEKLY;BYDAY=SA", "Every week on Saturday"),
            (
                "FREQ=WEEKLY;INTERVAL=2;BYDAY=TH,MO",
                "Every 2 weeks on Monday and Thursday",
            ),
            (
                "FREQ=WEEKLY;BYDAY=MO,WE,FR",
                "Every week on Monday, Wednesday and Friday",
            ),
            ("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "Every weekday"),
            (
                "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TU,WE,TH,FR",
                "Every 2 weeks on Monday, Tuesday, Wednesday, Thursday and Friday",
            ),
            ("FREQ=MONTHLY", "Every month"),
            ("FREQ=MONTHLY;BYMONTHDAY=15", "Every month on the 15th"),
            (
                "FREQ=MONTHLY;BYMONTHDAY=1,22,-1",
                "Every month on the 1st, the 22nd and the last day",
            ),
            (
                "FREQ=MONTHLY;BYMONTHDAY=-2",
                "Every month on the 2nd last day",
            ),
            ("FREQ=MONTHLY;BYDAY=-1FR", "Every month on the last Friday"),
            (
                "FREQ=MONTHLY;INTERVAL=3;BYDAY=1MO,3MO",
                "Every 3 months on the first Monday and the third Monday",
            ),
            (
                "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
                "Every month on the last weekday",
            ),
            (
                "FREQ=MONTHLY;BYDAY=SA,SU;BYSETPOS=1,-1",
                "Every month on every Saturday and every Sunday, only the first and last of them",
            ),
            (
                "FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=24",
                "Every year on 24 December",
            ),
            (
                "FREQ=YEARLY;BYMONTH=11;BYDAY=4TH",
                "Every year on the fourth Thursday of November",
            ),
            (
                "FREQ=YEARLY;BYMONTH=3,9",
                "Every year in March and September",
            ),
            (
                "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO",
                "Every year on every Monday in week 20",
            ),
            ("FREQ=DAILY;COUNT=5", "Every day, 5 times"),
            ("FREQ=DAILY;COUNT=1", "Every day, 1 time"),
            (
                "FREQ=DAILY;UNTIL=20261224T120000Z",
                "Every day, until 24 December 2026",
            ),
            ("no rule", "no rule"),
        ] {
            assert_eq!(words(rule, RecurFrom::Due), text, "{rule}");
        }
        assert_eq!(
            words("FREQ=DAILY;INTERVAL=3", RecurFrom::Completion),
            "Every 3 days, from completion"
        );
    }
}
