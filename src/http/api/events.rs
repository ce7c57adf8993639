//! `/api/events`: the person's feed, to read on from a seq.

use std::fmt::Write as _;

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};

use super::{openapi::schemas, request::Parameters};
use crate::{
    auth::Actor,
    error::Result,
    http::{routes::Routes, state::AppState},
};

/// Events where no limit is given.
const DEFAULT: usize = 200;
/// Events of one answer, at most.
pub(super) const MAX: usize = 1_000;

/// The route.
pub fn routes() -> Routes {
    Routes::new().get("/api/events", events)
}

/// Reads the feed on from a seq.
///
/// An answer may end before `limit`; go on from its last seq until that is the head.
#[utoipa::path(get, path = "/api/events", tag = "Events", params(schemas::FeedParameters), responses(
    (status = 200, description = "Events in order, without gaps.", body = schemas::Events)))]
pub(super) async fn events(
    State(app): State<AppState>,
    actor: Actor,
    parameters: Parameters,
) -> Result<Response> {
    let after = parameters.after("after")?;
    let limit = parameters.limit(DEFAULT, MAX)?;
    let (epoch, head, events) = app.tasks.events(&actor, after, limit).await?;
    // Events go out as they lie in the log, without being read.
    let mut body =
        String::with_capacity(128 + events.iter().map(|e| e.json.len() + 1).sum::<usize>());
    let _ = write!(body, "{{\"epoch\":\"{epoch}\",\"head\":{head},\"items\":[");
    for (n, event) in events.iter().enumerate() {
        if n > 0 {
            body.push(',');
        }
        body.push_str(&event.json);
    }
    body.push_str("]}");
    Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}
