//! The dates of a rule. Days only: a time of day is carried from one to the next, and made an instant
//! by the zone's own rules.

use chrono::{Datelike, Days, NaiveDate, Weekday};

use super::{Freq, Rule, first::days_in_month};

/// Days that one walk looks at: more than a hundred years of them, or far more with an interval. What
/// does not come by then never comes.
const REACH: i64 = 40_000;
/// The last year that is written with four digits.
const LAST_YEAR: i32 = 9_999;

impl Rule {
    /// The first date after `after` of the series that begins on `first`, by FREQ, INTERVAL, BY… and
    /// COUNT; UNTIL is a matter of times and zones, see [`crate::series`].
    ///
    /// `first` is always the first of the series. A day that the rule does not name is `first`'s, and
    /// an implied 29th to 31st is the last day of a month that has none. None where the series ends,
    /// or nothing comes in over a hundred years.
    pub fn date_after(&self, first: NaiveDate, after: NaiveDate) -> Option<NaiveDate> {
        if after < first {
            return Some(first);
        }
        let implied = self.implied(first);
        let interval = i64::from(self.interval);
        let begin = self.period(first);
        let mut period = match self.count {
            // Each date counts.
            Some(_) => begin,
            None => begin + (self.period(after) - begin) / interval * interval,
        };
        let mut made = 1;
        let mut left = REACH;
        loop {
            let (start, length) = self.span(period)?;
            left -= length;
            if left < 0 || start.year() > LAST_YEAR {
                return None;
            }
            for date in self.dates(start, length, implied) {
                if date <= first {
                    continue;
                }
                made += 1;
                if self.count.is_some_and(|count| made > count) || date.year() > LAST_YEAR {
                    return None;
                }
                if date > after {
                    return Some(date);
                }
            }
            period += interval;
        }
    }

    /// The number of the day, week, month or year that the date is in.
    fn period(&self, date: NaiveDate) -> i64 {
        let days = i64::from(date.num_days_from_ce());
        match self.freq {
            Freq::Daily => days,
            Freq::Weekly => (days - self.week_offset()).div_euclid(7),
            Freq::Monthly => i64::from(date.year()) * 12 + i64::from(date.month0()),
            Freq::Yearly => i64::from(date.year()),
        }
    }

    /// The first day of a period, and how many days it has.
    fn span(&self, period: i64) -> Option<(NaiveDate, i64)> {
        let day = |days: i64| NaiveDate::from_num_days_from_ce_opt(i32::try_from(days).ok()?);
        match self.freq {
            Freq::Daily => Some((day(period)?, 1)),
            Freq::Weekly => Some((day(period * 7 + self.week_offset())?, 7)),
            Freq::Monthly => {
                let year = i32::try_from(period.div_euclid(12)).ok()?;
                let month = u32::try_from(period.rem_euclid(12)).ok()? + 1;
                let start = NaiveDate::from_ymd_opt(year, month, 1)?;
                Some((start, i64::from(days_in_month(start))))
            }
            Freq::Yearly => {
                let start = NaiveDate::from_ymd_opt(i32::try_from(period).ok()?, 1, 1)?;
                Some((start, if start.leap_year() { 366 } else { 365 }))
            }
        }
    }

    /// The first day of week 0, as days of the common era: its first day was a Monday.
    fn week_offset(&self) -> i64 {
        i64::from(self.week_start.num_days_from_monday()) + 1
    }

    /// The dates of a period.
    fn dates(&self, start: NaiveDate, length: i64, implied: Implied) -> Vec<NaiveDate> {
        let days = start
            .iter_days()
            .take(usize::try_from(length).unwrap_or_default());
        let dates: Vec<_> = days.filter(|day| self.has(*day, implied)).collect();
        if self.positions.is_empty() {
            return dates;
        }
        let count = i16::try_from(dates.len()).unwrap_or(i16::MAX);
        let chosen =
            |at: i16| self.positions.contains(&(at + 1)) || self.positions.contains(&(at - count));
        (0..)
            .zip(dates)
            .filter(|(at, _)| chosen(*at))
            .map(|(_, date)| date)
            .collect()
    }

    /// Whether a day fits all parts, but for BYSETPOS.
    fn has(&self, date: NaiveDate, implied: Implied) -> bool {
        let number = |n: u32| i16::try_from(n).unwrap_or_default();
        let year_days = if date.leap_year() { 366 } else { 365 };
        let (day, last) = (number(date.ordinal()), year_days + 1);
        let year_day_fits = self.year_days.is_empty()
            || self.year_days.contains(&day)
            || self.year_days.contains(&(day - last));
        let of_month = |day: u32| date.day() == day.min(days_in_month(date));
        let implied_fits = match implied {
            Implied::Nothing => true,
            Implied::Weekday(weekday) => date.weekday() == weekday,
            Implied::Day(day) => of_month(day),
            Implied::DayOf(month, day) => date.month() == month && of_month(day),
        };
        self.fits(date) && year_day_fits && implied_fits && self.week_fits(date)
    }

    fn week_fits(&self, date: NaiveDate) -> bool {
        if self.weeks.is_empty() {
            return true;
        }
        // A week is of the year that has its fourth day, and so is 28 December.
        let number = self.week_of_year(date);
        let middle = self.fourth_day(date);
        let last =
            NaiveDate::from_ymd_opt(middle.year(), 12, 28).map_or(52, |d| self.week_of_year(d));
        self.weeks.contains(&number) || self.weeks.contains(&(number - last - 1))
    }

    fn week_of_year(&self, date: NaiveDate) -> i16 {
        i16::try_from(self.fourth_day(date).ordinal0() / 7 + 1).unwrap_or_default()
    }

    /// The fourth day of the date's week.
    fn fourth_day(&self, date: NaiveDate) -> NaiveDate {
        let into = u64::from(date.weekday().days_since(self.week_start));
        let start = date.checked_sub_days(Days::new(into)).unwrap_or(date);
        start.checked_add_days(Days::new(3)).unwrap_or(date)
    }

    /// What the rule leaves to the first date.
    fn implied(&self, first: NaiveDate) -> Implied {
        let names_days =
            !(self.days.is_empty() && self.month_days.is_empty() && self.year_days.is_empty());
        match self.freq {
            Freq::Daily => Implied::Nothing,
            _ if names_days => Implied::Nothing,
            Freq::Weekly => Implied::Weekday(first.weekday()),
            Freq::Yearly if !self.weeks.is_empty() => Implied::Weekday(first.weekday()),
            Freq::Yearly if self.months.is_empty() => Implied::DayOf(first.month(), first.day()),
            Freq::Monthly | Freq::Yearly => Implied::Day(first.day()),
        }
    }
}

/// What a rule does not say, taken from the first date of the series.
#[derive(Clone, Copy)]
enum Implied {
    /// Nothing: the rule names its days.
    Nothing,
    /// The day of the week.
    Weekday(Weekday),
    /// The day of the month.
    Day(u32),
    /// The month and its day.
    DayOf(u32, u32),
}
