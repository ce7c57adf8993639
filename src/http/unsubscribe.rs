//! `/unsubscribe`: where links in mail lead. The link is all that it takes, so that mail programs can
//! do it by themselves (RFC 8058), with one POST; what only looks, changes nothing.

use axum::{
    extract::{RawQuery, State},
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use tidings_domain::{error::Code, id::UserId, notice::Kind};

use super::{
    routes::Routes,
    state::{App, AppState},
};
use crate::{
    error::{Error, Result},
    mail::{compose::escape, unsubscribe::PATH},
};

/// The page has our style and nothing else.
const POLICY: (HeaderName, HeaderValue) = (
    header::CONTENT_SECURITY_POLICY,
    HeaderValue::from_static(
        "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'self'; \
         frame-ancestors 'none'",
    ),
);

/// The routes.
pub fn routes() -> Routes {
    Routes::new().get(PATH, look).post(PATH, unsubscribe)
}

/// Asks, with a button.
async fn look(State(app): State<AppState>, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    match told(&app, &query) {
        Some((_, kind)) => {
            let action = escape(&format!("{PATH}?{query}"));
            let form = format!(
                "<form method=\"post\" action=\"{action}\">\
                 <button class=\"btn\">Unsubscribe</button></form>"
            );
            let question = format!("No more mail about {}?", words(kind));
            page(&app, StatusCode::OK, &question, &form)
        }
        None => nothing(&app),
    }
}

/// Does it.
async fn unsubscribe(State(app): State<AppState>, RawQuery(query): RawQuery) -> Result<Response> {
    let Some((user, kind)) = told(&app, &query.unwrap_or_default()) else {
        return Ok(nothing(&app));
    };
    match app.notifications.unsubscribe(user, kind).await {
        Ok(()) => {}
        Err(Error::Refused(fault)) if fault.code == Code::NotFound => return Ok(nothing(&app)),
        Err(error) => return Err(error),
    }
    let done = format!("You get no more mail about {}.", words(kind));
    let more = "<p class=\"sub\">You can change that at any time in \
                <a href=\"/account\">your account</a>.</p>";
    Ok(page(&app, StatusCode::OK, &done, more))
}

/// Whose mail of which kind a link is about, if it is one of ours.
fn told(app: &App, query: &str) -> Option<(UserId, Kind)> {
    let [mut user, mut kind, mut key] = [const { String::new() }; 3];
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "user" => user = value.into_owned(),
            "kind" => kind = value.into_owned(),
            "key" => key = value.into_owned(),
            _ => {}
        }
    }
    let (user, kind) = (user.parse().ok()?, Kind::parse(&kind)?);
    let ours = app.signer.is_ours(user, kind, &key);
    ours.then_some((user, kind))
}

fn words(kind: Kind) -> &'static str {
    match kind {
        Kind::Reminder => "reminders",
        Kind::TaskCreated => "new tasks",
        Kind::TaskCompleted => "tasks that are done",
        Kind::Streak => "streaks",
    }
}

fn nothing(app: &App) -> Response {
    let more = "<p class=\"sub\">It may have been cut off on its way. What is sent to you is chosen \
                in <a href=\"/account\">your account</a>.</p>";
    page(app, StatusCode::NOT_FOUND, "This link does not work", more)
}

/// A page without script.
fn page(app: &App, status: StatusCode, heading: &str, content: &str) -> Response {
    let css = escape(&app.assets.css);
    let page = format!(
        "<!DOCTYPE html><html lang=\"en\" data-theme=\"system\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><title>Mail · Tidings</title>\
         <link rel=\"stylesheet\" href=\"{css}\"></head><body><main class=\"lone\">\
         <div class=\"card\"><h1>{heading}</h1>{content}</div></main></body></html>"
    );
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    let no_store = HeaderValue::from_static("no-store");
    let headers = [
        (header::CONTENT_TYPE, html),
        (header::CACHE_CONTROL, no_store),
        POLICY,
    ];
    (status, headers, page).into_response()
}
