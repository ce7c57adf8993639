//! Moving a row: by its grip with mouse or finger, or with the keyboard.

use crate::browser::timer::next_frame;
use crate::prelude::*;
use leptos::ev;
use tidings_domain::{
    command::{Command, TaskPatch},
    id::TaskId,
    position,
    task::Task,
};
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};

use super::icon::icon;
use crate::{
    state::Client,
    ui::{Drag, Ui},
};

/// The grip of a row.
pub fn grip(task: ReadSignal<Option<Task>>, id: TaskId) -> Markup {
    let (client, ui) = (Client::get(), Ui::get());
    let label = move || task.with(|t| t.as_ref().map(|t| ["Move ", &t.title].concat()));
    let down = move |event: ev::PointerEvent| {
        if event.button() != 0 {
            return;
        }
        event.prevent_default();
        let grip = event.target().and_then(|t| t.dyn_into::<Element>().ok());
        if let Some(grip) = grip {
            // All that follows comes here, wherever the pointer goes.
            let _ = grip.set_pointer_capture(event.pointer_id());
        }
        ui.drag.set(Some(Drag { id, over: None }));
    };
    let moved = move |event: ev::PointerEvent| {
        if ui.drag.with_untracked(|d| d.is_some_and(|d| d.id == id)) {
            let over = over(&event, id);
            let drag = Some(Drag { id, over });
            if ui.drag.get_untracked() != drag {
                ui.drag.set(drag);
            }
        }
    };
    let up = move |_: ev::PointerEvent| {
        let drag = ui.drag.get_untracked();
        ui.drag.set(None);
        if let Some(Drag {
            id,
            over: Some((beside, after)),
        }) = drag
        {
            place(client, id, beside, after);
        }
    };
    view! {
        <button
            type="button"
            class="grip js"
            tabindex="-1"
            aria-label=label
            on:pointerdown=down
            on:pointermove=moved
            on:pointerup=up
            on:pointercancel=move |_| ui.drag.set(None)
            on:click=|event| event.prevent_default()
        >
            {icon("#grip")}
        </button>
    }
}

/// The row under the pointer, and whether the pointer is in its lower half.
fn over(event: &ev::PointerEvent, id: TaskId) -> Option<(TaskId, bool)> {
    let (x, y) = (event.client_x() as f32, event.client_y() as f32);
    let element = document().element_from_point(x, y)?;
    let row = element.closest(".row").ok()??;
    let other: TaskId = row.get_attribute("data-id")?.parse().ok()?;
    let bounds = row.get_bounding_client_rect();
    let after = f64::from(event.client_y()) > bounds.top() + bounds.height() / 2.0;
    (other != id).then_some((other, after))
}

/// Puts a task before or after another one, among the rows that are shown.
fn place(client: Client, id: TaskId, beside: TaskId, after: bool) {
    let rows = shown();
    let Some(at) = rows.iter().position(|r| *r == beside) else {
        return;
    };
    let at = if after { at + 1 } else { at };
    let low = rows[..at].iter().rev().find(|r| **r != id);
    let high = rows[at..].iter().find(|r| **r != id);
    put_between(client, id, low.copied(), high.copied());
}

/// Moves a task one row up or down, and keeps the focus on it.
pub fn step(client: Client, id: TaskId, down: bool) {
    let rows = shown();
    let Some(at) = rows.iter().position(|r| *r == id) else {
        return;
    };
    let beside = if down {
        Some(at + 1)
    } else {
        at.checked_sub(1)
    };
    if let Some(beside) = beside.and_then(|at| rows.get(at)) {
        place(client, id, *beside, down);
        next_frame(move || focus_row(id));
    }
}

fn put_between(client: Client, id: TaskId, low: Option<TaskId>, high: Option<TaskId>) {
    let key = |id: Option<TaskId>| id.and_then(|id| client.peek(id)).map(|t| t.position);
    let (low, high) = (key(low), key(high));
    // Two tasks may share a place; then the one after takes the nearest that is free.
    let free = position::between(low.as_deref(), high.as_deref())
        .or_else(|| position::between(low.as_deref(), None));
    if let Some(position) = free {
        let patch = TaskPatch {
            position: Some(position),
            ..TaskPatch::default()
        };
        client.change(id, Command::Edit(patch));
    }
}

/// The rows that are shown, in order.
pub fn shown() -> Vec<TaskId> {
    let Ok(rows) = document().query_selector_all(".row[data-id]") else {
        return Vec::new();
    };
    let id = |at| {
        let row: Element = rows.item(at)?.dyn_into().ok()?;
        row.get_attribute("data-id")?.parse().ok()
    };
    (0..rows.length()).filter_map(id).collect()
}

/// The row that has the focus, or in which something has it.
pub fn focused() -> Option<TaskId> {
    let row = document().active_element()?.closest(".row").ok()??;
    row.get_attribute("data-id")?.parse().ok()
}

/// Moves the focus to the title of a row.
pub fn focus_row(id: TaskId) {
    let selector = [".row[data-id='", &id.to_string(), "'] .t"].concat();
    let title = document().query_selector(&selector).ok().flatten();
    if let Some(title) = title.and_then(|t| t.dyn_into::<HtmlElement>().ok()) {
        let _ = title.focus();
    }
}
