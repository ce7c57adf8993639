//! Who a secret belongs to.

use std::sync::{Arc, atomic::Ordering};

use tidings_domain::{id::UserId, time::Timestamp};

use super::{
    Actor, Caller, Via,
    cache::{Cache, Entry},
    secret,
};
use crate::{
    clock::Clock,
    error::Result,
    store::{Account, Session, SharedStore},
};

const DAY_MS: i64 = 24 * 3600 * 1000;
/// How long a session lasts after it was used, in days.
pub const SESSION_DAYS: i64 = 30;

/// Sessions and personal tokens, with what was read of them.
pub struct Sessions {
    store: SharedStore,
    clock: Arc<dyn Clock>,
    cache: Arc<Cache>,
}

impl Sessions {
    /// Those of a store whose commits make `cache` forget what they change.
    pub fn new(store: SharedStore, clock: Arc<dyn Clock>, cache: Arc<Cache>) -> Self {
        Self {
            store,
            clock,
            cache,
        }
    }

    /// A session that begins now.
    pub fn begin(&self, user_id: UserId, secret: &str) -> Session {
        let now = self.clock.now();
        Session {
            token_hash: secret::digest(secret),
            user_id,
            created_at: now,
            expires_at: now.plus_ms(SESSION_DAYS * DAY_MS),
        }
    }

    /// Whose session this secret is of, and extends the session, at most once a day.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn of_session(&self, secret: &str, caller: &Arc<Caller>) -> Result<Option<Actor>> {
        let hash = secret::digest(secret);
        let now = self.clock.now();
        let mut entry = match self.cache.get(&hash, now) {
            Some(entry) => entry,
            None => {
                let drops = self.cache.drops();
                let Some((session, account)) = self.store.session(&hash, now).await? else {
                    return Ok(None);
                };
                let entry = Entry::new(account, Some(session.expires_at), now);
                self.cache.keep(hash, entry.clone(), drops);
                entry
            }
        };
        if let Some(ends) = entry.ends
            && ends < now.plus_ms((SESSION_DAYS - 1) * DAY_MS)
        {
            let later = now.plus_ms(SESSION_DAYS * DAY_MS);
            let drops = self.cache.drops();
            match self.store.extend_session(&hash, later).await {
                Ok(()) => {
                    entry.ends = Some(later);
                    self.cache.keep(hash, entry.clone(), drops);
                    caller.renewed.store(true, Ordering::Relaxed);
                }
                // It still holds for now, and the next request tries again.
                Err(error) => tracing::warn!(
                    %error,
                    user_id = %entry.user.id,
                    trace_id = %caller.trace.trace_id(),
                    "a session was not extended"
                ),
            }
        }
        Ok(Some(entry.actor(Via::Session(hash), caller)))
    }

    /// Whose personal token this is.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn of_token(&self, secret: &str, caller: &Arc<Caller>) -> Result<Option<Actor>> {
        if !secret.starts_with(secret::TOKEN_PREFIX) {
            return Ok(None);
        }
        let hash = secret::digest(secret);
        let now = self.clock.now();
        let entry = match self.cache.get(&hash, now) {
            Some(entry) => entry,
            None => {
                let drops = self.cache.drops();
                let Some(account) = self.store.token_account(&hash).await? else {
                    return Ok(None);
                };
                let entry = Entry::new(account, None, now);
                self.cache.keep(hash, entry.clone(), drops);
                entry
            }
        };
        Ok(Some(entry.actor(Via::Token(hash), caller)))
    }
}

impl Entry {
    fn new(account: Account, ends: Option<Timestamp>, at: Timestamp) -> Self {
        Self {
            user: Arc::new(account.user),
            theme: account.theme.into(),
            ends,
            at,
        }
    }

    fn actor(self, via: Via, caller: &Arc<Caller>) -> Actor {
        Actor {
            user: self.user,
            theme: self.theme,
            via,
            caller: caller.clone(),
        }
    }
}
