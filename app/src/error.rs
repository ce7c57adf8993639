//! The error of every server function: the domain's fault, with the status of its code.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use server_fn::{codec::JsonEncoding, error::FromServerFnError};
use tidings_domain::error::{Code, Fault};

/// A fault on its way to the browser.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppError(pub Fault);

impl std::fmt::Display for AppError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for AppError {}

impl From<Fault> for AppError {
    fn from(fault: Fault) -> Self {
        Self(fault)
    }
}

impl FromServerFnError for AppError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        // Not reaching the server is the one framework error that a person can do something about.
        let code = match error {
            ServerFnErrorErr::Request(_) => Code::Unavailable,
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) => Code::ValidationFailed,
            ServerFnErrorErr::Deserialization(_) => Code::MalformedJson,
            _ => Code::Internal,
        };
        Self(code.into())
    }
}

/// Ends a server function: a fault sets the response's status, unless a plain form asked, for which
/// the framework redirects back and the page shows the fault.
///
/// # Errors
/// The fault.
#[cfg(feature = "ssr")]
pub(crate) fn answer<T>(outcome: Result<T, Fault>) -> Result<T, AppError> {
    outcome.map_err(|fault| {
        let html = use_context::<http::request::Parts>().is_some_and(|parts| {
            let accept = parts.headers.get(http::header::ACCEPT);
            accept
                .and_then(|v| v.to_str().ok())
                .is_some_and(|v| v.contains("text/html"))
        });
        if !html && let Some(response) = use_context::<leptos_axum::ResponseOptions>() {
            let status = http::StatusCode::from_u16(fault.code.status());
            response.set_status(status.unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR));
        }
        AppError(fault)
    })
}
