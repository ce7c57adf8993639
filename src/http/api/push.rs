//! `/api/push`: browsers that are told with every tab closed.

use axum::{Json, extract::State, http::StatusCode};
use serde_json::{Value, json};

use super::openapi::schemas;
use crate::{
    auth::Actor,
    error::Result,
    http::{
        fields::{Fields, JsonObject},
        routes::Routes,
        state::AppState,
    },
    service::browsers::Told,
};

/// The routes.
pub fn routes() -> Routes {
    Routes::new()
        .get("/api/push/key", key)
        .post("/api/push/subscriptions", subscribe)
        .delete("/api/push/subscriptions", unsubscribe)
}

/// Tells the key that browsers subscribe with.
///
/// `applicationServerKey` of the Push API.
#[utoipa::path(get, path = "/api/push/key", tag = "Notifications", responses(
    (status = 200, description = "The public key.", body = schemas::PushKey)))]
pub(super) async fn key(State(app): State<AppState>, _: Actor) -> Json<Value> {
    Json(json!({ "key": app.browsers.key() }))
}

/// Has a browser told with every tab closed.
///
/// The body is a `PushSubscription` of the Push API, as it writes itself as JSON. It ends with the
/// session that it was made in; the newest ten of a person are kept.
#[utoipa::path(post, path = "/api/push/subscriptions", tag = "Notifications",
    request_body = schemas::PushSubscription,
    responses((status = 204, description = "It is told from now on.")))]
pub(super) async fn subscribe(
    State(app): State<AppState>,
    actor: Actor,
    JsonObject(mut object): JsonObject,
) -> Result<StatusCode> {
    // What the browser writes beside it, and nobody asks for.
    object.remove("expirationTime");
    if let Some(Value::Object(keys)) = object.remove("keys") {
        object.extend(
            keys.into_iter()
                .map(|(name, key)| (format!("keys.{name}"), key)),
        );
    }
    let mut fields = Fields::from(JsonObject(object));
    let told = Told {
        endpoint: fields.required_text("endpoint"),
        p256dh: fields.required_text("keys.p256dh"),
        auth: fields.required_text("keys.auth"),
    };
    fields.finish(&[])?;
    app.browsers.subscribe(&actor, told).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Has a browser told no more.
#[utoipa::path(delete, path = "/api/push/subscriptions", tag = "Notifications",
    request_body = schemas::PushEndpoint,
    responses((status = 204, description = "It is not told any more.")))]
pub(super) async fn unsubscribe(
    State(app): State<AppState>,
    actor: Actor,
    body: JsonObject,
) -> Result<StatusCode> {
    let mut fields = Fields::from(body);
    let endpoint = fields.required_text("endpoint");
    fields.finish(&[])?;
    app.browsers.unsubscribe(&actor, &endpoint).await?;
    Ok(StatusCode::NO_CONTENT)
}
