//! Which tabs of this browser are open for the same person: each says that it is there now and
//! then, and when it goes.

use tidings_domain::{id::TaskId, sorted::SortedMap, time::Timestamp};
use uuid::Uuid;

/// How often a tab says that it is there, in milliseconds.
pub const SAY_MS: i64 = 30_000;
/// Unheard for this long, a tab is gone. Browsers let a hidden tab speak once a minute.
const GONE_MS: i64 = 130_000;

/// What tabs tell one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// I am new here; who else is?
    Who(Uuid),
    /// I am here.
    Here(Uuid),
    /// I am going.
    Bye(Uuid),
    /// A task was removed for good, which no event says.
    Gone(TaskId),
}

impl Word {
    /// As it is sent.
    pub fn write(self) -> String {
        match self {
            Self::Who(tab) => format!("who {tab}"),
            Self::Here(tab) => format!("here {tab}"),
            Self::Bye(tab) => format!("bye {tab}"),
            Self::Gone(task) => format!("gone {task}"),
        }
    }

    /// What was sent; nothing where it makes no sense, as from a tab of another version.
    pub fn read(text: &str) -> Option<Self> {
        let (word, id) = text.split_once(' ').unwrap_or((text, ""));
        let id = || id.parse().ok();
        Some(match word {
            "who" => Self::Who(id()?),
            "here" => Self::Here(id()?),
            "bye" => Self::Bye(id()?),
            "gone" => Self::Gone(TaskId(id()?)),
            _ => return None,
        })
    }
}

/// The other tabs, and when each was last heard.
#[derive(Clone, Debug, Default)]
pub struct Tabs {
    others: SortedMap<Uuid, Timestamp>,
}

impl Tabs {
    /// Takes in what another tab said.
    pub fn hear(&mut self, word: Word, now: Timestamp) {
        match word {
            Word::Who(tab) | Word::Here(tab) => self.others.insert(tab, now),
            Word::Bye(tab) => {
                self.others.remove(&tab);
            }
            Word::Gone(_) => {}
        }
    }

    /// Open tabs, this one among them.
    pub fn count(&mut self, now: Timestamp) -> usize {
        self.others.retain(|_, heard| heard.plus_ms(GONE_MS) > now);
        self.others.len() + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tabs_come_go_and_fall_silent() {
        let [a, b] = [1, 2].map(Uuid::from_u128);
        let mut tabs = Tabs::default();
        let at = |ms| Timestamp(ms);
        assert_eq!(tabs.count(at(0)), 1);
        tabs.hear(Word::Who(a), at(0));
        tabs.hear(Word::Here(a), at(10));
        tabs.hear(Word::Here(b), at(10));
        assert_eq!(tabs.count(at(20)), 3);
        tabs.hear(Word::Bye(b), at(30));
        assert_eq!(tabs.count(at(40)), 2);
        assert_eq!(tabs.count(at(10 + GONE_MS)), 1);
    }

    #[test]
    fn what_is_said_is_understood_and_the_rest_is_passed_over() {
        let id = Uuid::from_u128(7);
        let words = [
            Word::Who(id),
            Word::Here(id),
            Word::Bye(id),
            Word::Gone(TaskId(id)),
        ];
        for word in words {
            assert_eq!(Word::read(&word.write()), Some(word));
        }
        for text in ["", "who", "who me", "later 1"] {
            assert_eq!(Word::read(text), None);
        }
    }
}
