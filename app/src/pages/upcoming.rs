//! What comes later, by day.

use crate::prelude::*;
use chrono::NaiveDate;
use tidings_domain::view::View;

use crate::{
    components::{
        empty::empty,
        head::head,
        list::{list, rows, section},
        quick_add::quick_add,
        row::Of,
    },
    route::Route,
    state::Client,
    words,
};

/// The page.
pub fn upcoming() -> Markup {
    let client = Client::get();
    let days = client.days(View::Upcoming);
    let total = move || days.with(|days| days.iter().map(|(_, ids)| ids.len()).sum::<usize>());
    let sub = move || match total() {
        0 => String::new(),
        count => [&words::count(count, "task"), " after today"].concat(),
    };
    let dates =
        Memo::new(move |_| days.with(|d| d.iter().map(|(day, _)| *day).collect::<Vec<_>>()));
    let in_day = Of {
        in_day: true,
        ..Of::default()
    };
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
            {rows(ids, in_day)}
        }
    };
    let none = move || {
        (total() == 0 && client.is_complete().get()).then(|| {
            empty(
                "#cal",
                "Nothing planned".to_owned(),
                "Tasks with a date after today stand here, day by day. Write a date into the line \
                 above: tomorrow, next friday, 3 dec.",
                true,
            )
        })
    };
    view! {
        {head(Route::Upcoming, sub)}
        {quick_add(None)}
        {list(view! { <For each=move || dates.get() key=|date| *date children=day /> })}
        {none}
    }
}
