//! Whether the process is alive, and whether it can do its work.

use axum::{Json, extract::State};
use serde_json::{Value, json};
use tidings_domain::{error::Code, id::UserId};
use uuid::Uuid;

use super::{routes::Routes, state::AppState};
use crate::error::Result;

/// The routes.
pub fn routes() -> Routes {
    Routes::new().get("/healthz", alive).get("/readyz", ready)
}

async fn alive() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

async fn ready(State(app): State<AppState>) -> Result<Json<Value>> {
    if app.stopping.is_cancelled() {
        return Err(Code::Unavailable.into());
    }
    // Nobody's feed: the cheapest question that only the database can answer.
    app.store.head(UserId(Uuid::nil())).await?;
    // Without the sidecar everything still works but for what comes of events elsewhere.
    let report = app.standing.as_ref().map(|standing| standing.report());
    Ok(Json(match report {
        Some(report) if !report.is_fine() => json!({ "status": "degraded", "dapr": report }),
        _ => json!({ "status": "ok" }),
    }))
}
