//! `/api/tokens`: personal tokens.

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::PathId;
use crate::{
    auth::Actor,
    error::Result,
    http::{
        fields::{Fields, JsonObject},
        routes::Routes,
        state::AppState,
    },
};

/// The routes.
pub fn routes() -> Routes {
    Routes::new()
        .get("/api/tokens", list)
        .post("/api/tokens", create)
        .delete("/api/tokens/{id}", revoke)
}

async fn list(State(app): State<AppState>, actor: Actor) -> Result<Json<Value>> {
    let items = app.accounts.tokens(&actor).await?;
    Ok(Json(json!({ "items": items })))
}

async fn create(State(app): State<AppState>, actor: Actor, body: JsonObject) -> Result<Response> {
    let mut fields = Fields::from(body);
    let name = fields.required_text("name");
    fields.finish(&["id", "token", "created_at"])?;
    let (token, secret) = app.accounts.create_token(&actor, &name).await?;
    let body = json!({
        "id": token.id,
        "name": token.name,
        "token": secret,
        "created_at": token.created_at,
    });
    let keep = [(header::CACHE_CONTROL, "no-store")];
    Ok((StatusCode::CREATED, keep, Json(body)).into_response())
}

async fn revoke(
    State(app): State<AppState>,
    actor: Actor,
    PathId(id): PathId,
) -> Result<StatusCode> {
    app.accounts.revoke_token(&actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
