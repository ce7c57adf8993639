//! What server functions may ask of the server: one object-safe trait a noun. The server implements
//! them over its services, bound to the request, and provides them as context
//! (`Arc<dyn Tasks>`, `Arc<dyn People>`, `Arc<dyn Notices>`). Whoever is not signed in gets `unauthenticated`.

use async_trait::async_trait;
use tidings_domain::{
    error::Fault,
    id::{MutationId, TaskId},
    notice::Settings,
    task::Task,
};
use uuid::Uuid;

use crate::api::{
    account::{NewToken, Profile, SignIn, SignUp, TokenRow},
    tasks::{Activity, Change, Changed, HistoryItem, ListQuery, Listing},
};

/// The person's tasks.
#[async_trait]
pub trait Tasks: Send + Sync {
    /// Carries a change out.
    async fn change(&self, change: Change) -> Result<Changed, Fault>;
    /// Moves a task that repeats on to its next date.
    async fn skip(&self, id: TaskId, mutation_id: MutationId) -> Result<(), Fault>;
    /// Moves sample tasks that nobody touched to the trash.
    async fn remove_samples(&self) -> Result<(), Fault>;
    /// A list that the browser does not hold: completed, trash, search.
    async fn list(&self, query: ListQuery) -> Result<Listing, Fault>;
    /// One task, in the trash or not.
    async fn task(&self, id: TaskId) -> Result<Task, Fault>;
    /// A task's versions after `after`, oldest first, at most 100.
    async fn history(&self, id: TaskId, after: i64) -> Result<Vec<HistoryItem>, Fault>;
    /// The person's own log before `before` (a seq), newest first, at most 50.
    async fn activity(&self, before: Option<i64>) -> Result<Vec<Activity>, Fault>;
}

/// What the person is told.
#[async_trait]
pub trait Notices: Send + Sync {
    /// Marks a notification as read.
    async fn read(&self, id: Uuid) -> Result<(), Fault>;
    /// Marks all notifications as read.
    async fn read_all(&self) -> Result<(), Fault>;
    /// Puts the reminder of a notification's task off, until then.
    async fn snooze(&self, id: Uuid, mutation_id: MutationId, until: &str) -> Result<(), Fault>;
    /// Sets of what the person is notified, and how.
    async fn set_settings(&self, settings: Settings) -> Result<(), Fault>;
}

/// People and their sessions. Signing in and out sets cookies on the response.
#[async_trait]
pub trait People: Send + Sync {
    /// Makes an account and signs in.
    async fn sign_up(&self, form: SignUp) -> Result<(), Fault>;
    /// Signs in.
    async fn sign_in(&self, form: SignIn) -> Result<(), Fault>;
    /// Signs out, here or everywhere.
    async fn sign_out(&self, everywhere: bool) -> Result<(), Fault>;
    /// Sends a link that sets a new password, if there is an account of this email.
    async fn ask_reset(&self, email: &str) -> Result<(), Fault>;
    /// Sets a new password by the token of such a link; every session ends.
    async fn reset(&self, token: &str, password: String) -> Result<(), Fault>;
    /// Who is signed in.
    async fn profile(&self) -> Result<Profile, Fault>;
    /// Sets name, zone and theme.
    async fn set_profile(
        &self,
        name: String,
        time_zone: String,
        theme: String,
    ) -> Result<Profile, Fault>;
    /// Sets the password; other sessions end.
    async fn set_password(&self, current: String, new: String) -> Result<(), Fault>;
    /// Deletes the account.
    async fn delete_account(&self, password: String) -> Result<(), Fault>;
    /// Personal tokens.
    async fn tokens(&self) -> Result<Vec<TokenRow>, Fault>;
    /// Makes a personal token.
    async fn create_token(&self, name: String) -> Result<NewToken, Fault>;
    /// Revokes a personal token.
    async fn revoke_token(&self, id: Uuid) -> Result<(), Fault>;
}
