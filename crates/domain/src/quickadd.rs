//! The add line: `Water the plants tomorrow 18:00 every week !high #home`.
//!
//! What is understood leaves the title; all else stays in it, in order. Of two dates, times, rules
//! or priorities the last one counts and the others stay words. A word after a backslash is only a
//! word: `\today`.

use std::ops::Range;

use chrono::NaiveDate;

use crate::{
    command::TaskPatch,
    task::{Priority, RecurFrom, Recurrence, TAG_MAX, TAGS_MAX},
    text::has_control,
    time::TimeOfDay,
};

mod dates;
mod every;
mod names;
mod print;
mod tokens;

use dates::{Day, date, time};
use every::every;
pub use print::print;
use tokens::{Tokens, plain};

/// Lines that one paste may add.
pub const LINES_MAX: usize = 100;
/// The time that `tonight` stands for, unless it has passed.
const TONIGHT: u16 = 20;

/// What a highlight says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The day it is due.
    Date,
    /// The time it is due.
    Time,
    /// How it repeats.
    Recurrence,
    /// How much it matters.
    Priority,
    /// A tag.
    Tag,
}

/// Words of the line that were understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// Where they lie, in bytes.
    pub range: Range<usize>,
    /// What they say.
    pub kind: Kind,
}

/// What a line was understood to say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parsed {
    /// The words that are left, a space apart.
    pub title: String,
    /// The day, said or following from the time or the rule.
    pub due_date: Option<NaiveDate>,
    /// The time.
    pub due_time: Option<TimeOfDay>,
    /// The rule, canonical.
    pub recurrence: Option<Recurrence>,
    /// The priority, where one was said.
    pub priority: Option<Priority>,
    /// The tags, as written, without doubles.
    pub tags: Vec<String>,
    /// What was understood, in the order of the line; never overlapping.
    pub spans: Vec<Span>,
}

impl From<Parsed> for TaskPatch {
    fn from(parsed: Parsed) -> Self {
        Self {
            title: Some(parsed.title),
            due_date: parsed.due_date.map(Some),
            due_time: parsed.due_time.map(Some),
            recurrence: parsed.recurrence.map(Some),
            priority: parsed.priority,
            tags: (!parsed.tags.is_empty()).then_some(parsed.tags),
            ..Self::default()
        }
    }
}

/// What some words of a line say.
enum Meaning {
    Date(Day),
    Time(TimeOfDay, bool),
    Recurrence(Recurrence, NaiveDate),
    Priority(Priority),
    Tag(String),
}

impl Meaning {
    fn kind(&self) -> Kind {
        match self {
            Self::Date(_) => Kind::Date,
            Self::Time(..) => Kind::Time,
            Self::Recurrence(..) => Kind::Recurrence,
            Self::Priority(_) => Kind::Priority,
            Self::Tag(_) => Kind::Tag,
        }
    }
}

/// Reads a line, typed on the day `today` at `now` where the person is. Words that touch a range
/// (in bytes) of `ignored` stay words.
pub fn parse(text: &str, today: NaiveDate, now: TimeOfDay, ignored: &[Range<usize>]) -> Parsed {
    let tokens = Tokens::new(text, ignored);
    let mut found = find(&tokens, today);
    keep_last(&mut found);
    let mut title = Vec::new();
    let mut at = 0;
    for (words, _) in &found {
        title.extend((at..words.start).map(|i| tokens.shown(i)));
        at = words.end;
    }
    title.extend((at..tokens.len()).map(|i| tokens.shown(i)));
    if title.is_empty() {
        let words: Vec<_> = text.split_whitespace().collect();
        return Parsed {
            title: words.join(" "),
            ..Parsed::default()
        };
    }
    let mut parsed = Parsed {
        title: title.join(" "),
        ..Parsed::default()
    };
    fill(&mut parsed, &tokens, found, today, now);
    parsed
}

type Found = Vec<(Range<usize>, Meaning)>;

fn find(tokens: &Tokens<'_>, today: NaiveDate) -> Found {
    let mut found = Found::new();
    let mut at = 0;
    while at < tokens.len() {
        match meaning(tokens, at, today) {
            Some((count, meaning)) => {
                found.push((at..at + count, meaning));
                at += count;
            }
            None => at += 1,
        }
    }
    found
}

/// What the words from `at` on say, and how many of them say it.
fn meaning(tokens: &Tokens<'_>, at: usize, today: NaiveDate) -> Option<(usize, Meaning)> {
    let word = tokens.word(at)?;
    if let Some(name) = word.strip_prefix('!') {
        return Some((1, Meaning::Priority(priority(name)?)));
    }
    if word.starts_with('#') {
        return Some((1, Meaning::Tag(tag(tokens.written(at))?)));
    }
    if let Some((count, rule, from)) = every(tokens, at, today) {
        let first = rule.first(today)?;
        let rule = rule.to_string();
        return Some((count, Meaning::Recurrence(Recurrence { rule, from }, first)));
    }
    if let Some((count, day)) = date(tokens, at, today) {
        return Some((count, Meaning::Date(day)));
    }
    let (count, time, vague) = time(tokens, at)?;
    Some((count, Meaning::Time(time, vague)))
}

/// A day that one word says.
#[cfg(feature = "server")]
pub(crate) fn day(word: &str, today: NaiveDate) -> Option<NaiveDate> {
    let tokens = Tokens::new(word, &[]);
    let (_, day) = date(&tokens, 0, today).filter(|_| tokens.len() == 1)?;
    Some(day.date)
}

/// A priority by its name or its number.
pub(crate) fn priority(name: &str) -> Option<Priority> {
    match name {
        "1" => Some(Priority::Urgent),
        "2" => Some(Priority::High),
        "3" => Some(Priority::Medium),
        "4" => Some(Priority::Low),
        name => name.parse().ok(),
    }
}

/// A tag as written. Numbers are none: `#12` is how people write of an issue.
pub(crate) fn tag(written: &str) -> Option<String> {
    let tag = written.strip_prefix('#')?;
    let fits = !tag.is_empty()
        && tag.chars().count() <= TAG_MAX
        && !tag.contains('#')
        && !tag.bytes().all(|b| b.is_ascii_digit())
        && !has_control(tag);
    fits.then(|| tag.to_owned())
}

/// Of each kind but tags the last counts; of tags as many as a task can have.
fn keep_last(found: &mut Found) {
    let mut seen = Vec::new();
    let mut tags: Vec<String> = Vec::new();
    for (_, meaning) in found.iter() {
        if let Meaning::Tag(tag) = meaning
            && !tags.contains(tag)
            && tags.len() < TAGS_MAX
        {
            tags.push(tag.clone());
        }
    }
    found.reverse();
    found.retain(|(_, meaning)| match meaning {
        Meaning::Tag(tag) => tags.contains(tag),
        other => {
            let kind = other.kind();
            let last = !seen.contains(&kind);
            seen.push(kind);
            last
        }
    });
    found.reverse();
}

fn fill(parsed: &mut Parsed, tokens: &Tokens<'_>, found: Found, today: NaiveDate, now: TimeOfDay) {
    let mut tonight = false;
    let mut vague = false;
    let mut first = None;
    for (words, meaning) in found {
        parsed.spans.push(Span {
            range: tokens.range(&words),
            kind: meaning.kind(),
        });
        match meaning {
            Meaning::Date(day) => {
                parsed.due_date = Some(day.date);
                tonight = day.tonight;
            }
            Meaning::Time(time, is_vague) => {
                parsed.due_time = Some(time);
                vague = is_vague;
            }
            Meaning::Recurrence(recurrence, date) => {
                parsed.recurrence = Some(recurrence);
                first = Some(date);
            }
            Meaning::Priority(priority) => parsed.priority = Some(priority),
            Meaning::Tag(tag) if !parsed.tags.contains(&tag) => parsed.tags.push(tag),
            Meaning::Tag(_) => {}
        }
    }
    if tonight {
        parsed.due_time = match parsed.due_time {
            // "Tonight at 8" is in the evening.
            Some(time) if vague && (300..720).contains(&time.minutes()) => {
                TimeOfDay::new(time.minutes() / 60 + 12, time.minutes() % 60)
            }
            Some(time) => Some(time),
            None => TimeOfDay::new(TONIGHT, 0).filter(|evening| *evening > now),
        };
    }
    if parsed.due_date.is_none() && (parsed.due_time.is_some() || first.is_some()) {
        parsed.due_date = natural(parsed, first, today, now);
    }
}

/// The date of a line that says none: today, or the rule's first; the one after if the time of day
/// has passed by then.
fn natural(
    parsed: &Parsed,
    first: Option<NaiveDate>,
    today: NaiveDate,
    now: TimeOfDay,
) -> Option<NaiveDate> {
    let date = first.unwrap_or(today);
    let passed = date == today && parsed.due_time.is_some_and(|time| time <= now);
    if !passed {
        return Some(date);
    }
    let tomorrow = today.succ_opt()?;
    match &parsed.recurrence {
        Some(Recurrence { rule, .. }) => crate::recurrence::Rule::parse(rule).ok()?.first(tomorrow),
        None => Some(tomorrow),
    }
}

/// The lines of a paste, trimmed, without blank ones, at most [`LINES_MAX`].
pub fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .take(LINES_MAX)
}

/// Whether the rule that a line says counts from completion, in the words of the add line.
fn every_word(from: RecurFrom) -> &'static str {
    match from {
        RecurFrom::Due => "every",
        RecurFrom::Completion => "every!",
    }
}

#[cfg(test)]
mod tests;
