//! What is due today, and first what is overdue.

use crate::prelude::*;
use tidings_domain::{id::TaskId, view::View};

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
pub fn today() -> Markup {
    let client = Client::get();
    let days = client.days(View::Today);
    let part = move |late: bool| {
        Memo::new(move |_| {
            let today = client.today().get();
            let part = |days: &Vec<(_, Vec<TaskId>)>| {
                let of = days.iter().filter(|(day, _)| (*day < today) == late);
                of.flat_map(|(_, ids)| ids.iter().copied())
                    .collect::<Vec<_>>()
            };
            days.with(part)
        })
    };
    let (late, now) = (part(true), part(false));
    let count = move |ids: Memo<Vec<TaskId>>| ids.with(Vec::len);
    let sub = move || {
        let today = client.today().get();
        let day = words::long_day(today, today);
        match (count(late), count(now)) {
            (0, 0) => day,
            (0, all) => [&day, ". ", &words::count(all, "task")].concat(),
            (late, now) => {
                let all = words::count(late + now, "task");
                [&day, ". ", &all, ", ", &late.to_string(), " overdue"].concat()
            }
        }
    };
    let overdue = Memo::new(move |_| count(late) > 0);
    let due = Memo::new(move |_| count(now) > 0);
    let none = move || {
        (!overdue.get() && !due.get()).then(|| {
            empty(
                "#sun",
                "Nothing due today".to_owned(),
                "Tasks with today’s date, and those that are overdue, gather here.",
                true,
            )
        })
    };
    let in_day = Of {
        in_day: true,
        ..Of::default()
    };
    let overdue = move || {
        overdue.get().then(|| {
            view! {
                {section("sec late", || "Overdue".to_owned(), move || count(late))}
                {rows(late, Of::default())}
            }
        })
    };
    let due = move || {
        due.get().then(|| {
            view! {
                {section("sec", || "Today".to_owned(), move || count(now))}
                {rows(now, in_day)}
            }
        })
    };
    view! {
        {head(Route::Today, sub)}
        {quick_add(None)}
        {list(view! { {overdue} {due} })}
        {none}
    }
}
