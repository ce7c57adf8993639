//! The dialog that sets the due date, the priority or the tags of one task or several.

use crate::prelude::*;
use chrono::{Days, NaiveDate};
use leptos::ev;
use tidings_domain::{
    command::{Command, TaskPatch},
    id::TaskId,
    task::{Priority, TAGS_MAX},
};
use web_sys::HtmlDialogElement;
use web_sys::{HtmlInputElement, SubmitEvent};

use super::{act, icon::icon};
use crate::{
    fields,
    state::Client,
    ui::{Choice, Ui},
    words,
};

/// The dialog.
pub fn choose() -> Markup {
    let ui = Ui::get();
    let node = NodeRef::<HtmlDialogElement>::new();
    Effect::new(move || {
        let open = ui.choosing.with(Option::is_some);
        let Some(dialog) = node.get() else { return };
        if open && !dialog.open() {
            let _ = dialog.show_modal();
        } else if !open && dialog.open() {
            dialog.close();
        }
    });
    let inside = move || {
        ui.choosing.get().map(|(choice, ids)| match choice {
            Choice::Due => due(ids),
            Choice::Priority => priority(ids),
            Choice::Tags => tags(ids),
        })
    };
    let heading = move || {
        ui.choosing.with(|c| match c {
            Some((Choice::Priority, _)) => "Priority",
            Some((Choice::Tags, _)) => "Tags",
            _ => "Due date",
        })
    };
    view! {
        <dialog
            node_ref=node
            aria-labelledby="choose-title"
            on:close=move |_| ui.choosing.set(None)
        >
            <div class="head">
                <h2 id="choose-title">{heading}</h2>
                <form method="dialog">
                    <button class="icon" aria-label="Close">
                        {icon("#close")}
                    </button>
                </form>
            </div>
            {inside}
        </dialog>
    }
}

/// What the dialog changes, and with what.
#[derive(Clone, Copy)]
struct Chosen {
    client: Client,
    ui: Ui,
    ids: StoredValue<Vec<TaskId>>,
}

impl Chosen {
    fn new(ids: Vec<TaskId>) -> Self {
        Self {
            client: Client::get(),
            ui: Ui::get(),
            ids: StoredValue::new(ids),
        }
    }

    /// Changes the tasks, closes the dialog and ends the selection.
    fn apply(self, patch: impl Fn(TaskId) -> TaskPatch, done: impl FnOnce(&str) -> String) {
        let ids = self.ids.get_value();
        self.ui.choosing.set(None);
        self.client.selected().update(|selected| selected.clear());
        act::change(self.client, &ids, |id| Command::Edit(patch(id)), done);
    }
}

fn button(words: String, hint: String, run: impl Fn() + 'static) -> Markup {
    view! {
        <button type="button" on:click=move |_| run()>
            {words}
            <span>{hint}</span>
        </button>
    }
}

fn due(ids: Vec<TaskId>) -> Markup {
    let chosen = Chosen::new(ids);
    let client = chosen.client;
    let today = client.today().get_untracked();
    let set = move |date: Option<NaiveDate>| {
        let patch = |id: TaskId| {
            let mut patch = TaskPatch::default();
            if let Some(task) = client.peek(id) {
                untrack(|| {
                    client.with_here(|here| {
                        let time = fields::due(&task, here).1;
                        fields::set_due(&mut patch, &task, here, date, time);
                    });
                });
            }
            patch
        };
        let done = |many: &str| match date {
            Some(date) => [many, " moved to ", &words::day(date, today), "."].concat(),
            None => [many, " without a date."].concat(),
        };
        chosen.apply(patch, done);
    };
    let after = move |words: &str, days: u64| {
        let date = today.checked_add_days(Days::new(days));
        let hint = date.map(|d| words::long_day(d, today)).unwrap_or_default();
        button(words.to_owned(), hint, move || set(date))
    };
    let typed = move |event: ev::Targeted<web_sys::Event, HtmlInputElement>| {
        if let Ok(Some(date)) = fields::read_date(&event.target().value()) {
            set(Some(date));
        }
    };
    view! {
        <div class="choices">
            {after("Today", 0)} {after("Tomorrow", 1)} {after("In two days", 2)}
            {after("In a week", 7)}
            {button(
                "No date".to_owned(),
                String::new(),
                move || set(None),
            )}
        </div>
        <input class="input" type="date" aria-label="Another day" on:change:target=typed />
    }
}

fn priority(ids: Vec<TaskId>) -> Markup {
    let chosen = Chosen::new(ids);
    let choices: Vec<_> = Priority::ALL
        .into_iter()
        .rev()
        .map(|priority| {
            let set = move || {
                let patch = |_| TaskPatch {
                    priority: Some(priority),
                    ..TaskPatch::default()
                };
                let done =
                    |many: &str| [many, " now have priority ", priority.as_str(), "."].concat();
                chosen.apply(patch, done);
            };
            button(words::priority(priority).to_owned(), String::new(), set)
        })
        .collect();
    view! { <div class="choices">{choices}</div> }
}

fn tags(ids: Vec<TaskId>) -> Markup {
    let client = Client::get();
    // Of one task all tags are edited; several get some more.
    let one = match ids.as_slice() {
        [id] => client.peek(*id).map(|t| t.tags.join(", ")),
        _ => None,
    };
    let label = if one.is_some() {
        "Tags, with commas between"
    } else {
        "Tags to add, with commas between"
    };
    let replace = one.is_some();
    let chosen = Chosen::new(ids);
    let node = NodeRef::<HtmlInputElement>::new();
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let text = node.get_untracked().map(|n| n.value()).unwrap_or_default();
        let given = fields::read_tags(&text);
        let patch = |id: TaskId| {
            let before = client.peek(id).filter(|_| !replace).map(|t| t.tags);
            let mut tags = before.unwrap_or_default();
            for tag in &given {
                if !tags.contains(tag) && tags.len() < TAGS_MAX {
                    tags.push(tag.clone());
                }
            }
            TaskPatch {
                tags: Some(tags),
                ..TaskPatch::default()
            }
        };
        chosen.apply(patch, |many| [many, " tagged."].concat());
    };
    view! {
        <form on:submit=submit>
            <input
                node_ref=node
                class="input"
                aria-label=label
                placeholder="home, errands"
                autocomplete="off"
                value=one.unwrap_or_default()
            />
            <div class="ends">
                <button class="btn">"Save"</button>
            </div>
        </form>
    }
}
