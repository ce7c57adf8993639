//! Rules in words: `every 2 weeks on mon and thu`.

use chrono::{NaiveDate, Weekday};

use super::{
    dates::{date, day_and_month, nth_day},
    names::{count, day_of_week, month, month_day, number, ordinal},
    tokens::Tokens,
};
use crate::{
    recurrence::{Day, Freq, Rule, Until, tidy, tidy_days},
    task::RecurFrom,
};

const WORKING: [Weekday; 5] = [
    Weekday::Mon,
    Weekday::Tue,
    Weekday::Wed,
    Weekday::Thu,
    Weekday::Fri,
];

/// A rule from the word `at` on, how many words say it, and what it counts from.
pub(super) fn every(
    tokens: &Tokens<'_>,
    at: usize,
    today: NaiveDate,
) -> Option<(usize, Rule, RecurFrom)> {
    let from = match tokens.word(at)? {
        "every" => RecurFrom::Due,
        "every!" => RecurFrom::Completion,
        _ => return None,
    };
    let mut reader = Reader { tokens, at: at + 1 };
    let mut rule = reader.rule()?;
    reader.end(&mut rule, today);
    // What only some rules may hold, such as the 30th of February, is looked at in one place.
    Rule::parse(&rule.to_string()).ok()?;
    Some((reader.at - at, rule, from))
}

struct Reader<'a> {
    tokens: &'a Tokens<'a>,
    at: usize,
}

impl Reader<'_> {
    fn word(&self) -> Option<&str> {
        self.tokens.word(self.at)
    }

    /// Goes past the word if it is this one.
    fn skip(&mut self, word: &str) -> bool {
        let here = self.word() == Some(word);
        self.at += usize::from(here);
        here
    }

    /// What `read` makes of the words here; where it makes nothing, nothing is gone past.
    fn attempt<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let before = self.at;
        let made = read(self);
        if made.is_none() {
            self.at = before;
        }
        made
    }

    fn rule(&mut self) -> Option<Rule> {
        let interval = match self.word()? {
            "other" => Some(2),
            word => count(word),
        };
        if let Some(interval) = interval {
            let counted = self.attempt(|this| {
                this.at += 1;
                let unit = this.word()?;
                let unit = unit.strip_suffix('s').unwrap_or(unit);
                let freq = freq(unit)?;
                this.at += 1;
                Some(this.on(freq, i16::try_from(interval).ok()?))
            });
            if counted.is_some() {
                return counted;
            }
        }
        let word = self.word()?;
        if let Some(freq) = freq(word) {
            self.at += 1;
            return Some(self.on(freq, 1));
        }
        let set = match word {
            "weekday" => &WORKING[..],
            "weekend" => &[Weekday::Sat, Weekday::Sun],
            _ => &[],
        };
        if !set.is_empty() {
            self.at += 1;
            let mut rule = Rule::every(Freq::Weekly, 1);
            rule.days = set.iter().map(|day| plain_day(*day)).collect();
            return Some(rule);
        }
        for freq in [Freq::Weekly, Freq::Yearly, Freq::Monthly] {
            let mut rule = Rule::every(freq, 1);
            let named = self.attempt(|this| match freq {
                Freq::Weekly => this.weekdays(&mut rule),
                Freq::Yearly => this.day_of_year(&mut rule),
                // A bare number is not enough here: "every 15".
                _ => {
                    let word = this.word()?;
                    (word == "last" || nth_day(word).is_some()).then_some(())?;
                    this.days_of_month(&mut rule)
                }
            });
            if named.is_some() {
                return Some(rule);
            }
        }
        None
    }

    /// Whether a number of times stands here.
    fn times(&self) -> Option<u32> {
        let after = self.tokens.word(self.at + 1)?;
        number(self.word()?).filter(|_| after == "times" || after == "time")
    }

    /// Where the rule ends, if it says so: `10 times`, `until 24 december`.
    fn end(&mut self, rule: &mut Rule, today: NaiveDate) {
        if let Some(times) = self.times().filter(|times| *times > 0) {
            rule.count = i16::try_from(times).ok();
            self.at += 2;
        } else if self.word() == Some("until")
            && let Some((count, day)) = date(self.tokens, self.at + 1, today)
        {
            rule.until = Some(Until {
                date: day.date,
                time: None,
                utc: false,
            });
            self.at += 1 + count;
        }
    }

    /// The rule with what follows `on`, where that is understood.
    fn on(&mut self, freq: Freq, interval: i16) -> Rule {
        let more = self.attempt(|this| {
            let mut rule = Rule::every(freq, interval);
            if freq == Freq::Yearly && this.skip("in") {
                this.months(&mut rule)?;
                return Some(rule);
            }
            this.skip("on").then_some(())?;
            match freq {
                Freq::Daily => None,
                Freq::Weekly => this.weekdays(&mut rule),
                Freq::Monthly => this.days_of_month(&mut rule),
                Freq::Yearly => this.day_of_year(&mut rule),
            }?;
            Some(rule)
        });
        more.unwrap_or_else(|| Rule::every(freq, interval))
    }

    /// One or more items, parted by `and` or a comma.
    fn list(&mut self, item: &mut dyn FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.attempt(&mut *item)?;
        loop {
            let more = self.attempt(|this| {
                let _ = this.skip("and") || this.skip("&");
                item(this)
            });
            if more.is_none() {
                return Some(());
            }
        }
    }

    fn weekdays(&mut self, rule: &mut Rule) -> Option<()> {
        self.list(&mut |this| {
            let day = day_of_week(this.word()?)?;
            this.at += 1;
            rule.days.push(plain_day(day));
            Some(())
        })?;
        tidy_days(&mut rule.days);
        Some(())
    }

    fn months(&mut self, rule: &mut Rule) -> Option<()> {
        self.list(&mut |this| {
            let month = month(this.word()?)?;
            this.at += 1;
            rule.months.push(i16::try_from(month).ok()?);
            Some(())
        })?;
        tidy(&mut rule.months);
        Some(())
    }

    /// `the 15th`, `the last friday`, `the last day`, `the last weekday`, or several.
    fn days_of_month(&mut self, rule: &mut Rule) -> Option<()> {
        self.list(&mut |this| this.day_of_month(rule))?;
        tidy(&mut rule.month_days);
        tidy_days(&mut rule.days);
        // A rule's parts all have to hold: "the 15th and the last friday" is no one rule.
        let kinds = [
            !rule.month_days.is_empty(),
            rule.days.iter().any(|day| day.ordinal.is_some()),
            !rule.positions.is_empty(),
        ];
        (kinds.into_iter().filter(|kind| *kind).count() == 1).then_some(())
    }

    fn day_of_month(&mut self, rule: &mut Rule) -> Option<()> {
        self.skip("the");
        if self.attempt(|this| this.nth_weekdays(rule)).is_some() {
            return Some(());
        }
        let day = month_day(self.word()?).filter(|_| self.times().is_none())?;
        self.at += 1;
        rule.month_days.push(i16::try_from(day).ok()?);
        Some(())
    }

    /// `last friday`, `first and third monday`, `last day`, `last weekday`.
    fn nth_weekdays(&mut self, rule: &mut Rule) -> Option<()> {
        let mut ordinals = Vec::new();
        self.list(&mut |this| {
            ordinals.push(ordinal(this.word()?)?);
            this.at += 1;
            Some(())
        })?;
        let word = self.word()?;
        if let Some(weekday) = day_of_week(word) {
            let days = ordinals.into_iter().map(|at| Day {
                ordinal: Some(at),
                weekday,
            });
            rule.days.extend(days);
        } else if word == "day" {
            rule.month_days.extend(ordinals);
        } else if word == "weekday" && ordinals.len() == 1 && rule.positions.is_empty() {
            rule.days.extend(WORKING.map(plain_day));
            rule.positions.extend(ordinals);
        } else {
            return None;
        }
        self.at += 1;
        Some(())
    }

    /// `24 december`, `the fourth thursday of november`.
    fn day_of_year(&mut self, rule: &mut Rule) -> Option<()> {
        self.skip("the");
        if let Some((count, day, month)) = day_and_month(self.tokens, self.at) {
            self.at += count;
            rule.month_days.push(i16::try_from(day).ok()?);
            rule.months.push(i16::try_from(month).ok()?);
            return Some(());
        }
        let ordinal = Some(ordinal(self.word()?)?);
        let weekday = day_of_week(self.tokens.word(self.at + 1)?)?;
        ["of", "in"]
            .contains(&self.tokens.word(self.at + 2)?)
            .then_some(())?;
        let month = month(self.tokens.word(self.at + 3)?)?;
        self.at += 4;
        rule.days.push(Day { ordinal, weekday });
        rule.months.push(i16::try_from(month).ok()?);
        Some(())
    }
}

fn plain_day(weekday: Weekday) -> Day {
    Day {
        ordinal: None,
        weekday,
    }
}

fn freq(unit: &str) -> Option<Freq> {
    Some(match unit {
        "day" => Freq::Daily,
        "week" => Freq::Weekly,
        "month" => Freq::Monthly,
        "year" => Freq::Yearly,
        _ => return None,
    })
}
