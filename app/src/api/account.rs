//! Sign-up, sign-in and the account.

use serde::{Deserialize, Serialize};
use tidings_domain::{account::User, time::Timestamp};
use uuid::Uuid;

/// What signing up asks for.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct SignUp {
    /// Email.
    pub email: String,
    /// Name.
    pub name: String,
    /// Password.
    pub password: String,
    /// The browser's zone, where it could be told.
    #[serde(default)]
    pub time_zone: Option<String>,
}

/// What signing in asks for.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct SignIn {
    /// Email.
    pub email: String,
    /// Password.
    pub password: String,
}

/// Who is signed in, as the pages show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// The person.
    pub user: User,
    /// `light`, `dark` or `system`.
    pub theme: String,
}

/// A personal token, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRow {
    /// Its id.
    pub id: Uuid,
    /// What its owner calls it.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A token that was just made; the secret is shown this once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewToken {
    /// The row.
    pub row: TokenRow,
    /// The secret.
    pub token: String,
}
