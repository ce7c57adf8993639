//! People: what may be in an account.

use serde::{Deserialize, Serialize};

use crate::{
    command::length,
    error::FieldError,
    id::UserId,
    time::{Timestamp, Zones},
};

/// Unicode scalar values in a name, after trimming.
pub const NAME_MAX: usize = 80;
/// The shortest password, in scalar values.
pub const PASSWORD_MIN: usize = 10;
/// The longest password, in scalar values.
pub const PASSWORD_MAX: usize = 128;
/// The longest email address, in bytes (RFC 5321).
pub const EMAIL_MAX: usize = 254;

/// A person, as they and nobody else see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Theirs for ever.
    pub id: UserId,
    /// As they typed it.
    pub email: String,
    /// What to call them.
    pub name: String,
    /// IANA name.
    pub time_zone: String,
    /// When they signed up.
    pub created_at: Timestamp,
}

/// Checks an email and trims it. Only its shape: whether it exists, a mail will show.
///
/// # Errors
/// A field error on `email`.
pub fn email(text: &str) -> Result<String, FieldError> {
    let text = text.trim();
    let fault = |words: &str| Err(FieldError::new("email", "invalid", words));
    if text.is_empty() {
        return Err(FieldError::new("email", "required", "Email is needed."));
    }
    let Some((local, domain)) = text.rsplit_once('@') else {
        return fault("That is not an email address: it has no @.");
    };
    let plain = |c: char| !c.is_whitespace() && !c.is_control() && !"<>()[],;:\"\\".contains(c);
    let shaped = !local.is_empty()
        && !local.contains('@')
        && !domain.is_empty()
        && domain.split('.').all(|part| !part.is_empty())
        && text.chars().all(plain)
        && text.len() <= EMAIL_MAX;
    if shaped {
        Ok(text.to_owned())
    } else {
        fault("That is not an email address.")
    }
}

/// The form of an email under which it is one account: without regard to case.
pub fn email_key(email: &str) -> String {
    email.trim().to_lowercase()
}

/// Checks a name and trims it.
///
/// # Errors
/// A field error on `name`.
pub fn name(text: &str) -> Result<String, FieldError> {
    let text = text.trim();
    match length("Name", text, 1, NAME_MAX) {
        Ok(()) if !text.contains(['\n', '\t']) => Ok(text.to_owned()),
        Ok(()) => Err(FieldError::new("name", "invalid", "A name is one line.")),
        Err((code, words)) => Err(FieldError::new("name", code, words)),
    }
}

/// Checks a new password, under the name that its field has.
///
/// # Errors
/// A field error on `field`.
pub fn password(field: &str, text: &str) -> Result<(), FieldError> {
    length("Password", text, PASSWORD_MIN, PASSWORD_MAX)
        .map_err(|(code, words)| FieldError::new(field, code, words))
}

/// Checks a zone.
///
/// # Errors
/// A field error on `time_zone`.
pub fn time_zone(text: &str, zones: &dyn Zones) -> Result<String, FieldError> {
    if zones.offset(text, Timestamp(0)).is_some() {
        Ok(text.to_owned())
    } else {
        let words = "Time zone is an IANA name, such as Europe/Berlin.";
        Err(FieldError::new("time_zone", "invalid", words))
    }
}
