//! The first date that a rule could begin on, for rules as the add line makes them.

use chrono::{Datelike, Days, NaiveDate};

use super::{Freq, Rule};

/// Days looked at: a leap day comes within eight years.
const REACH: usize = 8 * 366 + 1;

impl Rule {
    /// The first day from `start` on that fits the rule, whatever its interval. A rule that names no
    /// days begins at once. BYWEEKNO and BYYEARDAY are not looked at.
    pub(crate) fn first(&self, start: NaiveDate) -> Option<NaiveDate> {
        start.iter_days().take(REACH).find(|day| self.holds(*day))
    }

    fn holds(&self, date: NaiveDate) -> bool {
        if !self.fits(date) {
            return false;
        }
        if self.positions.is_empty() {
            return true;
        }
        let before = self.fitting(date.with_day(1), date);
        let after = self.fitting(Some(date), last_day(date)) - 1;
        self.positions.iter().any(|at| match *at {
            at if at > 0 => before + 1 == at,
            at => after + 1 == -at,
        })
    }

    /// How many days fit, from the first up to the other, which does not count if it is later.
    fn fitting(&self, from: Option<NaiveDate>, to: NaiveDate) -> i16 {
        let days = from.into_iter().flat_map(|date| date.iter_days());
        let days = days.take(31).take_while(|day| *day < to);
        i16::try_from(days.filter(|day| self.fits(*day)).count()).unwrap_or_default()
    }

    /// Whether the day fits all but BYSETPOS.
    pub(super) fn fits(&self, date: NaiveDate) -> bool {
        let number = |n: u32| i16::try_from(n).unwrap_or_default();
        let day = number(date.day());
        let length = number(days_in_month(date));
        let month_fits = self.months.is_empty() || self.months.contains(&number(date.month()));
        let day_fits = self.month_days.is_empty()
            || self.month_days.contains(&day)
            || self.month_days.contains(&(day - length - 1));
        // Ordinals count in the month, or in the year where the rule names no month.
        let (at, of) = if self.freq == Freq::Yearly && self.months.is_empty() {
            let year = if date.leap_year() { 366 } else { 365 };
            (number(date.ordinal()), year)
        } else {
            (day, length)
        };
        let weekday_fits = self.days.is_empty()
            || self.days.iter().any(|d| {
                d.weekday == date.weekday()
                    && d.ordinal.is_none_or(|ordinal| {
                        ordinal == (at - 1) / 7 + 1 || ordinal == -((of - at) / 7 + 1)
                    })
            });
        month_fits && day_fits && weekday_fits
    }
}

/// The days that the date's month has.
pub(crate) fn days_in_month(date: NaiveDate) -> u32 {
    [31, 30, 29]
        .into_iter()
        .find(|day| date.with_day(*day).is_some())
        .unwrap_or(28)
}

/// The day after the last of the date's month.
fn last_day(date: NaiveDate) -> NaiveDate {
    let rest = days_in_month(date) - date.day() + 1;
    date.checked_add_days(Days::new(u64::from(rest)))
        .unwrap_or(date)
}
