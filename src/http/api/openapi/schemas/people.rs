//! People, their tokens, and problems.

use utoipa::ToSchema;
use uuid::Uuid;

/// A person, as they and nobody else see it.
#[derive(ToSchema)]
pub struct User {
    /// Theirs for ever.
    pub id: Uuid,
    /// As they typed it.
    pub email: String,
    /// What to call them.
    pub name: String,
    /// IANA name.
    pub time_zone: String,
    /// When they signed up.
    #[schema(format = DateTime)]
    pub created_at: String,
}

/// Why a request was refused: RFC 9457.
#[derive(ToSchema)]
pub struct Problem {
    /// `/problems/<code>`.
    #[schema(rename = "type", example = "/problems/validation_failed")]
    pub kind: String,
    /// The kind of problem, in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened and what to do.
    pub detail: String,
    /// The kind of problem, for programs.
    #[schema(example = "validation_failed")]
    pub code: String,
    /// The fields at fault.
    #[schema(required = false)]
    pub errors: Vec<FieldError>,
}

/// What is wrong with one field.
#[derive(ToSchema)]
pub struct FieldError {
    /// The field, as the client names it.
    pub field: String,
    /// `required`, `too_long`, `too_short`, `too_many`, `invalid`, `unknown` or `read_only`.
    pub code: String,
    /// What to do about it, in words.
    pub message: String,
}

/// Signing up.
#[derive(ToSchema)]
pub struct Registration {
    /// Without regard to case.
    pub email: String,
    /// What to call the person.
    #[schema(min_length = 1, max_length = 80)]
    pub name: String,
    /// A new password.
    #[schema(min_length = 10, max_length = 128, format = Password)]
    pub password: String,
    /// IANA name; UTC by default.
    pub time_zone: Option<String>,
}

/// Signing in.
#[derive(ToSchema)]
pub struct Credentials {
    /// Without regard to case.
    pub email: String,
    /// The password.
    #[schema(format = Password)]
    pub password: String,
}

/// Signing out.
#[derive(ToSchema)]
pub struct SignOut {
    /// Ends every session, not only this one.
    pub everywhere: Option<bool>,
}

/// What changes of a profile.
#[derive(ToSchema)]
pub struct ProfileChange {
    /// What to call the person.
    #[schema(min_length = 1, max_length = 80)]
    pub name: Option<String>,
    /// IANA name.
    pub time_zone: Option<String>,
    /// `light`, `dark` or `system`.
    pub theme: Option<String>,
}

/// A change of password.
#[derive(ToSchema)]
pub struct PasswordChange {
    /// The password as it is.
    #[schema(format = Password)]
    pub current: String,
    /// The password to be.
    #[schema(min_length = 10, max_length = 128, format = Password)]
    pub new: String,
}

/// Asking for a link that sets a new password.
#[derive(ToSchema)]
pub struct ResetRequest {
    /// Without regard to case.
    pub email: String,
}

/// Setting a new password by a link.
#[derive(ToSchema)]
pub struct Reset {
    /// The `token` of the link.
    pub token: String,
    /// The password to be.
    #[schema(min_length = 10, max_length = 128, format = Password)]
    pub password: String,
}

/// Proof that the person is there.
#[derive(ToSchema)]
pub struct Confirmation {
    /// The password.
    #[schema(format = Password)]
    pub password: String,
}

/// A token that is asked for.
#[derive(ToSchema)]
pub struct TokenRequest {
    /// What to call it.
    #[schema(min_length = 1, max_length = 80)]
    pub name: String,
}

/// A token that was just made.
#[derive(ToSchema)]
pub struct NewToken {
    /// Its id.
    pub id: Uuid,
    /// What its owner calls it.
    pub name: String,
    /// The secret, shown this once.
    pub token: String,
    /// When it was made.
    #[schema(format = DateTime)]
    pub created_at: String,
}

/// Tokens of a person.
#[derive(ToSchema)]
pub struct Tokens {
    /// Newest first.
    pub items: Vec<Token>,
}

/// A token, without its secret.
#[derive(ToSchema)]
pub struct Token {
    /// Its id.
    pub id: Uuid,
    /// What its owner calls it.
    pub name: String,
    /// When it was made.
    #[schema(format = DateTime)]
    pub created_at: String,
}
