//! What was recorded of the person: the audit trail. Plain forms and links, all of it; the browser
//! does not draw this page, it loads it.

use chrono::NaiveDate;
use tidings_domain::{
    time::write_date,
    trail::{Entry, Filter, Kind},
};

use crate::{
    components::{empty::empty, head::head},
    page::PageData,
    prelude::*,
    route::{Route, task_href},
    state::Client,
    words,
};

/// A part of the trail.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shown {
    /// Which rows were asked for.
    pub filter: Filter,
    /// The newest first.
    pub entries: Vec<Entry>,
    /// Where older ones go on.
    pub next: Option<String>,
}

/// In context.
#[derive(Clone)]
struct Start(Shown);

/// Puts what `page` holds of it into context.
pub fn provide(page: &PageData) {
    provide_context(Start(page.security.clone().unwrap_or_default()));
}

/// The page.
pub fn security() -> Markup {
    let Start(Shown {
        filter,
        entries,
        next,
    }) = expect_context();
    let sub = "What was recorded of your account and your tasks, newest first.";
    let none = entries.is_empty().then(|| {
        let words = "Sign-ins, failed ones too, changes and downloads are written down here.";
        empty("#act", "Nothing to show".to_owned(), words, false)
    });
    let more = next.map(|place| {
        let href = [&href(filter), "&before=", &place].concat();
        view! {
            <a class="link" href=href>
                "Older ones"
            </a>
        }
    });
    let rows: Vec<_> = entries.iter().map(row).collect();
    view! {
        {head(Route::Security, move || sub.to_owned())}
        {kinds(filter)}
        {days(filter)}
        <ol class="tokens trail">{rows}</ol>
        {none}
        {more}
        <form method="post" action="/audit.csv">
            {hidden(filter)}
            {date("from", filter.from)}
            {date("to", filter.to)}
            <p>
                <button class="btn plain">"Download as CSV"</button>
            </p>
        </form>
    }
}

/// The page with this filter.
fn href(filter: Filter) -> String {
    let day = |date: Option<NaiveDate>| date.map(write_date).unwrap_or_default();
    format!(
        "/audit?kind={}&from={}&to={}",
        filter.kind.map_or("", Kind::as_str),
        day(filter.from),
        day(filter.to)
    )
}

/// Links to other kinds of rows, of the same days.
fn kinds(filter: Filter) -> Markup {
    let link = |kind: Option<Kind>| {
        let label = match kind {
            None => "Everything",
            Some(Kind::Tasks) => "Tasks",
            Some(Kind::Security) => "Sign-ins and security",
            Some(Kind::Account) => "Account",
        };
        let here = (kind == filter.kind).then_some("page");
        view! {
            <a class="chip" href=href(Filter { kind, ..filter }) aria-current=here>
                {label}
            </a>
        }
    };
    let all = [None].into_iter().chain(Kind::ALL.map(Some));
    let links: Vec<_> = all.map(link).collect();
    view! {
        <nav class="chips" aria-label="Show">
            {links}
        </nav>
    }
}

/// The kind, for forms.
fn hidden(filter: Filter) -> Markup {
    let kind = filter.kind.map_or("", Kind::as_str);
    view! { <input type="hidden" name="kind" value=kind /> }
}

/// A day, for a form that does not ask for it.
fn date(name: &'static str, date: Option<NaiveDate>) -> Markup {
    let value = date.map(write_date).unwrap_or_default();
    view! { <input type="hidden" name=name value=value /> }
}

/// A form for other days, of the same kind.
fn days(filter: Filter) -> Markup {
    let field = |name: &'static str, label: &'static str, date: Option<NaiveDate>| {
        view! {
            <div class="field">
                <label for=name>{label}</label>
                <input
                    id=name
                    type="date"
                    name=name
                    value=date.map(write_date).unwrap_or_default()
                />
            </div>
        }
    };
    view! {
        <form method="get" action="/audit" class="days">
            {hidden(filter)}
            {field("from", "From", filter.from)}
            {field("to", "To", filter.to)}
            <button class="btn plain">"Show"</button>
        </form>
    }
}

fn row(entry: &Entry) -> Markup {
    let when = Client::get().with_here(|here| words::moment_with_day(entry.timestamp, here));
    let task = entry.title.clone().zip(entry.task_id).map(|(title, id)| {
        view! {
            ": "
            <a class="link" href=task_href(id)>
                {title}
            </a>
        }
    });
    let from = entry.ip.as_ref().map(|ip| {
        let program = entry.user_agent.as_ref().map(|of| [" · ", of].concat());
        view! { <div class="small muted">"From " {ip.clone()} {program}</div> }
    });
    view! {
        <li>
            <div>
                <b>{entry.words().to_owned()}</b>
                {task}
                {from}
            </div>
            <time class="small muted" datetime=entry.timestamp.to_string()>
                {when}
            </time>
        </li>
    }
}
