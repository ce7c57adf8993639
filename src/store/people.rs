//! People, and how they are known: sessions and tokens.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tidings_domain::{
    account::User,
    event::{EventType, Metadata},
    id::{EventId, UserId},
    time::Timestamp,
};
use uuid::Uuid;

use crate::error::Result;

/// An event that stands in no feed: `user.*` and `audit.*`.
#[derive(Clone, Debug)]
pub struct LooseEvent {
    /// Its id.
    pub event_id: EventId,
    /// What happened.
    pub event_type: EventType,
    /// When.
    pub timestamp: Timestamp,
    /// To whom, if that is known.
    pub user_id: Option<UserId>,
    /// What is particular to the type.
    pub data: Value,
    /// How it came about.
    pub metadata: Metadata,
}

/// A person with what only the server may know.
#[derive(Clone, Debug)]
pub struct Account {
    /// The person.
    pub user: User,
    /// PHC string.
    pub password_hash: String,
    /// `light`, `dark` or `system`.
    pub theme: String,
}

/// What is changed of a person's profile; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct ProfileChange {
    /// Name.
    pub name: Option<String>,
    /// IANA name.
    pub time_zone: Option<String>,
    /// `light`, `dark` or `system`.
    pub theme: Option<String>,
}

/// People.
#[async_trait]
pub trait Accounts: Send + Sync {
    /// Makes an account, with its feed and the event, and begins its first session, with an event of
    /// its own. All of that or nothing: `email_taken` where the email is.
    async fn register(
        &self,
        account: &Account,
        event: &LooseEvent,
        first: Option<(&Session, &LooseEvent)>,
    ) -> Result<()>;
    /// The account of an email key ([`tidings_domain::account::email_key`]).
    async fn account_by_email(&self, email_key: &str) -> Result<Option<Account>>;
    /// The account of a person.
    async fn account(&self, user: UserId) -> Result<Option<Account>>;
    /// Sets what is given of the profile; the account after it. `not_found` where it is gone.
    async fn update_account(&self, user: UserId, change: &ProfileChange) -> Result<Account>;
    /// Sets the password and ends every session but one; false where it is not the one of `old` any
    /// more, or the account is gone.
    async fn set_password(
        &self,
        user: UserId,
        old: &str,
        new: &str,
        keep: Option<&[u8; 32]>,
        event: &LooseEvent,
    ) -> Result<bool>;
    /// Removes everything of a person. The audit trail keeps what it recorded, without contents.
    async fn delete_account(&self, user: UserId, event: &LooseEvent) -> Result<()>;
    /// Writes an event and its outbox row.
    async fn record(&self, event: &LooseEvent) -> Result<()>;
}

/// A session. Its token is known to the browser alone; the store has its SHA-256.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// SHA-256 of the token.
    pub token_hash: [u8; 32],
    /// Whose.
    pub user_id: UserId,
    /// Since when.
    pub created_at: Timestamp,
    /// Until when, unless it is used before.
    pub expires_at: Timestamp,
}

/// Sessions.
#[async_trait]
pub trait Sessions: Send + Sync {
    /// Begins one, if the person's password is still the one of `password_hash`: it may have been
    /// changed, or the account deleted, since it was looked at. `invalid_credentials` if not.
    async fn create_session(
        &self,
        session: &Session,
        password_hash: &str,
        event: &LooseEvent,
    ) -> Result<()>;
    /// The session and its account, if it has not expired at `now`.
    async fn session(&self, hash: &[u8; 32], now: Timestamp) -> Result<Option<(Session, Account)>>;
    /// Moves its end.
    async fn extend_session(&self, hash: &[u8; 32], expires_at: Timestamp) -> Result<()>;
    /// Ends one, or with `everywhere` all of its person's.
    async fn end_session(
        &self,
        hash: &[u8; 32],
        user: UserId,
        everywhere: bool,
        event: &LooseEvent,
    ) -> Result<()>;
}

/// A personal API token, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// Its id.
    pub id: Uuid,
    /// What its owner calls it.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Personal API tokens.
#[async_trait]
pub trait Tokens: Send + Sync {
    /// Keeps a token by its SHA-256; false where the person has `max` already.
    async fn create_token(
        &self,
        user: UserId,
        token: &Token,
        hash: &[u8; 32],
        max: usize,
        event: &LooseEvent,
    ) -> Result<bool>;
    /// All of a person, newest first.
    async fn tokens(&self, user: UserId) -> Result<Vec<Token>>;
    /// Revokes one; false where it is not theirs.
    async fn revoke_token(&self, user: UserId, id: Uuid, event: &LooseEvent) -> Result<bool>;
    /// The account of a token, by its SHA-256.
    async fn token_account(&self, hash: &[u8; 32]) -> Result<Option<Account>>;
}
