//! `/api/auth/reset`: a new password for somebody who has forgotten theirs.

use std::sync::Arc;

use axum::{Extension, extract::State, http::StatusCode};

use super::openapi::schemas;
use crate::{
    auth::Caller,
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
        .post("/api/auth/reset", ask)
        .post("/api/auth/reset/confirm", confirm)
}

/// Asks for a link that sets a new password. It comes by mail, if there is an account of that email.
#[utoipa::path(post, path = "/api/auth/reset", tag = "Account", security(()),
    operation_id = "ask_reset", request_body = schemas::ResetRequest, responses(
    (status = 202, description = "Asked for, whether or not there is such an account.")))]
pub(super) async fn ask(
    State(app): State<AppState>,
    Extension(caller): Extension<Arc<Caller>>,
    body: JsonObject,
) -> Result<StatusCode> {
    let mut fields = Fields::from(body);
    let email = fields.required_text("email");
    fields.finish(&[])?;
    app.accounts.ask_reset(&email, &caller).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Sets a new password by the token of such a link, once, within an hour. Every session ends.
#[utoipa::path(post, path = "/api/auth/reset/confirm", tag = "Account", security(()),
    operation_id = "reset", request_body = schemas::Reset, responses(
    (status = 204, description = "It is set.")))]
pub(super) async fn confirm(
    State(app): State<AppState>,
    Extension(caller): Extension<Arc<Caller>>,
    body: JsonObject,
) -> Result<StatusCode> {
    let mut fields = Fields::from(body);
    let token = fields.required_text("token");
    let password = fields.required_text("password");
    fields.finish(&[])?;
    app.accounts.reset(&token, password, &caller).await?;
    Ok(StatusCode::NO_CONTENT)
}
