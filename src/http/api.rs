//! REST, a noun a file.

pub mod account;
pub mod audit;
pub mod events;
pub mod notifications;
pub mod openapi;
pub mod push;
mod request;
pub mod reset;
pub mod stats;
pub mod tasks;
pub mod tokens;

use axum::{
    extract::{FromRequestParts, Path},
    http::request::Parts,
};
use tidings_domain::error::Code;
use uuid::Uuid;

use super::{routes::Routes, state::AppState};
use crate::error::{Error, Result};

/// The routes.
pub fn routes() -> Routes {
    Routes::new()
        .merge(account::routes())
        .merge(reset::routes())
        .merge(tokens::routes())
        .merge(tasks::routes())
        .merge(events::routes())
        .merge(audit::routes())
        .merge(notifications::routes())
        .merge(push::routes())
        .merge(stats::routes())
        .merge(openapi::routes())
}

/// The one id in a path. What is no id names nothing: 404.
#[derive(Clone, Copy, Debug)]
pub struct PathId(pub Uuid);

impl FromRequestParts<AppState> for PathId {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self> {
        let Path(text) = Path::<String>::from_request_parts(parts, app)
            .await
            .map_err(|_| Code::NotFound)?;
        // In the one form that we write.
        let id = Some(text).filter(|text| text.len() == 36);
        let id = id
            .and_then(|text| text.parse().ok())
            .ok_or(Code::NotFound)?;
        Ok(Self(id))
    }
}
