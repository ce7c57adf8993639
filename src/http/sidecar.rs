//! The listener that only the sidecar (and whoever collects metrics) reaches: what it subscribes to
//! for us, what it delivers, how we are.

mod deliver;
pub mod subscriptions;

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Value, json};
use tidings_domain::{error::Code, id::UserId};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use self::subscriptions::Subscription;
use super::{
    edge::{self, BODY_MAX},
    problem::Problem,
};
use crate::{
    clock::Clock,
    consumers::together::Together,
    dapr::Token,
    error::Result,
    live::Hub,
    metrics::Metrics,
    store::{DeadLetters, Feeds, Mails, Outbox, Pushes},
};

/// What the sidecar's routes use.
pub struct Sidecar {
    /// Who handles what is delivered.
    pub consumers: Together,
    /// What to subscribe to.
    pub subscriptions: Vec<Subscription>,
    /// What could not be delivered.
    pub letters: Arc<dyn DeadLetters>,
    /// What only the database knows.
    pub feeds: Arc<dyn Feeds>,
    /// What waits to be published.
    pub outbox: Arc<dyn Outbox>,
    /// Mail that waits to be sent.
    pub mails: Arc<dyn Mails>,
    /// What waits to be sent to browsers.
    pub pushes: Arc<dyn Pushes>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Sockets, to be counted.
    pub hub: Arc<Hub>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Wakes the reminders role.
    pub reminding: Arc<Notify>,
    /// What the sidecar must show, if anything.
    pub token: Option<Token>,
    /// Cancelled when the server begins to stop.
    pub stopping: CancellationToken,
}

/// The sidecar's router.
pub fn router(sidecar: Arc<Sidecar>) -> Router {
    Router::new()
        .route("/dapr/subscribe", get(subscribe))
        .route("/events/dead-letter", post(deliver::dead_letter))
        .route("/events/{topic}", post(deliver::event))
        .route("/reminder-cron", post(cron))
        .route("/healthz", get(healthy))
        .route("/metrics", get(metrics))
        .fallback(async || Problem::from(Code::NotFound))
        .method_not_allowed_fallback(async || Problem::from(Code::MethodNotAllowed))
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .layer(from_fn_with_state(sidecar.clone(), admit))
        .with_state(sidecar)
}

/// Lets in who shows the token; everyone where none is set, and to what tells nothing of anybody.
async fn admit(State(sidecar): State<Arc<Sidecar>>, request: Request, next: Next) -> Response {
    let shown = request.headers().get(Token::HEADER);
    let shown = shown.map_or(&[][..], |value| value.as_bytes());
    let open = matches!(request.uri().path(), "/healthz" | "/metrics");
    if !open && sidecar.token.as_ref().is_some_and(|token| !token.is(shown)) {
        return Problem::from(Code::Unauthenticated).into_response();
    }
    let answer = edge::guard(next.run(request)).await;
    answer.unwrap_or_else(IntoResponse::into_response)
}

async fn subscribe(State(sidecar): State<Arc<Sidecar>>) -> Json<Value> {
    Json(json!(sidecar.subscriptions))
}

/// The cron binding. It does not wait for what it sets off.
async fn cron(State(sidecar): State<Arc<Sidecar>>) -> StatusCode {
    sidecar.reminding.notify_one();
    StatusCode::OK
}

/// Without the database nothing that is delivered could be handled: a sidecar that asks waits, rather
/// than make dead letters of it all.
async fn healthy(State(sidecar): State<Arc<Sidecar>>) -> Result<Json<Value>> {
    if sidecar.stopping.is_cancelled() {
        return Err(Code::Unavailable.into());
    }
    // Nobody's feed: the cheapest question that only the database can answer.
    sidecar.feeds.head(UserId(Uuid::nil())).await?;
    Ok(Json(json!({ "status": "ok" })))
}

async fn metrics(State(sidecar): State<Arc<Sidecar>>, headers: HeaderMap) -> Response {
    let metrics = &sidecar.metrics;
    // What the database does not tell now stays as it was last told.
    match sidecar.outbox.depth().await {
        Ok(depths) => metrics.outbox(&depths, sidecar.clock.now()),
        Err(error) => tracing::warn!(%error, "the outbox was not counted"),
    }
    match sidecar.letters.count_letters().await {
        Ok(letters) => metrics.letters(letters),
        Err(error) => tracing::warn!(%error, "dead letters were not counted"),
    }
    match sidecar.mails.mail_depth().await {
        Ok(depth) => metrics.mails(depth),
        Err(error) => tracing::warn!(%error, "mail was not counted"),
    }
    match sidecar.pushes.push_depth().await {
        Ok(depth) => metrics.pushes(depth),
        Err(error) => tracing::warn!(%error, "pushes were not counted"),
    }
    metrics.sockets(sidecar.hub.sockets());
    // The text is the same: whoever does not know the newer name reads it as the older one.
    let accept = headers.get(header::ACCEPT).and_then(|v| v.to_str().ok());
    let kind = match accept.is_some_and(|accept| accept.contains("openmetrics")) {
        true => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        false => "text/plain; version=0.0.4; charset=utf-8",
    };
    ([(header::CONTENT_TYPE, kind)], metrics.text()).into_response()
}
