//! What happened to a task: a timeline, newest first, from which any version can be brought back.

use crate::prelude::*;
use leptos::ev;
use tidings_domain::{command::Command, id::TaskId, task::Task};

use super::{
    changes::{actor, changes, happened},
    list::fetched,
};
use crate::{api::tasks::HistoryItem, state::Client, ui::Ui, words};

/// The history of a task.
pub fn history(task: ReadSignal<Option<Task>>, id: TaskId) -> Markup {
    let (client, ui) = (Client::get(), Ui::get());
    let history = client.history(id, ui.history(id));
    let newest = move || {
        let mut items = history.items.get();
        items.reverse();
        items
    };
    let current = Memo::new(move |_| task.with(|t| t.as_ref().map_or(0, |t| t.version)));
    let count = move || match history.items.with(Vec::len) {
        0 => String::new(),
        count => words::count(count, "change"),
    };
    let one = move |item: HistoryItem| {
        let version = item.version;
        let bring_back = move |event: ev::MouseEvent| {
            event.prevent_default();
            client.change(id, Command::Restore(Some(version)));
        };
        let (what, who) = (happened(&item), actor(&item));
        let at = item.timestamp;
        let when = move || {
            client.now().track();
            client.with_here(|here| [who, ", ", &words::moment(at, here)].concat())
        };
        let fields = client.with_here(|here| changes(&item, here));
        view! {
            <li>
                <b>{what}</b>
                {when}
                {fields}
                {move || {
                    (version < current.get())
                        .then(|| {
                            view! {
                                <button
                                    class="link block"
                                    name="version"
                                    value=version.to_string()
                                    on:click=bring_back
                                >
                                    "Restore this version"
                                </button>
                            }
                        })
                }}
            </li>
        }
    };
    view! {
        <form method="post" action="/rpc/restore_task">
            <input type="hidden" name="task_id" value=id.to_string() />
            <input type="hidden" name="seed" value=ui.seed.to_string() />
            <h2 class="sec">"History" <span>{count}</span></h2>
            <ol class="tl">
                <For each=newest key=|item| item.seq children=one />
            </ol>
            {fetched(history.fetch, Signal::stored(false), || ())}
        </form>
    }
}
