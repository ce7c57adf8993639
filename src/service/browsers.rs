//! Browsers that are told with every tab closed.

use std::sync::Arc;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use tidings_domain::error::{Code, Fault, FieldError};

use crate::{
    auth::Actor,
    clock::Ambient,
    error::Result,
    push::{Reach, encrypt::Receiver, vapid::Vapid},
    store::{SharedStore, Subscription},
};

/// The longest key, in base64url.
const KEY_MAX: usize = 100;

/// A person's browsers.
#[derive(Clone)]
pub struct Browsers {
    store: SharedStore,
    ambient: Ambient,
    vapid: Arc<Vapid>,
    reach: Reach,
}

/// What a browser tells of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Where its push service is reached.
    pub endpoint: String,
    /// Its public key, in base64url.
    pub p256dh: String,
    /// The secret beside the key, in base64url.
    pub auth: String,
}

impl Browsers {
    /// Over this store; their push services may be within `reach`.
    pub fn new(store: SharedStore, ambient: Ambient, vapid: Arc<Vapid>, reach: Reach) -> Self {
        Self {
            store,
            ambient,
            vapid,
            reach,
        }
    }

    /// The public key that browsers subscribe with, in base64url.
    pub fn key(&self) -> &str {
        self.vapid.public()
    }

    /// Has a browser told from now on, for as long as its session lasts.
    ///
    /// # Errors
    /// `validation_failed`, `forbidden` for a personal token, or those of the store.
    pub async fn subscribe(&self, actor: &Actor, told: Told) -> Result<()> {
        let session = actor.session()?;
        let mut errors = Vec::new();
        let endpoint = self.reach.endpoint(&told.endpoint);
        if endpoint.is_none() {
            let words = "endpoint must be the https address of a push service.";
            errors.push(FieldError::new("endpoint", "invalid", words));
        }
        let (p256dh, auth) = (bytes(&told.p256dh), bytes(&told.auth));
        if Receiver::new(&p256dh, &auth).is_none() {
            let words = "keys must be those of a subscription.";
            errors.push(FieldError::new("keys", "invalid", words));
        }
        let Some(endpoint) = endpoint.filter(|_| errors.is_empty()) else {
            return Err(Fault::fields(errors).into());
        };
        let subscription = Subscription {
            id: self.ambient.ids.next(),
            user_id: actor.user.id,
            session,
            endpoint: endpoint.into(),
            p256dh,
            auth,
            created_at: self.ambient.clock.now(),
        };
        self.store.subscribe(&subscription).await
    }

    /// Has a browser told no more.
    ///
    /// # Errors
    /// `not_found` where there is none of theirs at that endpoint, `forbidden` for a personal token, or
    /// those of the store.
    pub async fn unsubscribe(&self, actor: &Actor, endpoint: &str) -> Result<()> {
        actor.session()?;
        // As it was kept.
        let endpoint = self.reach.endpoint(endpoint).ok_or(Code::NotFound)?;
        let there = self
            .store
            .unsubscribe_endpoint(actor.user.id, endpoint.as_str());
        match there.await? {
            true => Ok(()),
            false => Err(Code::NotFound.into()),
        }
    }
}

/// What is written in base64url, with or without padding; nothing where that is none.
fn bytes(text: &str) -> Vec<u8> {
    let text = Some(text.trim_end_matches('=')).filter(|text| text.len() <= KEY_MAX);
    let bytes = text.and_then(|text| BASE64_URL_SAFE_NO_PAD.decode(text).ok());
    bytes.unwrap_or_default()
}
