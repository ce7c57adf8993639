//! The span of a request.

use axum::{extract::Request, http::HeaderMap};
use tracing::{Span, field::Empty};

use crate::telemetry::{SPANS, TraceContext, about::About};

/// Where the request says that it comes from, if it does.
pub(super) fn given(headers: &HeaderMap) -> Option<TraceContext> {
    let value = headers.get(TraceContext::NAME)?.to_str().ok()?;
    TraceContext::parse(value)
}

/// A request to a route: its span, and where in a trace it is. Files and probes have none, as there
/// would be more of them than of anything else.
pub(super) fn begin(request: &Request, method: &str, route: &str) -> (Span, TraceContext) {
    let given = given(request.headers());
    let span = match route {
        "none" | "/healthz" | "/readyz" => Span::none(),
        _ => tracing::trace_span!(
            target: SPANS,
            parent: None,
            "request",
            otel.name = %format_args!("{method} {route}"),
            otel.kind = "server",
            otel.status_code = Empty,
            http.request.method = method,
            http.route = route,
            http.response.status_code = Empty,
            user.id = Empty,
            tidings.task_id = Empty,
        ),
    };
    if let Some(given) = given {
        given.adopt(&span);
    }
    let here = TraceContext::of(&span).or(given);
    (span, here.unwrap_or_else(TraceContext::fresh))
}

/// What became of it.
pub(super) fn end(span: &Span, status: u16, about: &About) {
    if span.is_disabled() {
        return;
    }
    span.record("http.response.status_code", status);
    span.record("user.id", about.user_id());
    span.record("tidings.task_id", about.task_id());
    if status >= 500 {
        span.record("otel.status_code", "ERROR");
    }
}
