//! Carries shortcuts out. They never fire while one types, or while a dialog is open.

use crate::browser::{
    page,
    timer::{later, next_frame},
};
use crate::prelude::*;
use leptos::ev;
use tidings_domain::id::TaskId;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, HtmlInputElement};

use super::{act, drag};
use crate::{
    keys::{self, Action},
    navigate::Place,
    route::Route,
    state::Client,
    ui::{Choice, Ui},
};

/// How long the second key of a pair may take.
const PAIR_MS: i64 = 1500;

/// Who carries them out.
#[derive(Clone, Copy)]
struct Keys {
    client: Client,
    place: Place,
    ui: Ui,
    /// The first key of a pair, once it was pressed.
    before: StoredValue<Option<String>>,
}

/// Listens for shortcuts for as long as the page lives. In the browser only.
pub fn listen() {
    let all = Keys {
        client: Client::get(),
        place: expect_context(),
        ui: Ui::get(),
        before: StoredValue::new(None),
    };
    page::on_window("keydown", move |event| all.pressed(&event));
}

impl Keys {
    fn pressed(self, event: &ev::KeyboardEvent) {
        let target = event.target().and_then(|t| t.dyn_into::<Element>().ok());
        if event.default_prevented()
            || event.ctrl_key()
            || event.meta_key()
            || event.is_composing()
            || target.as_ref().is_some_and(types)
            || document()
                .query_selector("dialog[open]")
                .ok()
                .flatten()
                .is_some()
        {
            return;
        }
        let key = if event.alt_key() {
            ["Alt+", &event.key()].concat()
        } else {
            event.key()
        };
        let before = self.before.get_value();
        self.before.set_value(None);
        if before.is_none() && keys::begins(&key) {
            self.before.set_value(Some(key));
            later(PAIR_MS, move || self.before.set_value(None));
            return;
        }
        let Some(action) = keys::find(before.as_deref(), &key) else {
            return;
        };
        // What has the focus is operated by these itself; a row's title is a link and opens.
        let operated = target
            .as_ref()
            .is_some_and(|t| t.matches("a,button,summary,input").unwrap_or(false));
        let title = target
            .as_ref()
            .is_some_and(|t| t.matches(".row a.t").unwrap_or(false));
        let own = match key.as_str() {
            "Enter" => operated,
            " " => operated && !title,
            "ArrowDown" | "ArrowUp" => drag::focused().is_none(),
            _ => false,
        };
        if !own && self.run(action) {
            event.prevent_default();
        }
    }

    /// The tasks that a key is about: those selected, else the one with the focus, else the open one.
    fn subjects(self) -> Vec<TaskId> {
        let selected = self
            .client
            .selected()
            .with_untracked(|ids| ids.iter().copied().collect());
        match (selected, drag::focused()) {
            (selected, None) if Vec::is_empty(&selected) => {
                untrack(|| self.place.open()).into_iter().collect()
            }
            (selected, Some(focused)) if selected.is_empty() => vec![focused],
            (selected, _) => selected,
        }
    }

    /// Carries an action out; false where there was nothing to do.
    fn run(self, action: Action) -> bool {
        let Self {
            client, place, ui, ..
        } = self;
        match action {
            Action::Add => self.add(),
            Action::Search => self.search(),
            Action::Help => ui
                .help
                .get_untracked()
                .is_some_and(|d| d.show_modal().is_ok()),
            Action::Down | Action::Up => step(action == Action::Down),
            Action::MoveDown | Action::MoveUp => {
                let movable = place
                    .list
                    .with_untracked(|list| matches!(list, Some(Route::Inbox | Route::Tag(_))));
                let focused = drag::focused().filter(|_| movable);
                focused
                    .map(|id| drag::step(client, id, action == Action::MoveDown))
                    .is_some()
            }
            Action::Select => drag::focused()
                .map(|id| client.toggle_selected(id))
                .is_some(),
            Action::Open => drag::focused()
                .map(|id| place.go(&Route::Task(id)))
                .is_some(),
            Action::Edit => self.edit(),
            Action::Due => self.choose(Choice::Due),
            Action::Priority => self.choose(Choice::Priority),
            Action::Tags => self.choose(Choice::Tags),
            Action::Complete => self.each(act::complete),
            Action::Delete => self.each(act::delete),
            Action::Undo => {
                if client.last_undoable().is_none() {
                    client.toasts().plain("There is nothing to undo.");
                }
                client.undo();
                true
            }
            Action::Go(page) => {
                place.go(&page.route());
                true
            }
            Action::Close => self.close(),
        }
    }

    fn each(self, run: fn(Client, &[TaskId])) -> bool {
        let ids = self.subjects();
        self.client.selected().update(|selected| selected.clear());
        run(self.client, &ids);
        !ids.is_empty()
    }

    fn choose(self, choice: Choice) -> bool {
        let ids = self.subjects();
        let some = !ids.is_empty();
        if some {
            self.ui.choosing.set(Some((choice, ids)));
        }
        some
    }

    fn add(self) -> bool {
        if focus(self.ui.add.get_untracked().as_deref()) {
            return true;
        }
        // Not every page has the line.
        self.place.go(&Route::Inbox);
        let ui = self.ui;
        next_frame(move || {
            focus(ui.add.get_untracked().as_deref());
        });
        true
    }

    fn search(self) -> bool {
        let input = self.ui.search.get_untracked();
        // A phone has no box above the page.
        let shown = input.as_ref().is_some_and(|i| i.offset_parent().is_some());
        if !(shown && focus(input.as_deref())) {
            self.place.go(&Route::Search(String::new()));
        }
        true
    }

    fn edit(self) -> bool {
        if let Some(id) = drag::focused() {
            self.ui.editing.set(Some(id));
            return true;
        }
        let title = document().query_selector(".quiet.title").ok().flatten();
        focus(
            title
                .and_then(|t| t.dyn_into::<HtmlElement>().ok())
                .as_ref(),
        )
    }

    fn close(self) -> bool {
        let selected = self.client.selected();
        if selected.with_untracked(|ids| !ids.is_empty()) {
            selected.update(|ids| ids.clear());
            return true;
        }
        let open = untrack(|| self.place.open());
        if let Some(id) = open {
            self.place.close();
            next_frame(move || drag::focus_row(id));
        }
        open.is_some()
    }
}

fn focus(element: Option<&HtmlElement>) -> bool {
    element.is_some_and(|e| e.focus().is_ok())
}

/// Whether keys pressed in an element are for typing.
fn types(element: &Element) -> bool {
    match element.dyn_ref::<HtmlInputElement>() {
        Some(input) => !matches!(
            input.type_().as_str(),
            "checkbox" | "radio" | "button" | "submit"
        ),
        None => element
            .matches("textarea,select,[contenteditable]")
            .unwrap_or(false),
    }
}

/// Moves the focus to the next row, or the one before.
fn step(down: bool) -> bool {
    let rows = drag::shown();
    let at = drag::focused().and_then(|id| rows.iter().position(|r| *r == id));
    let to = match (at, down) {
        (None, _) => Some(0),
        (Some(at), true) => Some(at + 1),
        (Some(at), false) => at.checked_sub(1),
    };
    let row = to.and_then(|to| rows.get(to));
    if let Some(row) = row {
        drag::focus_row(*row);
    }
    row.is_some()
}
