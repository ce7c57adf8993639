//! The bar that changes all selected tasks at once.

use crate::prelude::*;
use tidings_domain::id::TaskId;

use super::{act, icon::icon};
use crate::{
    state::Client,
    ui::{Choice, Ui},
    words,
};

/// The bar; there only while tasks are selected.
pub fn many() -> Markup {
    let (client, ui) = (Client::get(), Ui::get());
    let selected = client.selected();
    let some = Memo::new(move |_| selected.with(|ids| !ids.is_empty()));
    let ids = move || selected.with_untracked(|ids| ids.iter().copied().collect::<Vec<TaskId>>());
    let clear = move || selected.update(|ids| ids.clear());
    let button = move |label: &'static str, run: fn(Client, &[TaskId])| {
        let run = move |_| {
            let ids = ids();
            clear();
            run(client, &ids);
        };
        view! {
            <button type="button" class="btn plain" on:click=run>
                {label}
            </button>
        }
    };
    let choose = move |label: &'static str, choice: Choice| {
        let run = move |_| ui.choosing.set(Some((choice, ids())));
        view! {
            <button type="button" class="btn plain" on:click=run>
                {label}
            </button>
        }
    };
    let count = move || words::count(selected.with(|ids| ids.len()), "task");
    (move || {
        some.get().then(|| {
            view! {
                <div class="many" role="toolbar" aria-label="Selected tasks">
                    <strong role="status">{count} " selected"</strong>
                    {button("Complete", act::complete)}
                    {choose("Due date", Choice::Due)}
                    {choose("Priority", Choice::Priority)}
                    {choose("Tags", Choice::Tags)}
                    {button("Delete", act::delete)}
                    <button
                        type="button"
                        class="icon"
                        aria-label="Clear the selection"
                        on:click=move |_| clear()
                    >
                        {icon("#close")}
                    </button>
                </div>
            }
        })
    })
    .into_markup()
}
