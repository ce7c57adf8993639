//! The security log: what of the audit trail a page shows, and the whole of it as CSV.

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use futures_util::stream::try_unfold;
use tidings_app::{pages::security::Shown, route::param};
use tidings_domain::{
    error::{Fault, FieldError},
    time::{Timestamp, TzDatabase, parse_date},
    trail::{Entry, Filter, Kind},
};

use super::{
    fields,
    routes::Routes,
    state::{App, AppState},
};
use crate::{
    auth::Actor,
    error::{Error, Result},
    store::TrailQuery,
};

/// Rows of a page.
const PAGE: usize = 50;
/// Rows of a file that are read at once.
const PART: usize = 500;
/// The columns of a file.
const COLUMNS: &str = "time,what,type,task,task_id,address,program,event_id\r\n";

/// The route of the file. It notes that somebody took it, and so is no GET.
pub fn routes() -> Routes {
    Routes::new().post("/audit.csv", file)
}

/// What a page with this query string shows.
pub(super) async fn shown(app: &App, actor: &Actor, query: &str) -> Result<Shown> {
    let filter = filter(query)?;
    let mut asked = asked(actor, filter, PAGE + 1);
    if let Some(text) = given(query, "before") {
        let place = place(&text).ok_or_else(|| {
            let words = "before is where an earlier page ended.";
            Fault::field("before", "invalid", words)
        })?;
        asked.before = asked.before.min(place);
    }
    let mut entries = app.accounts.trail(actor, &asked).await?;
    let is_more = entries.len() > PAGE;
    entries.truncate(PAGE);
    Ok(Shown {
        filter,
        next: entries
            .last()
            .filter(|_| is_more)
            .map(|entry| format!("{}.{}", entry.timestamp.0, entry.n)),
        entries,
    })
}

/// Answers the form for the file, which is sent as it is read: it may be as long as the trail.
async fn file(State(app): State<AppState>, actor: Actor, request: Request) -> Result<Response> {
    let (_, body) = fields::whole(request).await?;
    let filter = filter(&String::from_utf8_lossy(&body))?;
    app.accounts.exported(&actor).await?;
    // The first part has the columns, so that there is one.
    let start = (COLUMNS, Some(asked(&actor, filter, PART)));
    let parts = try_unfold(start, move |(columns, asked)| {
        let (app, actor) = (app.clone(), actor.clone());
        async move {
            let Some(mut asked) = asked else {
                return Ok(None);
            };
            let entries = app.accounts.trail(&actor, &asked).await;
            let entries = entries.inspect_err(|error| {
                let (user_id, trace_id) = (actor.user.id, actor.caller.trace.trace_id());
                tracing::warn!(%error, %user_id, %trace_id, "a security log ends early");
            })?;
            let mut text = columns.to_owned();
            entries.iter().for_each(|entry| write(&mut text, entry));
            let last = entries.last().filter(|_| entries.len() == PART);
            let next = last.map(|entry| {
                asked.before = (entry.timestamp, entry.n);
                asked
            });
            Ok::<_, Error>(Some((text, ("", next))))
        }
    });
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"tidings-security-log.csv\"",
        ),
        (header::CACHE_CONTROL, "no-store"),
    ];
    let headers = headers.map(|(name, value)| (name, HeaderValue::from_static(value)));
    Ok((headers, Body::from_stream(parts)).into_response())
}

/// A place in the trail, as an address has it.
fn place(text: &str) -> Option<(Timestamp, i64)> {
    let (at, n) = text.split_once('.')?;
    Some((Timestamp(at.parse().ok()?), n.parse().ok()?))
}

/// The filter of a query string, or of a form.
fn filter(query: &str) -> Result<Filter, Fault> {
    let mut errors = Vec::new();
    let mut date = |name: &str| {
        let date = given(query, name).map(|text| parse_date(&text)).transpose();
        date.unwrap_or_else(|_| {
            let words = [name, " is a date, such as 2026-12-10."].concat();
            errors.push(FieldError::new(name, "invalid", words));
            None
        })
    };
    let (from, to) = (date("from"), date("to"));
    let kind = given(query, "kind").map(|text| Kind::parse(&text));
    if kind == Some(None) {
        let words = "kind is tasks, security or account.";
        errors.push(FieldError::new("kind", "invalid", words));
    }
    if errors.is_empty() {
        let kind = kind.flatten();
        Ok(Filter { kind, from, to })
    } else {
        Err(Fault::fields(errors))
    }
}

/// A parameter, unless it is empty.
fn given(query: &str, name: &str) -> Option<String> {
    param(query, name).filter(|text| !text.is_empty())
}

/// The newest rows of a filter, whose days are those of the person's zone.
fn asked(actor: &Actor, filter: Filter, limit: usize) -> TrailQuery {
    let (from, until) = filter.span(&actor.user.time_zone, &TzDatabase);
    TrailQuery {
        kind: filter.kind,
        from,
        before: (until, 0),
        limit,
    }
}

/// Adds the line of a row.
fn write(text: &mut String, entry: &Entry) {
    let task_id = entry.task_id.map(|id| id.to_string()).unwrap_or_default();
    let known = |text: &Option<String>| text.clone().unwrap_or_default();
    let cells = [
        entry.timestamp.to_string(),
        entry.words().to_owned(),
        entry.event_type.clone(),
        known(&entry.title),
        task_id,
        known(&entry.ip),
        known(&entry.user_agent),
        entry.event_id.to_string(),
    ];
    let cells = cells.map(|text| cell(&text));
    text.push_str(&cells.join(","));
    text.push_str("\r\n");
}

/// A cell, in quotes (RFC 4180). What a spreadsheet would take for a formula becomes text, since titles
/// and programs are whatever somebody sent.
fn cell(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    let mark = if is_formula { "'" } else { "" };
    format!("\"{mark}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_text() {
        for (text, expected) in [
            ("Buy milk", "\"Buy milk\""),
            ("", "\"\""),
            ("a \"b\", c\nd", "\"a \"\"b\"\", c\nd\""),
            ("=1+1", "\"'=1+1\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("-2", "\"'-2\""),
            ("\t=1", "\"'\t=1\""),
        ] {
            assert_eq!(cell(text), expected);
        }
    }

    #[test]
    fn a_filter_names_all_that_is_wrong() {
        let fault = filter("kind=x&from=2026-02-30&to=yesterday").unwrap_err();
        let fields: Vec<_> = fault.errors.iter().map(|e| &*e.field).collect();
        assert_eq!(fields, ["from", "to", "kind"]);
        assert_eq!(filter("kind=&from=&to=&more=1"), Ok(Filter::default()));
    }
}
