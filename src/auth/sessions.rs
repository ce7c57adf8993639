//! Who a secret belongs to. A small cache answers for what was asked a moment ago, so that a
//! request of someone who is signed in costs no read of the database.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::Ordering},
};

use tidings_domain::{account::User, id::UserId, time::Timestamp};

use super::{
    Actor, Caller, Via,
    secret::{self, Digest},
};
use crate::{
    clock::Clock,
    error::Result,
    store::{Account, Session, SharedStore},
};

const DAY_MS: i64 = 24 * 3600 * 1000;
/// How long a session lasts after it was used, in days.
pub const SESSION_DAYS: i64 = 30;
/// How long the cache is believed, in milliseconds: within it a sign-out reaches other processes
/// on the same database. In this process it is dropped at once.
const TTL_MS: i64 = 30_000;
/// Entries of half the cache. It is bounded by dropping the older half when the younger is full.
const HALF: usize = 4_096;

/// Sessions and personal tokens, with what was read of them.
pub struct Sessions {
    store: SharedStore,
    clock: Arc<dyn Clock>,
    cache: Mutex<Cache>,
}

#[derive(Default)]
struct Cache {
    young: HashMap<Digest, Entry>,
    old: HashMap<Digest, Entry>,
    /// Counts droppings. What was read before one is not kept after it: it may be stale.
    drops: u64,
}

#[derive(Clone)]
struct Entry {
    user: Arc<User>,
    theme: Arc<str>,
    /// When the session ends; personal tokens do not.
    ends: Option<Timestamp>,
    /// When it was read.
    at: Timestamp,
}

impl Sessions {
    /// Nothing is cached at first.
    pub fn new(store: SharedStore, clock: Arc<dyn Clock>) -> Self {
        Self {
            store,
            clock,
            cache: Mutex::default(),
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
        let mut entry = match self.cached(&hash, now) {
            Some(entry) => entry,
            None => {
                let drops = self.cache().drops;
                let Some((session, account)) = self.store.session(&hash, now).await? else {
                    return Ok(None);
                };
                let entry = Entry::new(account, Some(session.expires_at), now);
                self.keep(hash, entry.clone(), drops);
                entry
            }
        };
        if let Some(ends) = entry.ends
            && ends < now.plus_ms((SESSION_DAYS - 1) * DAY_MS)
        {
            let later = now.plus_ms(SESSION_DAYS * DAY_MS);
            let drops = self.cache().drops;
            match self.store.extend_session(&hash, later).await {
                Ok(()) => {
                    entry.ends = Some(later);
                    self.keep(hash, entry.clone(), drops);
                    caller.renewed.store(true, Ordering::Relaxed);
                }
                // It still holds for now, and the next request tries again.
                Err(error) => tracing::warn!(%error, "a session was not extended"),
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
        let entry = match self.cached(&hash, now) {
            Some(entry) => entry,
            None => {
                let drops = self.cache().drops;
                let Some(account) = self.store.token_account(&hash).await? else {
                    return Ok(None);
                };
                let entry = Entry::new(account, None, now);
                self.keep(hash, entry.clone(), drops);
                entry
            }
        };
        Ok(Some(entry.actor(Via::Token(hash), caller)))
    }

    /// Forgets what was read of a person: to be called after anything of theirs changed or ended.
    pub fn forget(&self, user: UserId) {
        let mut cache = self.cache();
        cache.drops += 1;
        cache.young.retain(|_, entry| entry.user.id != user);
        cache.old.retain(|_, entry| entry.user.id != user);
    }

    fn cached(&self, hash: &Digest, now: Timestamp) -> Option<Entry> {
        let mut cache = self.cache();
        let entry = match cache.young.get(hash) {
            Some(entry) => entry.clone(),
            None => {
                let entry = cache.old.remove(hash)?;
                cache.put(*hash, entry.clone());
                entry
            }
        };
        let fresh = (0..TTL_MS).contains(&(now.0 - entry.at.0));
        let holds = entry.ends.is_none_or(|ends| ends > now);
        (fresh && holds).then_some(entry)
    }

    fn keep(&self, hash: Digest, entry: Entry, drops: u64) {
        let mut cache = self.cache();
        if cache.drops == drops {
            cache.put(hash, entry);
        }
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cache {
    fn put(&mut self, hash: Digest, entry: Entry) {
        if self.young.len() >= HALF {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(hash, entry);
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
