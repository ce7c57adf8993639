//! Writes what was understood as a line that says the same.

use chrono::NaiveDate;

use super::{Parsed, every_word, parse, plain};
use crate::{
    recurrence::Rule,
    time::{TimeOfDay, write_date},
};

/// A line that [`parse`] reads as the same task. Words of the title that it would take for something
/// else get a backslash, where there are any.
pub fn print(parsed: &Parsed) -> String {
    let line = |title: &str| {
        let mut parts = vec![title.to_owned()];
        parts.extend(parsed.due_date.map(write_date));
        parts.extend(parsed.due_time.map(|time| time.to_string()));
        if let Some(recurrence) = &parsed.recurrence
            && let Ok(rule) = Rule::parse(&recurrence.rule)
        {
            let words = rule.words().to_ascii_lowercase();
            parts.push(words.replacen("every", every_word(recurrence.from), 1));
        }
        parts.extend(parsed.priority.map(|p| format!("!{}", p.as_str())));
        parts.extend(parsed.tags.iter().map(|tag| format!("#{tag}")));
        parts.join(" ")
    };
    let simple = line(&parsed.title);
    // All dates are written out, so that any day serves to see what the line says.
    let read = parse(&simple, NaiveDate::default(), TimeOfDay::MIDNIGHT, &[]);
    let spans = parsed.spans.clone();
    if (Parsed { spans, ..read }) == *parsed {
        return simple;
    }
    let escape = |word: &str| match plain(word) {
        true => word.to_owned(),
        false => format!("\\{word}"),
    };
    let words: Vec<_> = parsed.title.split_whitespace().map(escape).collect();
    line(&words.join(" "))
}
