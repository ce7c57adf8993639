//! The one error that rules, stores and services make. The edge maps it to a status; its words are
//! written for the person who caused it and never show insides.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{account::PASSWORD_MIN, task::TITLE_MAX};

/// What went wrong, as `code` in problem details and in server function errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The body is not JSON.
    MalformedJson,
    /// No valid session or token.
    Unauthenticated,
    /// Email and password do not match.
    InvalidCredentials,
    /// The request may not be made from there, or with these credentials.
    Forbidden,
    /// There is no such thing, or it belongs to someone else.
    NotFound,
    /// The path exists, the method does not.
    MethodNotAllowed,
    /// The thing exists already or is not in the state that this needs.
    Conflict,
    /// Another account has this email.
    EmailTaken,
    /// `If-Match` names another version.
    VersionMismatch,
    /// The body is over its limit.
    PayloadTooLarge,
    /// The content type is not one that is read here.
    UnsupportedMediaType,
    /// A field is missing or wrong; see the fields.
    ValidationFailed,
    /// The idempotency key was used for another request.
    IdempotencyMismatch,
    /// Too many requests.
    RateLimited,
    /// A fault of ours.
    Internal,
    /// Something that this needs is out of reach; try again.
    Unavailable,
}

impl Code {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::MalformedJson,
        Self::Unauthenticated,
        Self::InvalidCredentials,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::Conflict,
        Self::EmailTaken,
        Self::VersionMismatch,
        Self::PayloadTooLarge,
        Self::UnsupportedMediaType,
        Self::ValidationFailed,
        Self::IdempotencyMismatch,
        Self::RateLimited,
        Self::Internal,
        Self::Unavailable,
    ];

    /// The HTTP status that goes with the code.
    pub fn status(self) -> u16 {
        match self {
            Self::MalformedJson => 400,
            Self::Unauthenticated | Self::InvalidCredentials => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::Conflict | Self::EmailTaken => 409,
            Self::VersionMismatch => 412,
            Self::PayloadTooLarge => 413,
            Self::UnsupportedMediaType => 415,
            Self::ValidationFailed | Self::IdempotencyMismatch => 422,
            Self::RateLimited => 429,
            Self::Internal => 500,
            Self::Unavailable => 503,
        }
    }

    /// The code as it is written, in snake case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MalformedJson => "malformed_json",
            Self::Unauthenticated => "unauthenticated",
            Self::InvalidCredentials => "invalid_credentials",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::Conflict => "conflict",
            Self::EmailTaken => "email_taken",
            Self::VersionMismatch => "version_mismatch",
            Self::PayloadTooLarge => "payload_too_large",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::ValidationFailed => "validation_failed",
            Self::IdempotencyMismatch => "idempotency_mismatch",
            Self::RateLimited => "rate_limited",
            Self::Internal => "internal",
            Self::Unavailable => "unavailable",
        }
    }

    /// The code that is written so.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|c| c.as_str() == text)
    }

    /// The words that stand for the code where nothing more is known.
    pub fn words(self) -> &'static str {
        match self {
            Self::MalformedJson => "That is not valid JSON.",
            Self::Unauthenticated => "Sign in to continue.",
            Self::InvalidCredentials => "That email and password do not match.",
            Self::Forbidden => "That is not allowed from here.",
            Self::NotFound => "There is nothing here.",
            Self::MethodNotAllowed => "That method is not allowed here.",
            Self::Conflict => "That clashes with what is there already.",
            Self::EmailTaken => "That email is already registered. Sign in instead?",
            Self::VersionMismatch => "The task has changed since you read it.",
            Self::PayloadTooLarge => "That is too large. The limit is 1 MiB.",
            Self::UnsupportedMediaType => {
                "That content type is not read here. Send application/json."
            }
            Self::ValidationFailed => "Some fields need attention.",
            Self::IdempotencyMismatch => "That idempotency key was used for a different request.",
            Self::RateLimited => "Too many tries. Wait a little and try again.",
            Self::Internal => "Something failed on our side. Try again in a moment.",
            Self::Unavailable => "Tidings cannot reach its data right now. Try again in a moment.",
        }
    }
}

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// The field as the client names it.
    pub field: String,
    /// `required`, `too_long`, `too_short`, `too_many`, `invalid`, `unknown` or `read_only`.
    pub code: String,
    /// What to do about it, in words.
    pub message: String,
}

impl FieldError {
    /// A field error from its three parts.
    pub fn new(field: impl Into<String>, code: &str, message: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            code: code.into(),
            message: message.into(),
        }
    }

    /// An error of a field of which only the codes are known, its own and that of its fault: in the
    /// words that stand for them.
    pub fn known(field: &str, code: &str, of: Code) -> Self {
        // Nothing but a password has a length that it must reach.
        let short = format!("This must have at least {PASSWORD_MIN} characters.");
        let long = match field {
            // What is typed into the add line is mostly a title.
            "text" | "title" => format!("A title can have at most {TITLE_MAX} characters."),
            _ => "This is too long.".to_owned(),
        };
        let (code, words) = match (of, code) {
            (Code::InvalidCredentials, _) => ("invalid", "That is not your password."),
            (_, "required") => ("required", "This is needed."),
            (_, "too_long") => ("too_long", &*long),
            (_, "too_short") => ("too_short", &*short),
            (_, "too_many") => ("too_many", "These are too many."),
            _ => ("invalid", wrong(field)),
        };
        Self::new(field, code, words)
    }
}

/// What is wrong with a field that holds something else than it should.
fn wrong(field: &str) -> &'static str {
    match field {
        "email" => "That is not an email address.",
        "time_zone" => "There is no time zone of that name. Such as Europe/Berlin.",
        "due_date" => "That is not a date.",
        "due_time" | "remind_at" => "That is not a time.",
        "recurrence" => "That is no rule for repeating.",
        _ => "This does not fit here.",
    }
}

/// A refusal or a failure, ready to be shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// What kind it is.
    pub code: Code,
    /// One or two sentences for a person.
    pub detail: String,
    /// The fields at fault, if any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// Seconds after which to try again, for `rate_limited`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u32>,
}

impl Fault {
    /// A fault with words of its own.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            errors: Vec::new(),
            retry_after: None,
        }
    }

    /// `validation_failed` with the fields at fault. The first field's message is the detail.
    pub fn fields(errors: Vec<FieldError>) -> Self {
        let detail = errors.first().map_or_else(
            || Code::ValidationFailed.words().to_owned(),
            |e| e.message.clone(),
        );
        Self {
            code: Code::ValidationFailed,
            detail,
            errors,
            retry_after: None,
        }
    }

    /// `validation_failed` for one field.
    pub fn field(field: &str, code: &str, message: impl Into<String>) -> Self {
        Self::fields(vec![FieldError::new(field, code, message)])
    }
}

impl From<Code> for Fault {
    fn from(code: Code) -> Self {
        Self::new(code, code.words())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl std::error::Error for Fault {}
