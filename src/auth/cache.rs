//! What was read of sessions and personal tokens a moment ago, so that a request of someone who is
//! signed in costs no read of the database.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tidings_domain::{account::User, id::UserId, time::Timestamp};

use super::secret::Digest;

/// How long it is believed, in milliseconds: within it a sign-out reaches other processes on the
/// same database. In this process, what was read of a person is forgotten at the commit that
/// changes it.
const TTL_MS: i64 = 30_000;
/// Entries of half of it. It is bounded by dropping the older half when the younger is full.
const HALF: usize = 4_096;

/// Who is behind which secret.
#[derive(Default)]
pub struct Cache(Mutex<Halves>);

#[derive(Default)]
struct Halves {
    young: HashMap<Digest, Entry>,
    old: HashMap<Digest, Entry>,
    /// Counts droppings. What was read before one is not kept after it: it may be stale.
    drops: u64,
}

/// What was read of a secret.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) user: Arc<User>,
    pub(super) theme: Arc<str>,
    /// When the session ends; personal tokens do not.
    pub(super) ends: Option<Timestamp>,
    /// When it was read.
    pub(super) at: Timestamp,
}

impl Cache {
    /// Forgets what was read of a person: anything of theirs changed or ended.
    pub fn forget(&self, user: UserId) {
        let mut halves = self.halves();
        halves.drops += 1;
        halves.young.retain(|_, entry| entry.user.id != user);
        halves.old.retain(|_, entry| entry.user.id != user);
    }

    /// What is still believed of a secret at `now`.
    pub(super) fn get(&self, hash: &Digest, now: Timestamp) -> Option<Entry> {
        let mut halves = self.halves();
        let entry = match halves.young.get(hash) {
            Some(entry) => entry.clone(),
            None => {
                let entry = halves.old.remove(hash)?;
                halves.put(*hash, entry.clone());
                entry
            }
        };
        let fresh = (0..TTL_MS).contains(&(now.0 - entry.at.0));
        let holds = entry.ends.is_none_or(|ends| ends > now);
        (fresh && holds).then_some(entry)
    }

    /// How often anything was forgotten: to be asked before reading what is to be kept.
    pub(super) fn drops(&self) -> u64 {
        self.halves().drops
    }

    /// Keeps what was read, unless anything was forgotten since `drops`.
    pub(super) fn keep(&self, hash: Digest, entry: Entry, drops: u64) {
        let mut halves = self.halves();
        if halves.drops == drops {
            halves.put(hash, entry);
        }
    }

    fn halves(&self) -> MutexGuard<'_, Halves> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Halves {
    fn put(&mut self, hash: Digest, entry: Entry) {
        if self.young.len() >= HALF {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(hash, entry);
    }
}
