//! The edge: what every request passes, whatever it asks for. One layer, so that it costs little.

use std::{net::SocketAddr, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use axum::{
    body::{Body, HttpBody},
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, Method, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::FutureExt;
use http_body_util::Limited;
use tidings_domain::error::Code;
use tokio::time::{Instant, timeout};
use tracing::Instrument;

use super::{
    caller::{self, set_cookie},
    pace::paced,
    security,
    state::{App, AppState},
    traced,
};
use crate::{
    error::{Error, Result},
    telemetry::about,
};

/// The largest body, in bytes.
pub const BODY_MAX: usize = 1024 * 1024;
/// How long an answer may take to begin.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// The other end of the connection that a request came by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// Sees to limits, the Origin rule, panics and headers.
pub(super) async fn pass(
    State(app): State<AppState>,
    mut request: Request,
    next: Next,
) -> Response {
    let Some(Peer(peer)) = request.extensions().get().copied() else {
        return Error::internal("a request came by no connection").into_response();
    };
    let started = Instant::now();
    let method = request.method().clone();
    let method = known(&method);
    let route = request.extensions().get::<MatchedPath>().cloned();
    // A path that is no route may hold anything, and there are as many as anyone likes.
    let route = route.as_ref().map_or("none", MatchedPath::as_str);
    let (span, trace) = traced::begin(&request, method, route);
    let (headers, https) = (request.headers(), app.is_https());
    let trusted = &app.config.trusted_proxies;
    let caller = caller::read(headers, peer.ip(), trusted, https, trace);
    let caller = Arc::new(caller);
    let secret = caller::cookie(headers).map(str::to_owned);
    request.extensions_mut().insert(caller.clone());
    let answer = async {
        let answer = admit(&app, request, next).await;
        answer.unwrap_or_else(IntoResponse::into_response)
    };
    let answer = about::request(trace, answer).instrument(span.clone());
    let (mut response, about) = answer.await;
    let status = response.status().as_u16();
    let elapsed = started.elapsed();
    app.metrics.answered(method, route, status, elapsed);
    traced::end(&span, status, &about);
    tracing::debug!(
        method,
        route,
        status,
        seconds = elapsed.as_secs_f64(),
        user_id = about.user_id(),
        task_id = about.task_id(),
        trace_id = about.trace_id(),
        "a request was answered"
    );
    let headers = response.headers_mut();
    if caller.is_renewed() {
        renew(headers, secret.as_deref(), caller.https);
    }
    security::stamp(headers, caller.https);
    response
}

/// The method, if it is one that anything here knows.
fn known(method: &Method) -> &str {
    match *method {
        Method::GET
        | Method::HEAD
        | Method::POST
        | Method::PUT
        | Method::PATCH
        | Method::DELETE => method.as_str(),
        _ => "other",
    }
}

async fn admit(app: &App, mut request: Request, next: Next) -> Result<Response> {
    let path = request.uri().path();
    // Whether the process is alive must be told even where there is room for nothing else.
    let _room = match path {
        "/healthz" => None,
        _ => Some(app.room.try_acquire().map_err(|_| Code::Unavailable)?),
    };
    if !app.origins.allow(request.method(), path, request.headers()) {
        return Err(Code::Forbidden.into());
    }
    let size = request.body().size_hint();
    if size.lower() > BODY_MAX as u64 {
        return Err(Code::PayloadTooLarge.into());
    }
    if !request.body().is_end_stream() {
        request = request.map(paced);
    }
    if size.upper().is_none_or(|most| most > BODY_MAX as u64) {
        request = request.map(|body| Body::new(Limited::new(body, BODY_MAX)));
    }
    guard(next.run(request)).await
}

/// Turns a handler that panics or takes too long into an error.
pub(super) async fn guard(handler: impl Future<Output = Response>) -> Result<Response> {
    let handler = AssertUnwindSafe(handler).catch_unwind();
    match timeout(ANSWER_WITHIN, handler).await {
        Ok(Ok(response)) => Ok(response),
        Ok(Err(panic)) => Err(Error::internal(words(&*panic))),
        Err(_) => Err(Error::Unavailable("no answer in time".into())),
    }
}

/// Gives the browser its session's cookie again, unless the answer says something else of it.
fn renew(headers: &mut HeaderMap, secret: Option<&str>, https: bool) {
    if !headers.contains_key(header::SET_COOKIE)
        && let Some(cookie) = set_cookie(secret, https)
    {
        headers.insert(header::SET_COOKIE, cookie);
    }
}

fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned());
    format!("panic: {}", text.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_handler_that_fails_is_answered_for() {
        let fine = guard(async { "fine".into_response() }).await;
        assert!(fine.is_ok());
        let panics = guard(async { panic!("a secret") }).await;
        let Err(error @ Error::Internal(_)) = panics else {
            panic!("{panics:?}");
        };
        let response = error.into_response();
        assert_eq!(response.status(), 500);
        let body = axum::body::to_bytes(response.into_body(), BODY_MAX).await;
        let body: serde_json::Value = serde_json::from_slice(&body.unwrap()).unwrap();
        assert_eq!(body["code"], "internal");
        assert!(body["id"].is_string() && !body.to_string().contains("secret"));
        let late = guard(std::future::pending()).await;
        assert_eq!(late.into_response().status(), 503);
    }
}
