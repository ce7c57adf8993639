//! `/api/audit`: what the audit consumer recorded.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use serde::Serialize;

use super::{openapi::schemas, request::Parameters};
use crate::{
    auth::Actor,
    error::Result,
    http::{routes::Routes, state::AppState},
    store::AuditRow,
};

/// Rows where no limit is given.
const DEFAULT: usize = 200;
/// Rows of one answer, at most.
const MAX: usize = 1_000;

/// The route.
pub fn routes() -> Routes {
    Routes::new().get("/api/audit", audit)
}

/// A part of the audit trail.
#[derive(Serialize)]
struct Trail {
    items: Vec<AuditRow>,
}

/// Reads what the audit consumer recorded, on from a number of its own order.
#[utoipa::path(get, path = "/api/audit", tag = "Events", params(schemas::FeedParameters), responses(
    (status = 200, description = "A part of the audit trail.", body = schemas::Trail)))]
pub(super) async fn audit(
    State(app): State<AppState>,
    actor: Actor,
    parameters: Parameters,
) -> Result<Response> {
    let after = parameters.after("after")?;
    let limit = parameters.limit(DEFAULT, MAX)?;
    let items = app.tasks.audit(&actor, after, limit).await?;
    Ok(Json(Trail { items }).into_response())
}
