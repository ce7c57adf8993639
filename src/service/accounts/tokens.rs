//! Personal tokens.

use serde_json::{Value, json};
use tidings_domain::{
    account,
    error::{Code, Fault, FieldError},
    event::EventType,
};
use uuid::Uuid;

use super::{Accounts, seen};
use crate::{
    auth::{Actor, secret},
    error::Result,
    store::Token,
};

/// Personal tokens that a person may have.
const TOKENS_MAX: usize = 100;

impl Accounts {
    /// Personal tokens, newest first.
    ///
    /// # Errors
    /// `forbidden` for a personal token, or those of the store.
    pub async fn tokens(&self, actor: &Actor) -> Result<Vec<Token>> {
        actor.session()?;
        self.store.tokens(actor.user.id).await
    }

    /// Makes a personal token; the second is its secret, which is kept nowhere.
    ///
    /// # Errors
    /// `validation_failed`, `conflict` where there are too many, `forbidden` for a personal token,
    /// or those of the store.
    pub async fn create_token(&self, actor: &Actor, name: &str) -> Result<(Token, String)> {
        actor.session()?;
        let name = token_name(name).map_err(|error| Fault::fields(vec![error]))?;
        let secret = secret::token();
        let token = Token {
            id: self.ambient.ids.next(),
            name,
            created_at: self.ambient.clock.now(),
        };
        let event = self.by(EventType::TokenCreated, actor, of_token(actor, token.id));
        let (user, hash) = (actor.user.id, secret::digest(&secret));
        let made = self
            .store
            .create_token(user, &token, &hash, TOKENS_MAX, &event);
        if made.await? {
            return Ok((token, secret));
        }
        let words = format!("There are {TOKENS_MAX} tokens already. Revoke one first.");
        Err(Fault::new(Code::Conflict, words).into())
    }

    /// Revokes a personal token.
    ///
    /// # Errors
    /// `not_found` where it is not theirs, `forbidden` for a personal token, or those of the store.
    pub async fn revoke_token(&self, actor: &Actor, id: Uuid) -> Result<()> {
        actor.session()?;
        let user = actor.user.id;
        let event = self.by(EventType::TokenRevoked, actor, of_token(actor, id));
        if self.store.revoke_token(user, id, &event).await? {
            Ok(())
        } else {
            Err(Code::NotFound.into())
        }
    }
}

fn of_token(actor: &Actor, id: Uuid) -> Value {
    let mut data = seen(Some(actor.user.id), &actor.caller);
    data["token_id"] = json!(id);
    data
}

fn token_name(text: &str) -> Result<String, FieldError> {
    // A token's name is held to what a person's is.
    account::name(text).map_err(|error| FieldError {
        message: error.message.replace("Name", "A token's name"),
        ..error
    })
}
