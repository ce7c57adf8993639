//! What happened to a task, in words: for its history and for the person's log.

use crate::prelude::*;
use tidings_domain::{
    event::{Actor, EventType},
    order::sort_by,
    recurrence,
    time::parse_date,
    view::Here,
};

use crate::{
    api::tasks::{FieldValue, HistoryItem},
    words,
};

/// What a field is called, if it is one that people know.
fn name(field: &str) -> Option<&'static str> {
    Some(match field {
        "title" => "Title",
        "description" => "Description",
        "due_date" => "Due date",
        "due_time" => "Due time",
        "time_zone" => "Time zone",
        "priority" => "Priority",
        "tags" => "Tags",
        "remind_at" => "Reminder",
        "recurrence" => "Repeat",
        _ => return None,
    })
}

/// A value as people say it; nothing for none.
fn value(field: &str, value: &FieldValue, here: &Here<'_>) -> Option<String> {
    let text = match value {
        FieldValue::Text(text) => text.clone(),
        FieldValue::Texts(texts) => texts.join(", "),
        FieldValue::Repeat(rule) => recurrence::words(&rule.rule, rule.from),
        FieldValue::Nothing | FieldValue::Flag(_) => return None,
    };
    let said = match field {
        "due_date" => parse_date(&text)
            .ok()
            .map(|date| words::day(date, here.today)),
        "remind_at" => text.parse().ok().map(|at| words::moment_with_day(at, here)),
        "priority" => text
            .parse()
            .ok()
            .map(words::priority)
            .map(str::to_ascii_lowercase),
        _ => None,
    };
    let text = said.unwrap_or(text);
    let nothing = text.is_empty() || (field == "priority" && text == "none");
    (!nothing).then_some(text)
}

/// What happened, in a word or two.
pub fn happened(item: &HistoryItem) -> &'static str {
    match item.event_type {
        EventType::TaskCreated => "Created",
        EventType::TaskCompleted => "Completed",
        EventType::TaskDeleted => "Moved to the trash",
        EventType::TaskRestored => "Taken out of the trash",
        _ if item
            .changes
            .iter()
            .any(|(f, _, new)| f == "completed" && *new == FieldValue::Flag(false)) =>
        {
            "Opened again"
        }
        _ if item.changes.iter().all(|(f, ..)| f == "position") => "Moved",
        _ => "Changed",
    }
}

/// Who acted, where it was not the person in a browser.
pub fn actor(item: &HistoryItem) -> &'static str {
    match item.actor {
        Actor::User => "",
        Actor::Recurring => ", because it repeats",
        Actor::Onboarding => ", to begin with",
        Actor::Api => ", by a program",
    }
}

/// The fields that changed, each with its old and its new value.
pub fn changes(item: &HistoryItem, here: &Here<'_>) -> Vec<Markup> {
    if item.event_type == EventType::TaskCreated {
        return Vec::new();
    }
    let mut all: Vec<_> = item
        .changes
        .iter()
        .filter_map(|(field, old, new)| {
            let name = name(field)?;
            Some((name, value(field, old, here), value(field, new, here)))
        })
        .collect();
    sort_by(&mut all, |(a, ..), (b, ..)| a.cmp(b));
    all.into_iter()
        .map(|(name, old, new)| line(name, old, new))
        .collect()
}

fn line(name: &'static str, old: Option<String>, new: Option<String>) -> Markup {
    let between = match (&old, &new) {
        (None, Some(_)) => " set to ",
        (Some(_), None) => " removed, was ",
        _ => " ",
    };
    let arrow = (old.is_some() && new.is_some()).then_some(" → ");
    view! {
        <div>
            <b>{name}</b>
            {between}
            {old.map(|old| view! { <del>{old}</del> })}
            {arrow}
            {new.map(|new| view! { <ins>{new}</ins> })}
        </div>
    }
}
