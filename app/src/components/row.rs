//! A task in a list.

use crate::browser::{page::is_sure, timer::next_frame};
use crate::prelude::*;
use leptos::ev;
use tidings_domain::{
    command::{Command, TaskPatch},
    id::TaskId,
    task::{Priority, Task},
};
use web_sys::HtmlInputElement;

use super::{drag, found::marked, icon::icon, meta::Meta};
use crate::{
    navigate::Place,
    route::{Route, task_href},
    state::Client,
    ui::Ui,
};

/// What sort of list a row is in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Of {
    /// All of it is of one day, which need not be said.
    pub in_day: bool,
    /// It is in the person's own order, which can be changed.
    pub movable: bool,
    /// It is what a search found.
    pub found: bool,
}

/// The class of a task's round button.
pub fn check_class(task: &Task) -> &'static str {
    match (task.completed, task.priority) {
        (true, _) => "chk done",
        (_, Priority::None) => "chk",
        (_, Priority::Low) => "chk low",
        (_, Priority::Medium) => "chk medium",
        (_, Priority::High) => "chk high",
        (_, Priority::Urgent) => "chk urgent",
    }
}

/// The round button that completes a task, or opens it again.
pub fn check(task: ReadSignal<Option<Task>>, id: TaskId) -> Markup {
    let client = Client::get();
    let of = move |f: fn(&Task) -> String| task.with(|t| t.as_ref().map(f));
    let done = move || task.with(|t| t.as_ref().is_some_and(|t| t.completed));
    let click = move |event: ev::MouseEvent| {
        event.prevent_default();
        client.change(id, Command::Complete(Some(!done())));
    };
    view! {
        <button
            class=move || task.with(|t| t.as_ref().map_or("chk", check_class))
            name="task_id"
            value=id.to_string()
            formaction=move || if done() { "/rpc/reopen_task" } else { "/rpc/complete_task" }
            aria-label=move || of(|t| {
                [if t.completed { "Reopen " } else { "Complete " }, &t.title].concat()
            })
            on:click=click
        >
            <i>{icon("#ok")}</i>
        </button>
    }
}

/// The title: a link to the task, or a field while it is edited where it stands.
fn title(task: ReadSignal<Option<Task>>, id: TaskId, found: bool) -> Markup {
    let (client, ui, place) = (Client::get(), Ui::get(), expect_context::<Place>());
    let words = move || task.with(|t| t.as_ref().map(|t| t.title.clone()).unwrap_or_default());
    let editing = Memo::new(move |_| ui.editing.get() == Some(id));
    let field = NodeRef::<HtmlInputElement>::new();
    Effect::new(move || {
        if let Some(field) = field.get() {
            let _ = field.focus();
            field.select();
        }
    });
    let end = move |input: &HtmlInputElement, keep: bool| {
        // Taking the field away blurs it: only the first end counts.
        if ui.editing.get_untracked() != Some(id) {
            return;
        }
        ui.editing.set(None);
        let title = input.value().trim().to_owned();
        if keep && !title.is_empty() && title != words() {
            let title = Some(title);
            let patch = TaskPatch {
                title,
                ..TaskPatch::default()
            };
            client.change(id, Command::Edit(patch));
        }
        next_frame(move || drag::focus_row(id));
    };
    let shown = move || match found {
        true => place.list.with(|list| match list {
            Some(Route::Search(q)) => marked(words(), q),
            _ => words().into_markup(),
        }),
        false => words().into_markup(),
    };
    let link = move || {
        view! {
            <a class="t" href=task_href(id)>
                {shown}
            </a>
        }
    };
    let input = move || {
        view! {
            <input
                node_ref=field
                class="t-edit"
                aria-label="Title"
                maxlength="200"
                value=untrack(words)
                on:blur:target=move |event| end(&event.target(), true)
                on:keydown:target=move |event| {
                    match event.key().as_str() {
                        "Enter" => {
                            event.prevent_default();
                            end(&event.target(), true);
                        }
                        "Escape" => {
                            event.stop_propagation();
                            end(&event.target(), false);
                        }
                        _ => {}
                    }
                }
            />
        }
    };
    (move || {
        if editing.get() { input() } else { link() }
    })
    .into_markup()
}

/// What can be done with a row of the trash.
fn out_of_trash(id: TaskId) -> Markup {
    let client = Client::get();
    let act = move |command: Command| {
        move |event: ev::MouseEvent| {
            event.prevent_default();
            if command != Command::Purge || is_sure() {
                client.change(id, command.clone());
            }
        }
    };
    view! {
        <button
            class="act link"
            name="task_id"
            value=id.to_string()
            formaction="/rpc/restore_task"
            on:click=act(Command::Restore(None))
        >
            "Restore"
        </button>
        <button
            class="act link"
            name="task_id"
            value=id.to_string()
            formaction="/rpc/purge_task"
            on:click=act(Command::Purge)
        >
            "Delete for good"
        </button>
    }
}

/// The row of a task.
pub fn row(id: TaskId, of: Of) -> Markup {
    let (client, place, ui) = (Client::get(), expect_context::<Place>(), Ui::get());
    let (task, glow) = (client.task(id), client.glow(id));
    let selected = client.is_selected(id);
    let is = move |f: fn(&Task) -> bool| task.with(|t| t.as_ref().is_some_and(f));
    let open = Memo::new(move |_| place.open() == Some(id));
    let trashed = Memo::new(move |_| is(|t| t.deleted_at.is_some()));
    let drop = move |after: bool| {
        ui.drag
            .with(|d| d.is_some_and(|d| d.over == Some((id, after))))
    };
    let meta = Memo::new(move |_| {
        // Minutes pass: what was to come is late.
        client.now().track();
        let said = |t: &Task| untrack(|| client.with_here(|here| Meta::of(t, here, of.in_day)));
        task.with(|t| t.as_ref().map(said))
    });
    let words = move || meta.with(|meta| meta.as_ref().map(Meta::view));
    let label = move || task.with(|t| t.as_ref().map(|t| ["Select ", &t.title].concat()));
    view! {
        <li
            class="row"
            data-id=id.to_string()
            class:done=move || is(|t| t.completed)
            class:open=move || open.get()
            class:sel=move || selected.get()
            class:glow=move || glow.get()
            class:dragged=move || ui.drag.with(|d| d.is_some_and(|d| d.id == id))
            class:drop-before=move || drop(false)
            class:drop-after=move || drop(true)
        >
            {move || {
                if trashed.get() {
                    view! { <span class="chk">{icon("#bin")}</span> }
                } else {
                    check(task, id).into_markup()
                }
            }}
            <div>
                {title(task, id, of.found)}
                <div class="meta">{words}</div>
            </div>
            <div class="end">
                {move || glow.get().then(|| view! { <span class="new">"just now"</span> })}
                {move || trashed.get().then(|| out_of_trash(id))}
                <label class="pick js">
                    <input
                        type="checkbox"
                        tabindex="-1"
                        aria-label=label
                        prop:checked=move || selected.get()
                        on:change:target=move |event| {
                            // The box may have been ticked before there was a script.
                            if event.target().checked() != selected.get_untracked() {
                                client.toggle_selected(id);
                            }
                        }
                    />
                </label>
                {of.movable.then(|| drag::grip(task, id))}
            </div>
        </li>
    }
}
