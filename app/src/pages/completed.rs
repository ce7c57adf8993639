//! What is done, newest first, by day; and the trash.

use crate::prelude::*;
use chrono::NaiveDate;
use tidings_domain::{id::TaskId, time};

use crate::{
    api::tasks::ListQuery,
    components::{
        empty::empty,
        head::head,
        list::{end_of, list, rows, section},
        row::Of,
    },
    route::Route,
    state::{Client, lists::Fetch},
    words,
};

/// What is done.
pub fn completed() -> Markup {
    let client = Client::get();
    let all = client.list(query(&Route::Completed));
    let day_of = move |id: TaskId| {
        let at = client.peek(id)?.completed_at?;
        client.with_here(|here| Some(time::local(here.zones, here.zone, at).date()))
    };
    let days = Memo::new(move |_| {
        let mut days: Vec<(NaiveDate, Vec<TaskId>)> = Vec::new();
        for id in all.ids.get() {
            match (day_of(id), days.last_mut()) {
                (Some(day), Some((last, ids))) if *last == day => ids.push(id),
                (Some(day), _) => days.push((day, vec![id])),
                (None, _) => {}
            }
        }
        days
    });
    let dates =
        Memo::new(move |_| days.with(|d| d.iter().map(|(day, _)| *day).collect::<Vec<_>>()));
    let day = move |date: NaiveDate| {
        let ids = Memo::new(move |_| {
            days.with(|days| {
                let own = days.iter().find(|(day, _)| *day == date);
                own.map(|(_, ids)| ids.clone()).unwrap_or_default()
            })
        });
        let heading = move || words::day_heading(date, client.today().get());
        view! {
            {section("sec", heading, move || ids.with(Vec::len))}
            {rows(ids, Of::default())}
        }
    };
    let none = move || {
        let none = all.ids.with(Vec::is_empty) && all.fetch.get() == Fetch::Done;
        none.then(|| {
            empty(
                "#ok",
                "Nothing done yet".to_owned(),
                "What you complete gathers here, day by day, and can be opened again.",
                false,
            )
        })
    };
    view! {
        {head(Route::Completed, || "Newest first.".to_owned())}
        {list(view! { <For each=move || dates.get() key=|date| *date children=day /> })}
        {end_of(all)}
        {none}
    }
}

/// What was deleted.
pub fn trash() -> Markup {
    let client = Client::get();
    let all = client.list(query(&Route::Trash));
    let none = move || {
        let none = all.ids.with(Vec::is_empty) && all.fetch.get() == Fetch::Done;
        none.then(|| {
            empty(
                "#bin",
                "The trash is empty".to_owned(),
                "What you delete waits here until you restore it or delete it for good.",
                false,
            )
        })
    };
    let sub = || "Deleted tasks wait here until you delete them for good.".to_owned();
    view! {
        {head(Route::Trash, sub)}
        {list(rows(all.ids, Of::default()))}
        {end_of(all)}
        {none}
    }
}

fn query(route: &Route) -> Signal<ListQuery> {
    Signal::stored(ListQuery::of(route).unwrap_or_default())
}
