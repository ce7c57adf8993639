//! The search box: words, and filters among them: `milk #home !high due:today`.

use chrono::NaiveDate;

use crate::{
    quickadd,
    task::Priority,
    text::{self, fold},
};

/// What the search box asks for: tasks that fit all of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// What is no filter, a space apart.
    pub words: String,
    /// `#home`: tags, as they are written.
    pub tags: Vec<String>,
    /// `!high`, or `!2` as in the add line. The last one counts.
    pub priority: Option<Priority>,
    /// `due:today`, `due:friday`, `due:overdue`. The last one counts.
    pub due: Option<Due>,
}

/// When a task is due that is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// On this day.
    On(NaiveDate),
    /// Before this day, and open.
    Overdue(NaiveDate),
}

impl Search {
    /// Reads what was typed on the day `today` where the person is. What is not understood, or
    /// stands after a backslash, is words.
    pub fn parse(text: &str, today: NaiveDate) -> Self {
        let mut search = Self::default();
        let mut words = Vec::new();
        for word in text.split_whitespace() {
            if !text::may_filter(word) || search.filter(word, today).is_none() {
                words.push(word);
            }
        }
        search.words = words.join(" ");
        search
    }

    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        let words = fold(&self.words);
        let filters = self.priority.is_some() || self.due.is_some() || !self.tags.is_empty();
        !filters && text::words(&words).next().is_none()
    }

    /// Takes a word for a filter, if it is one.
    fn filter(&mut self, word: &str, today: NaiveDate) -> Option<()> {
        if word.starts_with('#') {
            self.tags.push(quickadd::tag(word)?);
            return Some(());
        }
        let lower = word.to_ascii_lowercase();
        if let Some(name) = lower.strip_prefix('!') {
            self.priority = Some(quickadd::priority(name)?);
        } else {
            self.due = Some(match lower.strip_prefix("due:")? {
                "overdue" => Due::Overdue(today),
                day => Due::On(quickadd::day(day, today)?),
            });
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    /// As typed on a Saturday.
    fn parse(text: &str) -> Search {
        Search::parse(text, day("2026-11-21"))
    }

    fn words(words: &str) -> Search {
        Search {
            words: words.into(),
            ..Search::default()
        }
    }

    #[test]
    fn filters_stand_among_words() {
        let found = parse("  milk #home  !high Eggs due:today #Büro");
        let expected = Search {
            words: "milk Eggs".into(),
            tags: vec!["home".into(), "Büro".into()],
            priority: Some(Priority::High),
            due: Some(Due::On(day("2026-11-21"))),
        };
        assert_eq!(found, expected);
        assert!(!parse("#home").is_empty());
        for nothing in [" ", "#", "! 🎉"] {
            assert!(parse(nothing).is_empty());
        }
    }

    #[test]
    fn priorities_are_those_of_the_add_line() {
        for (text, priority) in [
            ("!none", Priority::None),
            ("!URGENT", Priority::Urgent),
            ("!1", Priority::Urgent),
            ("!low !4 !3", Priority::Medium),
        ] {
            assert_eq!(parse(text).priority, Some(priority), "{text}");
        }
    }

    #[test]
    fn a_day_is_one_word() {
        for (text, expected) in [
            ("due:tomorrow", "2026-11-22"),
            ("Due:Fri", "2026-11-27"),
            ("due:2026-12-24", "2026-12-24"),
        ] {
            assert_eq!(parse(text).due, Some(Due::On(day(expected))), "{text}");
        }
        let overdue = Some(Due::Overdue(day("2026-11-21")));
        assert_eq!(parse("due:overdue").due, overdue);
    }

    #[test]
    fn what_is_not_understood_is_words() {
        for text in [
            "a#b !soon #12 # ! due: due:whenever 12:30 is:odd",
            "\\#home",
            "\"due:today\"",
        ] {
            assert_eq!(parse(text), words(text));
        }
    }
}
