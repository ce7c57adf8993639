//! Keyboard shortcuts: one table, which binds them and which the help draws.

use crate::route::Route;

/// What a shortcut does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// To the add line.
    Add,
    /// To the search box.
    Search,
    /// The table itself.
    Help,
    /// To the next task.
    Down,
    /// To the one before.
    Up,
    /// Move the task down.
    MoveDown,
    /// Move the task up.
    MoveUp,
    /// Select the task, or take it out again.
    Select,
    /// Open the task.
    Open,
    /// Edit its title where it stands.
    Edit,
    /// Complete or reopen it.
    Complete,
    /// Choose its due date.
    Due,
    /// Choose its priority.
    Priority,
    /// Choose its tags.
    Tags,
    /// Into the trash.
    Delete,
    /// Undo the last change.
    Undo,
    /// To a page.
    Go(Page),
    /// Close what is open.
    Close,
}

/// A page that a shortcut leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    /// Inbox.
    Inbox,
    /// Today.
    Today,
    /// Upcoming.
    Upcoming,
    /// Completed.
    Completed,
    /// Activity.
    Activity,
}

impl Page {
    /// Its route.
    pub fn route(self) -> Route {
        match self {
            Self::Inbox => Route::Inbox,
            Self::Today => Route::Today,
            Self::Upcoming => Route::Upcoming,
            Self::Completed => Route::Completed,
            Self::Activity => Route::Activity,
        }
    }
}

/// A line of the table.
pub struct Shortcut {
    /// The keys, as `KeyboardEvent.key` names them; two, with a space between, one after the other.
    pub keys: &'static [&'static str],
    /// The keys, as the help writes them.
    pub shown: &'static str,
    /// What it does, in words.
    pub words: &'static str,
    /// What it does.
    pub action: Action,
}

const fn key(
    keys: &'static [&'static str],
    shown: &'static str,
    words: &'static str,
    action: Action,
) -> Shortcut {
    Shortcut {
        keys,
        shown,
        words,
        action,
    }
}

/// All shortcuts, in the order in which the help shows them.
pub const SHORTCUTS: &[Shortcut] = &[
    key(&["q"], "q", "Add a task", Action::Add),
    key(&["/"], "/", "Search", Action::Search),
    key(&["j", "ArrowDown"], "j", "Next task", Action::Down),
    key(&["k", "ArrowUp"], "k", "Task before", Action::Up),
    key(&["Enter"], "Enter", "Open", Action::Open),
    key(&["e"], "e", "Edit the title", Action::Edit),
    key(&[" "], "Space", "Complete or reopen", Action::Complete),
    key(&["x"], "x", "Select", Action::Select),
    key(&["d"], "d", "Due date", Action::Due),
    key(&["p"], "p", "Priority", Action::Priority),
    key(&["t"], "t", "Tags", Action::Tags),
    key(&["Delete"], "Delete", "Delete", Action::Delete),
    key(&["Alt+ArrowUp"], "Alt ↑", "Move up", Action::MoveUp),
    key(&["Alt+ArrowDown"], "Alt ↓", "Move down", Action::MoveDown),
    key(&["z"], "z", "Undo", Action::Undo),
    key(&["Escape"], "Esc", "Close", Action::Close),
    key(&["g i"], "g i", "Inbox", Action::Go(Page::Inbox)),
    key(&["g t"], "g t", "Today", Action::Go(Page::Today)),
    key(&["g u"], "g u", "Upcoming", Action::Go(Page::Upcoming)),
    key(&["g c"], "g c", "Completed", Action::Go(Page::Completed)),
    key(&["g a"], "g a", "Activity", Action::Go(Page::Activity)),
    key(&["?"], "?", "This list", Action::Help),
];

/// The action of a key. `before` is the key that came just before it, if that began a pair.
pub fn find(before: Option<&str>, key: &str) -> Option<Action> {
    let is = |name: &&str| match (before, name.split_once(' ')) {
        // The space bar is a key of its own and not the space of a pair.
        (None, _) => *name == key,
        (Some(before), Some((first, second))) => first == before && second == key,
        (Some(_), None) => false,
    };
    let line = SHORTCUTS.iter().find(|s| s.keys.iter().any(is))?;
    Some(line.action)
}

/// Whether a key begins a pair.
pub fn begins(key: &str) -> bool {
    let first = |name: &&str| name.len() > 1 && name.split_once(' ').is_some_and(|p| p.0 == key);
    SHORTCUTS.iter().any(|s| s.keys.iter().any(first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_find_their_actions() {
        assert_eq!(find(None, "q"), Some(Action::Add));
        assert_eq!(find(None, " "), Some(Action::Complete));
        assert_eq!(find(None, "t"), Some(Action::Tags));
        assert_eq!(find(Some("g"), "t"), Some(Action::Go(Page::Today)));
        assert_eq!(find(Some("g"), "q"), None);
        assert_eq!(find(None, "g"), None);
        assert!(begins("g"));
        assert!(!begins(" ") && !begins("q"));
    }

    #[test]
    fn no_key_does_two_things() {
        let mut all: Vec<_> = SHORTCUTS.iter().flat_map(|s| s.keys).collect();
        let count = all.len();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), count);
    }
}
