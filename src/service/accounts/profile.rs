//! What people may change about their account, and its end.

use serde_json::json;
use tidings_domain::{
    account::{self, User},
    error::{Code, Fault, FieldError},
    event::EventType,
    time::TzDatabase,
};

use super::{Accounts, ProfileChange, THEMES, seen};
use crate::{auth::Actor, error::Result};

impl Accounts {
    /// Changes name, zone and theme, as far as they are given.
    ///
    /// # Errors
    /// `validation_failed`, `forbidden` for a personal token, or those of the store.
    pub async fn update(&self, actor: &Actor, change: ProfileChange) -> Result<(User, String)> {
        actor.session()?;
        let mut errors: Vec<FieldError> = Vec::new();
        let mut checked = |value: Option<Result<String, FieldError>>| {
            value?.map_err(|error| errors.push(error)).ok()
        };
        let zone = change.time_zone.as_deref();
        let change = ProfileChange {
            name: checked(change.name.as_deref().map(account::name)),
            time_zone: checked(zone.map(|zone| account::time_zone(zone, &TzDatabase))),
            theme: checked(change.theme.map(check_theme)),
        };
        if !errors.is_empty() {
            return Err(Fault::fields(errors).into());
        }
        let account = self.store.update_account(actor.user.id, &change).await?;
        Ok((account.user, account.theme))
    }

    /// Sets the password. Every other session ends.
    ///
    /// # Errors
    /// `invalid_credentials` on `current`, `validation_failed` on `new`, `rate_limited`,
    /// `forbidden` for a personal token, or those of the store.
    pub async fn set_password(&self, actor: &Actor, current: String, new: String) -> Result<()> {
        let session = actor.session()?;
        account::password("new", &new).map_err(|error| Fault::fields(vec![error]))?;
        let old = self.prove(actor, "current", current).await?;
        let hash = self.passwords.hash(new).await?;
        let user = actor.user.id;
        let data = seen(Some(user), &actor.caller);
        let event = self.by(EventType::PasswordChanged, actor, data);
        let set = self
            .store
            .set_password(user, &old, &hash, Some(&session), &event);
        // Another change may have come between.
        if set.await? {
            Ok(())
        } else {
            Err(wrong("current").into())
        }
    }

    /// Deletes the account, and everything of theirs with it.
    ///
    /// # Errors
    /// `invalid_credentials` on `password`, `rate_limited`, `forbidden` for a personal token, or
    /// those of the store.
    pub async fn delete(&self, actor: &Actor, password: String) -> Result<()> {
        actor.session()?;
        self.prove(actor, "password", password).await?;
        let user = actor.user.id;
        let data = json!({ "user_id": user, "deleted_at": self.ambient.clock.now() });
        let event = self.by(EventType::UserDeleted, actor, data);
        self.store.delete_account(user, &event).await
    }

    /// Has the person prove that they know their password, given as `field`: its hash.
    async fn prove(&self, actor: &Actor, field: &str, password: String) -> Result<String> {
        self.proof.check(actor.user.id)?;
        let account = self.store.account(actor.user.id).await?;
        let hash = account.ok_or(Code::Unauthenticated)?.password_hash;
        if self.passwords.verify(password, Some(hash.clone())).await? {
            Ok(hash)
        } else {
            Err(wrong(field).into())
        }
    }
}

/// What is in this field is not the person's password.
fn wrong(field: &str) -> Fault {
    const WORDS: &str = "That is not your password.";
    let mut fault = Fault::new(Code::InvalidCredentials, WORDS);
    fault.errors = vec![FieldError::new(field, "invalid", WORDS)];
    fault
}

fn check_theme(theme: String) -> Result<String, FieldError> {
    if THEMES.contains(&theme.as_str()) {
        return Ok(theme);
    }
    let words = "Theme is system, light or dark.";
    Err(FieldError::new("theme", "invalid", words))
}
