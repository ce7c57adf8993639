//! Rows, one below the other: each is drawn once and changes by itself.

use crate::prelude::*;
use tidings_domain::id::TaskId;

use super::{
    many::many,
    row::{Of, row},
};
use crate::{
    state::{
        Client,
        lists::{Fetch, List},
    },
    ui::Ui,
};

/// The rows of `ids`, in their order.
pub fn rows(ids: Signal<Vec<TaskId>>, of: Of) -> Markup {
    view! {
        <ul>
            <For each=move || ids.get() key=|id| *id children=move |id| row(id, of) />
        </ul>
    }
}

/// What all rows of a page lie in: without script, their buttons post it.
pub fn list(inside: Markup) -> Markup {
    let selected = Client::get().selected();
    view! {
        <form
            class="list"
            class:selecting=move || selected.with(|ids| !ids.is_empty())
            method="post"
            action="/rpc/complete_task"
        >
            <input type="hidden" name="seed" value=Ui::get().seed.to_string() />
            {many()}
            {inside}
        </form>
    }
}

/// A heading with a count.
pub fn section(
    class: &'static str,
    heading: impl Fn() -> String + Send + 'static,
    count: impl Fn() -> usize + Send + 'static,
) -> Markup {
    view! {
        <h2 class=class>
            {heading}
            <span>{move || count().to_string()}</span>
        </h2>
    }
}

/// How a fetched list goes on: a button for more, a skeleton, or what went wrong.
pub fn end_of(list: List) -> Markup {
    let client = Client::get();
    let more = move || client.fetch_more();
    fetched(list.fetch, list.more, more)
}

/// How what is fetched goes on.
pub fn fetched(
    fetch: Signal<Fetch>,
    more: Signal<bool>,
    ask: impl Fn() + Copy + Send + Sync + 'static,
) -> Markup {
    let view = move || match fetch.get() {
        Fetch::Slow => skeleton(),
        Fetch::Failed(fault) => view! {
            <div class="notice" role="alert">
                <span>{fault.detail}</span>
                <button type="button" class="link" on:click=move |_| ask()>
                    "Try again"
                </button>
            </div>
        },
        Fetch::Done if more.get() => view! {
            <div class="more-line js">
                <button type="button" class="btn plain" on:click=move |_| ask()>
                    "Show more"
                </button>
            </div>
        },
        _ => Markup::Nothing,
    };
    view.into_markup()
}

/// What stands where something slow will be.
pub fn skeleton() -> Markup {
    view! {
        <div class="skels" aria-hidden="true">
            <div class="skel"></div>
            <div class="skel"></div>
            <div class="skel"></div>
            <div class="skel"></div>
        </div>
    }
}
