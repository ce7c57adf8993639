//! Sign-up, sign-in and the account.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use server_fn::codec::Json;
use tidings_domain::{account::User, time::Timestamp};
use uuid::Uuid;

use crate::error::AppError;

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

/// Makes an account, signs in and goes on to `next`, a path of ours, or to the Inbox.
#[server(name = SignUpForm, prefix = "/rpc", endpoint = "sign_up")]
pub async fn sign_up(
    email: String,
    name: String,
    password: String,
    #[server(default)] time_zone: Option<String>,
    #[server(default)] next: Option<String>,
) -> Result<(), AppError> {
    let next = next.filter(|path| is_ours(path));
    let form = SignUp {
        email,
        name,
        password,
        time_zone: time_zone.filter(|zone| !zone.is_empty()),
    };
    let outcome = people().sign_up(form).await;
    then(outcome, next.as_deref().unwrap_or("/inbox"))
}

/// Signs in and goes on to `next`, a path of ours, or to the Inbox.
#[server(name = SignInForm, prefix = "/rpc", endpoint = "sign_in")]
pub async fn sign_in(
    email: String,
    password: String,
    #[server(default)] next: Option<String>,
) -> Result<(), AppError> {
    let next = next.filter(|path| is_ours(path));
    let outcome = people().sign_in(SignIn { email, password }).await;
    then(outcome, next.as_deref().unwrap_or("/inbox"))
}

/// Sends a link that sets a new password, if there is an account of this email.
#[server(name = ForgotPasswordForm, prefix = "/rpc", endpoint = "forgot_password")]
pub async fn forgot_password(email: String) -> Result<(), AppError> {
    then(people().ask_reset(&email).await, "/forgot?done=sent")
}

/// Sets a new password by the token of such a link; every session ends.
#[server(name = ResetPasswordForm, prefix = "/rpc", endpoint = "reset_password")]
pub async fn reset_password(token: String, password: String) -> Result<(), AppError> {
    let outcome = people().reset(&token, password).await;
    then(outcome, "/sign-in?done=reset")
}

/// Signs out, here or everywhere.
#[server(name = SignOutForm, prefix = "/rpc", endpoint = "sign_out")]
pub async fn sign_out(#[server(default)] everywhere: bool) -> Result<(), AppError> {
    then(people().sign_out(everywhere).await, "/sign-in")
}

/// Sets name, zone and theme.
#[server(name = SetProfileForm, prefix = "/rpc", endpoint = "set_profile")]
pub async fn set_profile(name: String, time_zone: String, theme: String) -> Result<(), AppError> {
    let outcome = people().set_profile(name, time_zone, theme).await;
    then(outcome.map(drop), "/account?done=profile")
}

/// Sets the password; other sessions end.
#[server(name = SetPasswordForm, prefix = "/rpc", endpoint = "set_password")]
pub async fn set_password(current: String, new: String) -> Result<(), AppError> {
    let outcome = people().set_password(current, new).await;
    then(outcome, "/account?done=password")
}

/// Deletes the account and everything in it.
#[server(name = DeleteAccountForm, prefix = "/rpc", endpoint = "delete_account")]
pub async fn delete_account(password: String) -> Result<(), AppError> {
    then(people().delete_account(password).await, "/sign-up")
}

/// Personal tokens, newest first.
#[server(name = ListTokens, prefix = "/rpc", endpoint = "tokens", input = Json)]
pub async fn tokens() -> Result<Vec<TokenRow>, AppError> {
    crate::error::answer(people().tokens().await)
}

/// Makes a personal token. The secret is in the answer and nowhere else.
#[server(name = CreateTokenForm, prefix = "/rpc", endpoint = "create_token")]
pub async fn create_token(name: String) -> Result<NewToken, AppError> {
    crate::error::answer(people().create_token(name).await)
}

/// Revokes a personal token.
#[server(name = RevokeTokenForm, prefix = "/rpc", endpoint = "revoke_token")]
pub async fn revoke_token(id: Uuid) -> Result<(), AppError> {
    then(people().revoke_token(id).await, "/account?done=token")
}

/// Whether a path leads to a page here, and not by `//` to another host.
#[cfg(feature = "ssr")]
fn is_ours(path: &str) -> bool {
    path.starts_with('/') && !path.starts_with("//") && !path.contains(['\\', '\n', '\r', '\t'])
}

#[cfg(feature = "ssr")]
fn people() -> std::sync::Arc<dyn crate::ports::People> {
    expect_context()
}

/// Ends a form's server function: where it succeeded, the person goes on to `path`.
#[cfg(feature = "ssr")]
pub(super) fn then(
    outcome: Result<(), tidings_domain::error::Fault>,
    path: &str,
) -> Result<(), AppError> {
    let answer = crate::error::answer(outcome);
    if answer.is_ok() {
        leptos_axum::redirect(path);
    }
    answer
}
