//! The search box and the pill that says how the tab stands to the server.

use crate::browser::timer::later;
use crate::prelude::*;
use leptos::ev;
use web_sys::SubmitEvent;

use super::icon::icon;
use crate::{
    navigate::Place,
    route::Route,
    state::{Client, Link},
    ui::Ui,
    words,
};

/// The bar.
pub fn top_bar() -> Markup {
    view! {
        <header class="bar">
            {search_box("search", true)}
            {pill()}
            {bell()}
        </header>
    }
}

/// The bell. The browser leaves it as the server rendered it.
fn bell() -> Markup {
    #[cfg(not(feature = "hydrate"))]
    return super::bell::bell();
    #[cfg(feature = "hydrate")]
    return Markup::fixed("");
}

/// A search box. Searches as one types, once one has stopped for a moment.
pub fn search_box(class: &'static str, main: bool) -> Markup {
    let place = expect_context::<Place>();
    // The one that `/` leads to.
    let node = if main {
        Ui::get().search
    } else {
        NodeRef::new()
    };
    let asked = move || match place.route.get() {
        Route::Search(q) => q,
        _ => String::new(),
    };
    let typed = StoredValue::new(0_u32);
    let look = move |q: String| place.search(&q);
    let input = move |event: ev::Targeted<web_sys::Event, web_sys::HtmlInputElement>| {
        let q = event.target().value();
        typed.update_value(|n| *n += 1);
        let turn = typed.get_value();
        later(180, move || {
            if typed.try_get_value() == Some(turn) {
                look(q);
            }
        });
    };
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        typed.update_value(|n| *n += 1);
        if let Some(input) = node.get_untracked() {
            look(input.value());
        }
    };
    view! {
        <form class=class role="search" action="/search" on:submit=submit>
            {icon("#find")}
            <input
                node_ref=node
                type="search"
                name="q"
                placeholder="Search tasks"
                aria-label="Search tasks"
                autocomplete="off"
                enterkeyhint="search"
                maxlength="200"
                value=untrack(asked)
                prop:value=asked
                on:input:target=input
                on:keydown:target=|event| {
                    if event.key() == "Escape" {
                        event.stop_propagation();
                        let _ = event.target().blur();
                    }
                }
            />
            <kbd aria-hidden="true">"/"</kbd>
        </form>
    }
}

/// How the tab stands to the server.
fn pill() -> Markup {
    let link = Client::get().link();
    let class = move || match link.get() {
        Link::Live { .. } => "pill js",
        Link::Connecting | Link::Offline { .. } => "pill off js",
        Link::Reconnecting => "pill wait js",
    };
    let says = move || match link.get() {
        Link::Connecting => "Connecting".to_owned(),
        Link::Live { tabs: 0 | 1 } => "Live".to_owned(),
        Link::Live { tabs } => ["Live in ", &tabs.to_string(), " tabs"].concat(),
        Link::Reconnecting => "Reconnecting".to_owned(),
        Link::Offline { waiting: 0 } => "Offline".to_owned(),
        Link::Offline { waiting } => {
            ["Offline, ", &words::count(waiting, "change"), " waiting"].concat()
        }
    };
    view! {
        <span class=class role="status">
            <i></i>
            <span>{says}</span>
        </span>
    }
}
