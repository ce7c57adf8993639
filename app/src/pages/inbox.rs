//! Every open task, and those with one tag: in the person's own order.

use crate::prelude::*;
use tidings_domain::view::View;

use crate::{
    components::{
        empty::empty,
        head::head,
        list::{list, rows},
        quick_add::quick_add,
        row::Of,
    },
    route::Route,
    state::Client,
    words,
};

/// The Inbox.
pub fn inbox() -> Markup {
    all(Route::Inbox, View::Inbox, None)
}

/// A tag.
pub fn tag(tag: String) -> Markup {
    all(Route::Tag(tag.clone()), View::Tag(tag.clone()), Some(tag))
}

fn all(route: Route, view: View, tag: Option<String>) -> Markup {
    let client = Client::get();
    let ids = client.view(view);
    let tagged = tag.is_some();
    let sub = move || match (ids.with(Vec::len), tagged) {
        (0, _) => String::new(),
        (count, false) => words::count(count, "open task"),
        (count, true) => [&words::count(count, "open task"), " with this tag"].concat(),
    };
    let none = move || {
        let none = ids.with(Vec::is_empty) && client.is_complete().get();
        none.then(|| {
            if tagged {
                empty(
                    "#ok",
                    "Nothing open with this tag".to_owned(),
                    "Tasks that carry this tag and are not done gather here. Add one, and it is \
                     tagged from the start.",
                    true,
                )
                .into_markup()
            } else {
                empty(
                    "#inbox",
                    "The Inbox is empty".to_owned(),
                    "Everything that is still to do is here, in the order you give it. Write a \
                     line above: Tidings understands dates, times, every week, !high and #tags.",
                    true,
                )
                .into_markup()
            }
        })
    };
    let of = Of {
        movable: true,
        ..Of::default()
    };
    view! {
        {head(route, sub)}
        {quick_add(tag)}
        {list(rows(ids, of))}
        {none}
    }
}
