//! Faults as answers: RFC 9457 problem details.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use tidings_domain::error::{Code, Fault, FieldError};
use uuid::Uuid;

use crate::{error::Error, telemetry::about::About};

/// A fault on its way out.
#[derive(Clone, Debug)]
pub struct Problem(pub Fault);

#[derive(Serialize)]
struct Body<'a> {
    r#type: String,
    title: &'static str,
    status: u16,
    detail: &'a str,
    code: Code,
    errors: &'a [FieldError],
    /// Under which the log knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Uuid>,
}

impl Problem {
    fn answer(&self, id: Option<Uuid>) -> Response {
        let Self(fault) = self;
        let body = Body {
            r#type: format!("/problems/{}", fault.code.as_str()),
            title: title(fault.code),
            status: fault.code.status(),
            detail: &fault.detail,
            code: fault.code,
            errors: &fault.errors,
            id,
        };
        let mut response = (status(fault.code), Json(body)).into_response();
        let headers = response.headers_mut();
        let json = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, json);
        match fault.code {
            Code::RateLimited => {
                let seconds = fault.retry_after.unwrap_or(1);
                headers.insert(header::RETRY_AFTER, seconds.into());
            }
            Code::Unavailable => {
                headers.insert(header::RETRY_AFTER, 1.into());
            }
            Code::Unauthenticated => {
                let scheme = HeaderValue::from_static("Bearer");
                headers.insert(header::WWW_AUTHENTICATE, scheme);
            }
            _ => {}
        }
        response
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        self.answer(None)
    }
}

impl From<Code> for Problem {
    fn from(code: Code) -> Self {
        Self(code.into())
    }
}

impl IntoResponse for Error {
    /// Logs what is ours to mend, under an id that the answer holds.
    fn into_response(self) -> Response {
        match self {
            Self::Refused(fault) => Problem(fault).into_response(),
            error => {
                let (fault, id) = log(&error);
                Problem(fault).answer(id)
            }
        }
    }
}

/// What the person is told of a failure that is not theirs, once it was logged; for a fault of ours
/// the id under which the log has it.
fn log(error: &Error) -> (Fault, Option<Uuid>) {
    let about = About::here();
    let (user_id, task_id, trace_id) = (about.user_id(), about.task_id(), about.trace_id());
    match error {
        Error::Refused(fault) => (fault.clone(), None),
        Error::Unavailable(source) => {
            tracing::warn!(
                source,
                user_id,
                task_id,
                trace_id,
                "a request could not be answered"
            );
            (Code::Unavailable.into(), None)
        }
        Error::Internal(source) => {
            let id = Uuid::new_v4();
            tracing::error!(%id, source, user_id, task_id, trace_id, "a request failed: {id}");
            (Code::Internal.into(), Some(id))
        }
    }
}

/// The fault that server functions answer with; what is ours to mend is logged.
pub fn fault(error: Error) -> Fault {
    log(&error).0
}

/// The status of a kind of problem.
pub fn status(code: Code) -> StatusCode {
    StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// The name of a kind of problem.
fn title(code: Code) -> &'static str {
    match code {
        Code::MalformedJson => "Malformed JSON",
        Code::Unauthenticated => "Not signed in",
        Code::InvalidCredentials => "Invalid credentials",
        Code::Forbidden => "Forbidden",
        Code::NotFound => "Not found",
        Code::MethodNotAllowed => "Method not allowed",
        Code::Conflict => "Conflict",
        Code::EmailTaken => "Email taken",
        Code::VersionMismatch => "Version mismatch",
        Code::PayloadTooLarge => "Payload too large",
        Code::UnsupportedMediaType => "Unsupported media type",
        Code::ValidationFailed => "Validation failed",
        Code::IdempotencyMismatch => "Idempotency key mismatch",
        Code::RateLimited => "Rate limited",
        Code::Internal => "Internal error",
        Code::Unavailable => "Unavailable",
    }
}
