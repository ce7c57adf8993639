//! The JSON Schemas of events, as `docs/events/` has them. Those of published versions stay as they
//! are, so answers may be kept.

use axum::{
    extract::Path,
    http::header,
    response::{IntoResponse, Response},
};
use tidings_domain::error::Code;

use super::routes::Routes;
use crate::error::Result;

/// A schema: type, version, text.
type Schema = (&'static str, &'static str, &'static str);

macro_rules! schemas {
    ($($name:literal $version:literal,)*) => {
        &[$((
            $name,
            $version,
            include_str!(concat!("../../docs/events/", $name, "/", $version, ".json")),
        ),)*]
    };
}

/// Every version of every type of event, and the shapes that these share.
const SCHEMAS: &[Schema] = schemas![
    "event" "1.0",
    "task" "1.0",
    "task.created" "1.0",
    "task.updated" "1.0",
    "task.completed" "1.0",
    "task.deleted" "1.0",
    "task.restored" "1.0",
    "reminder.due" "1.0",
    "notification.created" "1.0",
    "user.registered" "1.0",
    "user.deleted" "1.0",
    "audit.user.logged_in" "1.0",
    "audit.user.login_failed" "1.0",
    "audit.user.logged_out" "1.0",
    "audit.user.password_changed" "1.0",
    "audit.token.created" "1.0",
    "audit.token.revoked" "1.0",
    "audit.data.exported" "1.0",
    "audit.data.imported" "1.0",
];

/// The routes.
pub fn routes() -> Routes {
    Routes::new().get("/schemas/{type}/{file}", schema)
}

async fn schema(Path((name, file)): Path<(String, String)>) -> Result<Response> {
    let version = file.strip_suffix(".json").ok_or(Code::NotFound)?;
    let found = SCHEMAS.iter().find(|s| (s.0, s.1) == (&*name, version));
    let (_, _, text) = found.ok_or(Code::NotFound)?;
    let headers = [
        (header::CONTENT_TYPE, "application/schema+json"),
        (header::CACHE_CONTROL, "public, max-age=86400"),
    ];
    Ok((headers, *text).into_response())
}
