//! A task with all its fields and its history: beside a list, or as a page of its own.

use crate::prelude::*;
use leptos::{ev, task::spawn_local};
use tidings_domain::{
    command::{Command, TaskPatch},
    error::Fault,
    id::TaskId,
    task::Task,
};

use super::{
    history::history,
    icon::icon,
    list::skeleton,
    props::{self, Edited},
    quiet::{Quiet, quiet},
    row::check,
};
use crate::{browser::page::is_sure, navigate::Place, state::Client, ui::Ui};

const TITLE: Quiet = Quiet {
    label: "Title",
    name: "title",
    placeholder: "",
    most: "200",
    lines: false,
    get: |task| &task.title,
    set: |text| {
        // A title is one line and never empty.
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        (!text.is_empty()).then(|| TaskPatch {
            title: Some(text),
            ..TaskPatch::default()
        })
    },
};

const DESCRIPTION: Quiet = Quiet {
    label: "Description",
    name: "description",
    placeholder: "Add a description",
    most: "10000",
    lines: true,
    get: |task| &task.description,
    set: |text| {
        Some(TaskPatch {
            description: Some(text),
            ..TaskPatch::default()
        })
    },
};

/// The task that is open.
pub fn task(id: TaskId) -> Markup {
    let client = Client::get();
    let task = client.task(id);
    let known = Memo::new(move |_| task.with(Option::is_some));
    let fault = RwSignal::new(None::<Fault>);
    // Done long ago, or in the trash: it is asked for.
    Effect::new(move || {
        if known.get() {
            return;
        }
        spawn_local(async move {
            if let Err(why) = client.fetch_task(id).await {
                fault.set(Some(why));
            }
        });
    });
    let view = move || match (known.get(), fault.get()) {
        (true, _) => open(task, id),
        (false, Some(why)) => view! {
            <div class="task">
                {top(task, id)}
                <h1 tabindex="-1">"Nothing here"</h1>
                <p class="sub">{why.detail}</p>
            </div>
        },
        (false, None) => view! {
            <div class="task">
                {top(task, id)}
                <h1 class="sr">"Task"</h1>
                {skeleton()}
            </div>
        },
    };
    view.into_markup()
}

/// The line above: state, delete, close.
fn top(task: ReadSignal<Option<Task>>, id: TaskId) -> Markup {
    let (client, place) = (Client::get(), expect_context::<Place>());
    let back = move || {
        place
            .list
            .get()
            .unwrap_or(crate::route::Route::Inbox)
            .href()
    };
    let is = move |f: fn(&Task) -> bool| task.with(|t| t.as_ref().is_some_and(f));
    let state = move || {
        if is(|t| t.deleted_at.is_some()) {
            "In the trash"
        } else if is(|t| t.completed) {
            "Completed"
        } else {
            "Open"
        }
    };
    let trashed = Memo::new(move |_| is(|t| t.deleted_at.is_some()));
    // Only the server knows the next date: the form is sent, with a script too.
    let repeats = Memo::new(move |_| is(|t| t.is_open() && t.recurrence.is_some()));
    let act = move |command: Command, leave: bool| {
        move |event: ev::MouseEvent| {
            event.prevent_default();
            if command == Command::Purge && !is_sure() {
                return;
            }
            client.change(id, command.clone());
            if leave {
                place.close();
            }
        }
    };
    let buttons = move || {
        if trashed.get() {
            view! {
                <button class="link" formaction="/rpc/restore_task" on:click=act(Command::Restore(None), false)>
                    "Restore"
                </button>
                <button class="link" formaction="/rpc/purge_task" on:click=act(Command::Purge, true)>
                    "Delete for good"
                </button>
            }
        } else {
            view! {
                <button
                    class="icon"
                    formaction="/rpc/delete_task"
                    aria-label="Delete"
                    title="Delete"
                    on:click=act(Command::Delete, true)
                >
                    {icon("#bin")}
                </button>
            }
        }
    };
    view! {
        <form class="task-top" method="post" action="/rpc/complete_task">
            <input type="hidden" name="seed" value=Ui::get().seed.to_string() />
            <input type="hidden" name="task_id" value=id.to_string() />
            {move || (!trashed.get()).then(|| check(task, id))}
            <span>{state}</span>
            <span class="grow"></span>
            {move || {
                repeats
                    .get()
                    .then(|| {
                        view! { <button class="link" formaction="/rpc/skip_task">"Skip this one"</button> }
                    })
            }}
            {buttons}
            <a class="icon" href=back aria-label="Close" title="Close">
                {icon("#close")}
            </a>
        </form>
    }
}

fn open(task: ReadSignal<Option<Task>>, id: TaskId) -> Markup {
    let ui = Ui::get();
    let client = Client::get();
    let of = Edited { client, task, id };
    let version = move || {
        task.with(|t| t.as_ref().map_or(0, |t| t.version))
            .to_string()
    };
    let title = move || task.with(|t| t.as_ref().map(|t| t.title.clone()));
    let trashed =
        Memo::new(move |_| task.with(|t| t.as_ref().is_some_and(|t| t.deleted_at.is_some())));
    view! {
        <div class="task">
            {top(task, id)}
            <h1 class="sr" tabindex="-1">
                {title}
            </h1>
            <form
                class="fields"
                method="post"
                action="/rpc/edit_task"
                on:submit=|event| event.prevent_default()
            >
                <input type="hidden" name="task_id" value=id.to_string() />
                <input type="hidden" name="seed" value=ui.seed.to_string() />
                <input type="hidden" name="version" value=version />
                // What lies in the trash is read, not edited.
                <fieldset class="fields" disabled=move || trashed.get()>
                    {quiet(task, id, TITLE)}
                    {quiet(task, id, DESCRIPTION)}
                    <div class="props">
                        {props::due(of)} {props::repeat(of)} {props::remind(of)}
                        {props::priority(of)} {props::tags(of)}
                    </div>
                    <button class="btn nojs">"Save"</button>
                </fieldset>
            </form>
            {history(task, id)}
        </div>
    }
}
