//! `/api/auth/*` and `/api/me`: signing up, in and out, and one's own account.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use tidings_domain::{
    account::User,
    error::{Fault, FieldError},
};

use super::openapi::schemas;
use crate::{
    auth::{Actor, Caller},
    error::{Error, Result},
    http::{
        caller::set_cookie,
        fields::{Fields, JsonObject},
        routes::Routes,
        state::AppState,
    },
    service::accounts::{ProfileChange, Registration, SignedIn},
};

/// What nobody changes of themselves.
const READ_ONLY: [&str; 3] = ["id", "email", "created_at"];

/// The routes.
pub fn routes() -> Routes {
    Routes::new()
        .post("/api/auth/register", register)
        .post("/api/auth/login", login)
        .post("/api/auth/logout", logout)
        .get("/api/me", me)
        .patch("/api/me", update)
        .delete("/api/me", delete)
        .post("/api/me/password", set_password)
}

/// Makes an account and signs in.
#[utoipa::path(post, path = "/api/auth/register", tag = "Account", security(()),
    request_body = schemas::Registration, responses(
    (status = 201, description = "The person, with the cookie of a session.", body = schemas::User)))]
pub(super) async fn register(
    State(app): State<AppState>,
    Extension(caller): Extension<Arc<Caller>>,
    body: JsonObject,
) -> Result<Response> {
    let mut fields = Fields::from(body);
    let form = Registration {
        email: fields.required_text("email"),
        name: fields.required_text("name"),
        password: fields.required_text("password"),
        time_zone: fields.text("time_zone"),
    };
    fields.finish(&[])?;
    let signed_in = app.accounts.register(form, "api", &caller).await?;
    Ok(welcome(StatusCode::CREATED, signed_in, &caller))
}

/// Signs in.
#[utoipa::path(post, path = "/api/auth/login", tag = "Account", security(()),
    request_body = schemas::Credentials, responses(
    (status = 200, description = "The person, with the cookie of a session.", body = schemas::User)))]
pub(super) async fn login(
    State(app): State<AppState>,
    Extension(caller): Extension<Arc<Caller>>,
    body: JsonObject,
) -> Result<Response> {
    let mut fields = Fields::from(body);
    let email = fields.required_text("email");
    let password = fields.required_text("password");
    fields.finish(&[])?;
    let signed_in = app.accounts.sign_in(&email, password, &caller).await?;
    Ok(welcome(StatusCode::OK, signed_in, &caller))
}

/// Signs out, here or everywhere.
#[utoipa::path(post, path = "/api/auth/logout", tag = "Account",
    request_body = Option<schemas::SignOut>, responses((status = 204, description = "Signed out.")))]
pub(super) async fn logout(
    State(app): State<AppState>,
    actor: Actor,
    body: Option<JsonObject>,
) -> Result<Response> {
    let mut fields = Fields::from(body.unwrap_or_default());
    let everywhere = fields.flag("everywhere").unwrap_or(false);
    fields.finish(&[])?;
    app.accounts.sign_out(&actor, everywhere).await?;
    Ok(farewell(&actor))
}

/// Tells who is signed in.
#[utoipa::path(get, path = "/api/me", tag = "Account", responses(
    (status = 200, description = "The person.", body = schemas::User)))]
pub(super) async fn me(actor: Actor) -> Json<User> {
    Json(User::clone(&actor.user))
}

/// Changes the profile.
#[utoipa::path(patch, path = "/api/me", tag = "Account", request_body = schemas::ProfileChange,
    responses((status = 200, description = "The person after it.", body = schemas::User)))]
pub(super) async fn update(
    State(app): State<AppState>,
    actor: Actor,
    JsonObject(object): JsonObject,
) -> Result<Json<User>> {
    // None of these fields can be cleared.
    let cleared = object.iter().filter(|(_, value)| value.is_null());
    let cleared: Vec<_> = cleared
        .map(|(name, _)| FieldError::new(name, "required", format!("{name} cannot be empty.")))
        .collect();
    let mut fields = Fields::from(JsonObject(object));
    let change = ProfileChange {
        name: fields.text("name"),
        time_zone: fields.text("time_zone"),
        theme: fields.text("theme"),
    };
    fields.finish(&READ_ONLY)?;
    if !cleared.is_empty() {
        return Err(Fault::fields(cleared).into());
    }
    let (user, _) = app.accounts.update(&actor, change).await?;
    Ok(Json(user))
}

/// Sets the password. Every other session ends.
#[utoipa::path(post, path = "/api/me/password", tag = "Account",
    request_body = schemas::PasswordChange, responses((status = 204, description = "It is set.")))]
pub(super) async fn set_password(
    State(app): State<AppState>,
    actor: Actor,
    body: JsonObject,
) -> Result<StatusCode> {
    let mut fields = Fields::from(body);
    let current = fields.required_text("current");
    let new = fields.required_text("new");
    fields.finish(&[])?;
    app.accounts.set_password(&actor, current, new).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Deletes the account, and everything of the person with it.
#[utoipa::path(delete, path = "/api/me", tag = "Account", request_body = schemas::Confirmation,
    responses((status = 204, description = "It is gone.")))]
pub(super) async fn delete(
    State(app): State<AppState>,
    actor: Actor,
    body: JsonObject,
) -> Result<Response> {
    let mut fields = Fields::from(body);
    let password = fields.required_text("password");
    fields.finish(&[])?;
    app.accounts.delete(&actor, password).await?;
    Ok(farewell(&actor))
}

/// Answers with the person and the cookie of their new session.
fn welcome(status: StatusCode, signed_in: SignedIn, caller: &Caller) -> Response {
    let Some(cookie) = set_cookie(Some(&signed_in.secret), caller.https) else {
        return Error::internal("a session's secret fits no header").into_response();
    };
    (status, [(header::SET_COOKIE, cookie)], Json(signed_in.user)).into_response()
}

/// Takes the cookie away.
fn farewell(actor: &Actor) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    if let Some(cookie) = set_cookie(None, actor.caller.https) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}
