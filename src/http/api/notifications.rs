//! `/api/notifications` and `/api/me/notifications`: what a person was told, and what of.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tidings_domain::{
    error::{Fault, FieldError},
    notice::{Channels, Kind, Notification, Settings},
};

use super::{
    PathId,
    openapi::schemas,
    request::{Asked, Parameters, field, only},
    tasks::changed,
};
use crate::{
    auth::Actor,
    error::Result,
    http::{fields::JsonObject, routes::Routes, state::AppState},
    service::{
        notifications::{Snooze, read_place, write_place},
        tasks::{LIMIT_DEFAULT, LIMIT_MAX},
    },
    store::Action,
};

/// The routes.
pub fn routes() -> Routes {
    Routes::new()
        .get("/api/notifications", list)
        .post("/api/notifications/read", read_all)
        .post("/api/notifications/{id}/read", read)
        .post("/api/notifications/{id}/snooze", snooze)
        .get("/api/me/notifications", settings)
        .put("/api/me/notifications", set_settings)
}

/// A part of the list.
#[derive(Serialize)]
struct Notifications {
    items: Vec<Notification>,
    next_cursor: Option<String>,
}

/// Lists notifications, newest first.
#[utoipa::path(get, path = "/api/notifications", tag = "Notifications",
    params(schemas::NotificationParameters), responses(
    (status = 200, description = "A part of the list.", body = schemas::Notifications)))]
pub(super) async fn list(
    State(app): State<AppState>,
    actor: Actor,
    parameters: Parameters,
) -> Result<Response> {
    let unread = match parameters.get("unread") {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => {
            return Err(Fault::field("unread", "invalid", "unread is true or false.").into());
        }
    };
    let limit = parameters.limit(LIMIT_DEFAULT, LIMIT_MAX)?;
    let after = parameters.get("cursor").map(read_place).transpose()?;
    let list = app.notifications.list(&actor, unread, after, limit);
    let (items, next) = list.await?;
    let next_cursor = next.map(write_place);
    Ok(Json(Notifications { items, next_cursor }).into_response())
}

/// Marks a notification as read.
#[utoipa::path(post, path = "/api/notifications/{id}/read", tag = "Notifications",
    params(("id" = Uuid, Path)), responses(
    (status = 200, description = "The notification.", body = schemas::Notification)))]
pub(super) async fn read(
    State(app): State<AppState>,
    actor: Actor,
    PathId(id): PathId,
) -> Result<Json<Notification>> {
    Ok(Json(app.notifications.read(&actor, id).await?))
}

/// Marks all notifications as read.
#[utoipa::path(post, path = "/api/notifications/read", tag = "Notifications", responses(
    (status = 200, description = "How many were not.", body = schemas::Read)))]
pub(super) async fn read_all(State(app): State<AppState>, actor: Actor) -> Result<Json<Value>> {
    let read = app.notifications.read_all(&actor).await?;
    Ok(Json(json!({ "read": read })))
}

/// Puts the reminder of a notification's task off.
///
/// An ordinary change of the task: its `remind_at` moves, but not that of those that follow on it.
/// `tomorrow` is 09:00 in the person's zone.
#[utoipa::path(post, path = "/api/notifications/{id}/snooze", tag = "Notifications",
    params(("id" = Uuid, Path)), request_body = schemas::Snooze, responses(schemas::Changed))]
pub(super) async fn snooze(
    State(app): State<AppState>,
    actor: Actor,
    PathId(id): PathId,
    asked: Asked,
) -> Result<Response> {
    let fields = asked.object()?;
    only(&fields, &["for"])?;
    let wanted: Option<String> = field(&fields, "for", "for is a text.")?;
    let snooze = Snooze::parse(&wanted.unwrap_or_default())?;
    let intent = |task, action: Action| asked.intent(&actor, Some(task), action);
    let outcome = app.notifications.snooze(&actor, id, snooze, intent);
    changed(axum::http::StatusCode::OK, outcome.await?)
}

/// Tells of what the person is notified, and how.
#[utoipa::path(get, path = "/api/me/notifications", tag = "Notifications", responses(
    (status = 200, description = "By kind.", body = schemas::NotificationSettings)))]
pub(super) async fn settings(State(app): State<AppState>, actor: Actor) -> Result<Json<Settings>> {
    Ok(Json(app.notifications.settings(&actor).await?))
}

/// Sets of what the person is notified, and how.
///
/// A kind that is missing takes its default.
#[utoipa::path(put, path = "/api/me/notifications", tag = "Notifications",
    request_body = schemas::NotificationSettings, responses(
    (status = 200, description = "By kind.", body = schemas::NotificationSettings)))]
pub(super) async fn set_settings(
    State(app): State<AppState>,
    actor: Actor,
    JsonObject(object): JsonObject,
) -> Result<Json<Settings>> {
    let mut settings = Settings::default();
    let mut errors = Vec::new();
    for (name, value) in &object {
        let Some(kind) = Kind::parse(name) else {
            let words = format!("{name} is not known here.");
            errors.push(FieldError::new(name, "unknown", words));
            continue;
        };
        match Channels::deserialize(value) {
            Ok(channels) => *settings.of_mut(kind) = channels,
            Err(_) => {
                let words = format!("{name} is app, browser and mail, each true or false.");
                errors.push(FieldError::new(name, "invalid", words));
            }
        }
    }
    if !errors.is_empty() {
        return Err(Fault::fields(errors).into());
    }
    app.notifications.set_settings(&actor, &settings).await?;
    Ok(Json(settings))
}
