//! `/api/tokens`: personal tokens.

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::{PathId, openapi::schemas};
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

/// Lists personal tokens, newest first.
#[utoipa::path(get, path = "/api/tokens", tag = "Tokens", responses(
    (status = 200, description = "Tokens without their secrets.", body = schemas::Tokens)))]
pub(super) async fn list(State(app): State<AppState>, actor: Actor) -> Result<Json<Value>> {
    let items = app.accounts.tokens(&actor).await?;
    Ok(Json(json!({ "items": items })))
}

/// Makes a personal token.
#[utoipa::path(post, path = "/api/tokens", tag = "Tokens", request_body = schemas::TokenRequest,
    responses((status = 201, description = "The token, its secret this once.", body = schemas::NewToken)))]
pub(super) async fn create(
    State(app): State<AppState>,
    actor: Actor,
    body: JsonObject,
) -> Result<Response> {
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

/// Revokes a personal token.
#[utoipa::path(delete, path = "/api/tokens/{id}", tag = "Tokens", params(("id" = Uuid, Path)),
    responses((status = 204, description = "It is revoked.")))]
pub(super) async fn revoke(
    State(app): State<AppState>,
    actor: Actor,
    PathId(id): PathId,
) -> Result<StatusCode> {
    app.accounts.revoke_token(&actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
