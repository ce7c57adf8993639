//! `/api/stats`: what a person got done.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use tidings_domain::{
    error::Fault,
    statistics::{DAYS_DEFAULT, DAYS_MAX},
};

use super::{openapi::schemas, request::Parameters};
use crate::{
    auth::Actor,
    error::Result,
    http::{routes::Routes, state::AppState},
};

/// The route.
pub fn routes() -> Routes {
    Routes::new().get("/api/stats", stats)
}

/// What the person got done on the last days, today among them.
#[utoipa::path(get, path = "/api/stats", tag = "Tasks", params(schemas::StatisticsParameters),
    responses((status = 200, description = "The statistics.", body = schemas::Statistics)))]
pub(super) async fn stats(
    State(app): State<AppState>,
    actor: Actor,
    parameters: Parameters,
) -> Result<Response> {
    let days = match parameters.get("days") {
        None => DAYS_DEFAULT,
        Some(text) => days(text).ok_or_else(|| {
            let words = format!("days is a number from 1 to {DAYS_MAX}.");
            Fault::field("days", "invalid", words)
        })?,
    };
    Ok(Json(app.tasks.statistics(&actor, days).await?).into_response())
}

/// So many days, if they can be asked for.
pub fn days(text: &str) -> Option<u16> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    let days = text.parse().ok().filter(|_| digits);
    days.filter(|days| (1..=DAYS_MAX).contains(days))
}
