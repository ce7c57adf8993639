//! What lists, boards and searches come to, apart from any database.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{Datelike, NaiveDate};
use tidings_domain::{
    id::TaskId,
    task::Task,
    text,
    time::{TimeOfDay, instant},
    view::{Counts, Here},
};

use super::SortKey;

/// Words of a search that are looked for; more make the statement too deep, and nobody's search
/// clearer.
const WORDS_MAX: usize = 32;

/// The instant at which a day begins, here.
pub(super) fn start_of(day: NaiveDate, here: &Here<'_>) -> i64 {
    instant(here.zones, here.zone, day, TimeOfDay::MIDNIGHT).0
}

/// The instant at which the day after `day` begins, here.
pub(super) fn end_of(day: NaiveDate, here: &Here<'_>) -> i64 {
    day.succ_opt().map_or(i64::MAX, |next| start_of(next, here))
}

/// A day as it is compared with stored ones: as text, which holds for four digits of a year.
pub(super) fn day_text(day: Option<NaiveDate>) -> String {
    let day = day.filter(|day| day.year() <= 9999);
    day.map_or_else(|| "9999-99-99".to_owned(), |day| day.to_string())
}

/// The words of a search, each with the space that stands before it in [`keys`].
pub(super) fn search_words(q: &str) -> Vec<String> {
    let folded = text::fold(q);
    let words: BTreeSet<&str> = text::words(&folded).collect();
    words
        .into_iter()
        .take(WORDS_MAX)
        .map(|word| format!(" {word}"))
        .collect()
}

/// By what a task is sorted and searched: the folded title, and the folded words of title,
/// description and tags, a space before each.
pub(super) fn keys(task: &Task) -> (String, String) {
    let title = text::fold(&task.title);
    let mut search = String::new();
    add_words(&mut search, &title);
    let rest = std::iter::once(&task.description).chain(&task.tags);
    for part in rest.filter(|part| !part.is_empty()) {
        add_words(&mut search, &text::fold(part));
    }
    (title, search)
}

fn add_words(search: &mut String, folded: &str) {
    for word in text::words(folded) {
        search.push(' ');
        search.push_str(word);
    }
}

/// The column of a sort key.
pub(super) fn column(key: SortKey) -> &'static str {
    match key {
        SortKey::Position => "position",
        SortKey::DueDate => "due_at",
        SortKey::Priority => "priority",
        SortKey::CreatedAt => "created_at",
        SortKey::UpdatedAt => "updated_at",
        SortKey::Title => "title_key",
        SortKey::CompletedAt => "completed_at",
        SortKey::DeletedAt => "deleted_at",
    }
}

/// Whether tasks may be without it.
pub(super) fn nullable(key: SortKey) -> bool {
    matches!(
        key,
        SortKey::DueDate | SortKey::CompletedAt | SortKey::DeletedAt
    )
}

/// Counts open tasks.
pub(super) fn count(open: &[Task], here: &Here<'_>) -> Counts {
    let mut tags: HashMap<&str, u32> = HashMap::new();
    let mut counts = Counts::default();
    for task in open {
        counts.inbox += 1;
        match here.due_day(task) {
            Some(day) if day <= here.today => counts.today += 1,
            Some(_) => counts.upcoming += 1,
            None => {}
        }
        for tag in &task.tags {
            *tags.entry(tag).or_default() += 1;
        }
    }
    counts.tags = tags.into_iter().map(|(t, n)| (t.to_owned(), n)).collect();
    counts.tags.sort();
    counts
}

/// Of folded tasks those outside the trash, by position.
pub(super) fn outside_the_trash(tasks: BTreeMap<TaskId, Task>) -> Vec<Task> {
    let mut tasks: Vec<Task> = tasks.into_values().collect();
    tasks.retain(|task| task.deleted_at.is_none());
    tasks.sort_by(|a, b| (&a.position, a.id).cmp(&(&b.position, b.id)));
    tasks
}
