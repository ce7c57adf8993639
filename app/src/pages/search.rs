//! Tasks that hold some words: open, done, wherever they are but in the trash.

use crate::prelude::*;

use crate::{
    api::tasks::ListQuery,
    components::{
        empty::empty,
        head::head,
        list::{end_of, list, rows},
        row::Of,
        top_bar::search_box,
    },
    navigate::Place,
    route::Route,
    state::{Client, lists::Fetch},
    words,
};

/// The page.
pub fn search() -> Markup {
    let (client, place) = (Client::get(), expect_context::<Place>());
    let asked = Memo::new(move |_| {
        place.list.with(|list| match list {
            Some(Route::Search(q)) => q.trim().to_owned(),
            _ => String::new(),
        })
    });
    let query = Memo::new(move |_| ListQuery::of(&Route::Search(asked.get())).unwrap_or_default());
    let found = client.list(query);
    let count = move || found.ids.with(Vec::len);
    let sub = move || {
        let q = asked.get();
        if q.is_empty() {
            return "Words in titles, descriptions and tags.".to_owned();
        }
        let more = if found.more.get() { "More than " } else { "" };
        [
            more,
            &words::count(count(), "task"),
            " for ",
            &words::quoted(&q),
        ]
        .concat()
    };
    let none = move || {
        if asked.with(String::is_empty) {
            return Some(empty(
                "#find",
                "Search your tasks".to_owned(),
                "The beginnings of words are enough. What is done is found too. #home, !high and \
                 due:today ask for less.",
                false,
            ));
        }
        let none = count() == 0 && found.fetch.get() == Fetch::Done;
        none.then(|| {
            empty(
                "#find",
                "Nothing found".to_owned(),
                "No title, description or tag has words that begin so. Try fewer letters.",
                false,
            )
        })
    };
    let of = Of {
        found: true,
        ..Of::default()
    };
    view! {
        {head(Route::Search(String::new()), sub)}
        <div class="only-phone">{search_box("search search-here", false)}</div>
        {list(rows(found.ids, of))}
        {end_of(found)}
        {none}
    }
}
