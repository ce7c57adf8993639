//! What lists, boards and searches come to, apart from any database.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{Datelike, NaiveDate};
use tidings_domain::{
    id::{TaskId, UserId},
    task::Task,
    text,
    time::{TimeOfDay, instant},
    view::{Counts, Here},
};

use super::SortKey;

/// Words of a search that are looked for: more than any within the length that is let in.
const WORDS_MAX: usize = 128;
/// Characters of a word that are kept and looked for: an index has no room for endless ones.
const WORD_MAX: usize = 200;
/// Characters at the end of an owner's id that lead each word in the index.
const OWNER: usize = 8;

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

/// The words of a search as the index holds them. Letters and digits alone: nothing in them has a
/// meaning to a database.
pub(super) fn search_tokens(user: UserId, q: &str) -> Vec<String> {
    let folded = text::fold(q);
    let words = tokens(user, text::words(&folded).map(short));
    words.into_iter().take(WORDS_MAX).collect()
}

/// Words as the index holds them: each once, led by the end of the owner's id.
pub(super) fn tokens<'a>(user: UserId, words: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    let user = user.to_string();
    let (_, owner) = user.split_at(user.len() - OWNER);
    words.map(|word| [owner, word].concat()).collect()
}

/// The part of a word that counts.
fn short(word: &str) -> &str {
    let end = word.char_indices().nth(WORD_MAX);
    end.map_or(word, |(end, _)| &word[..end])
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
        search.push_str(short(word));
    }
}

/// Whether two texts of [`keys`] have the same words, as far as words are looked at.
pub(super) fn same_words(a: &str, b: &str) -> bool {
    text::words(a).map(short).eq(text::words(b).map(short))
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
