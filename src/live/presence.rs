//! How many tabs of a person are open on other servers. Each server notes its own in the sidecar's
//! state store, under one key a person, and looks there what the others noted. Nothing depends on
//! it: notes may be lost, and where the store fails each server counts what it has itself.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use futures_util::{StreamExt, stream};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tidings_domain::{id::UserId, time::Timestamp};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::tabs::Tabs;
use crate::{
    clock::Clock,
    dapr::{Client, Error, Item, Settings},
    events::Standing,
    metrics::Metrics,
};

/// From one look at what others noted to the next.
const LOOK: Duration = Duration::from_secs(3);
/// How long tabs may come and go before it is noted: one that is loaded again does both.
const SETTLE: Duration = Duration::from_millis(250);
/// How long a note counts that nobody renews; renewed at half of it.
const KEPT: Duration = Duration::from_secs(60);
/// People in one call.
const BULK: usize = 100;
/// Calls at once.
const CALLS: usize = 4;
/// How often to note again where another server was first.
const TRIES: u32 = 3;
/// How long to wait for a sidecar that is not there.
const AGAIN: Duration = Duration::from_millis(500);
/// The longest wait after a fault.
const WAIT_MAX: Duration = Duration::from_secs(60);
/// How long a server that stops may take to remove its notes.
const FAREWELL: Duration = Duration::from_secs(2);

/// What one server notes of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    tabs: u32,
    /// By that server's clock.
    at: Timestamp,
}

impl Note {
    /// How far it is from now, in milliseconds, either way: clocks differ.
    fn age(self, now: Timestamp) -> u64 {
        now.0.abs_diff(self.at.0)
    }
}

/// What every server noted of a person, by its id.
pub type Notes = BTreeMap<Uuid, Note>;

/// Where notes lie: a state store.
#[async_trait]
pub trait Shelf: Send + Sync {
    /// What lies under each of the keys, in their order.
    async fn read(&self, keys: &[String]) -> Result<Vec<Option<Item<Value>>>, Error>;
    /// Writes over what was read with `etag`, or where there was nothing; false: another was first.
    async fn write(&self, key: &str, notes: &Notes, etag: Option<&str>) -> Result<bool, Error>;
    /// Removes what was read with `etag`; false: another was first.
    async fn remove(&self, key: &str, etag: &str) -> Result<bool, Error>;
}

/// The state store of a sidecar.
pub struct StateStore {
    client: Client,
    name: String,
}

impl StateStore {
    /// The one that the settings name.
    pub fn new(client: Client, settings: &Settings) -> Self {
        let name = settings.state_store.clone();
        Self { client, name }
    }
}

#[async_trait]
impl Shelf for StateStore {
    async fn read(&self, keys: &[String]) -> Result<Vec<Option<Item<Value>>>, Error> {
        self.client.states(&self.name, keys).await
    }

    async fn write(&self, key: &str, notes: &Notes, etag: Option<&str>) -> Result<bool, Error> {
        let write = self
            .client
            .save_state(&self.name, key, notes, etag, Some(KEPT));
        write.await
    }

    async fn remove(&self, key: &str, etag: &str) -> Result<bool, Error> {
        self.client.delete_state(&self.name, key, etag).await
    }
}

/// Notes the tabs of people here, and looks for those elsewhere, until it is told to stop.
pub struct Presence {
    tabs: Arc<Tabs>,
    shelf: Arc<dyn Shelf>,
    /// This server, the same after a restart.
    me: Uuid,
    clock: Arc<dyn Clock>,
    standing: Arc<Standing>,
    metrics: Arc<Metrics>,
    /// What is noted of people, as far as is known: all who have tabs here, and for a moment those
    /// who had.
    noted: HashMap<UserId, u32>,
    /// Faults in a row.
    faults: u32,
}

impl Presence {
    /// Keeps `tabs` true of other servers, by what lies on `shelf`, where this one is `me`.
    pub fn new(
        tabs: Arc<Tabs>,
        shelf: Arc<dyn Shelf>,
        me: Uuid,
        clock: Arc<dyn Clock>,
        standing: Arc<Standing>,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            tabs,
            shelf,
            me,
            clock,
            standing,
            metrics,
            noted: HashMap::new(),
            faults: 0,
        }
    }

    /// Notes and looks until `stop`; then removes what it noted of whoever is gone.
    pub async fn run(mut self, stop: CancellationToken) {
        let work = async {
            let mut look = Instant::now();
            loop {
                tokio::select! {
                    () = sleep_until(look) => {}
                    // After a fault the store is left alone for a while.
                    () = self.tabs.changed(), if self.faults == 0 => sleep(SETTLE).await,
                }
                let is_time = Instant::now() >= look;
                if let Some(wait) = self.step(is_time).await {
                    look = Instant::now() + wait;
                }
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = work => {}
        }
        if self.standing.is_open() {
            let gone = self.people(false);
            // What stays is forgotten after a while.
            let _ = timeout(FAREWELL, self.round(gone)).await;
        }
    }

    /// Notes what changed, or looks after everybody; when to look next, if that is to change.
    async fn step(&mut self, everybody: bool) -> Option<Duration> {
        if !self.standing.is_open() {
            self.tabs.alone();
            return Some(AGAIN);
        }
        let people = self.people(everybody);
        match self.round(people).await {
            Ok(()) => {
                if self.faults > 0 {
                    tracing::info!("tabs are counted across servers again");
                }
                self.faults = 0;
                everybody.then_some(LOOK)
            }
            Err(error) => {
                if self.faults == 0 {
                    tracing::warn!(%error, "the state store failed; tabs are counted on this server alone");
                }
                self.metrics.presence_failed();
                self.tabs.alone();
                let wait = LOOK * (1 << self.faults.min(5));
                self.faults += 1;
                Some(wait.min(WAIT_MAX))
            }
        }
    }

    /// Everybody who has or had tabs here, or those of them of whom something else is noted.
    fn people(&self, everybody: bool) -> Vec<UserId> {
        let mut people = self.tabs.here();
        for user in self.noted.keys() {
            people.entry(*user).or_default();
        }
        let noted = |user: &UserId| self.noted.get(user).copied().unwrap_or_default();
        people.retain(|user, tabs| everybody || *tabs != noted(user));
        people.into_keys().collect()
    }

    async fn round(&mut self, people: Vec<UserId>) -> Result<(), Error> {
        for people in people.chunks(BULK) {
            let keys: Vec<_> = people.iter().map(key).collect();
            let found = self.shelf.read(&keys).await?;
            let (this, failed) = (&*self, &AtomicBool::new(false));
            let settle = |(user, item)| async move {
                // After a fault no more begin; those under way are waited for.
                if failed.load(Ordering::Relaxed) {
                    return None;
                }
                let settled = this.settle(user, item).await;
                failed.fetch_or(settled.is_err(), Ordering::Relaxed);
                Some(settled)
            };
            let settled: Vec<_> = stream::iter(people.iter().copied().zip(found).map(settle))
                .buffer_unordered(CALLS)
                .collect()
                .await;
            let mut fault = None;
            for settled in settled.into_iter().flatten() {
                match settled {
                    Ok((user, 0)) => drop(self.noted.remove(&user)),
                    Ok((user, tabs)) => drop(self.noted.insert(user, tabs)),
                    Err(error) => fault = Some(error),
                }
            }
            if let Some(fault) = fault {
                return Err(fault);
            }
        }
        Ok(())
    }

    /// Takes in what others noted of a person, and sees that what is noted of this server is true
    /// and young; what that is now.
    async fn settle(
        &self,
        user: UserId,
        mut item: Option<Item<Value>>,
    ) -> Result<(UserId, u32), Error> {
        let kept = KEPT.as_millis() as u64;
        for _ in 0..TRIES {
            let (here, now) = (self.tabs.of(user), self.clock.now());
            let (value, etag) = item.map(|item| (item.value, item.etag)).unzip();
            // What makes no sense is as good as lost.
            let notes = value.and_then(|value| serde_json::from_value(value).ok());
            let mut notes: Notes = notes.unwrap_or_default();
            notes.retain(|_, note| note.age(now) < kept);
            let ours = notes.remove(&self.me);
            let others = notes.values().map(|note| note.tabs);
            self.tabs
                .elsewhere(user, others.fold(0, u32::saturating_add));
            let is_true = match ours {
                Some(note) => note.tabs == here && note.age(now) < kept / 2,
                None => here == 0,
            };
            if is_true {
                return Ok((user, here));
            }
            if here > 0 {
                let note = Note {
                    tabs: here,
                    at: now,
                };
                notes.insert(self.me, note);
            }
            let key = key(&user);
            let done = match &etag {
                Some(etag) if notes.is_empty() => self.shelf.remove(&key, etag).await?,
                etag => self.shelf.write(&key, &notes, etag.as_deref()).await?,
            };
            if done {
                return Ok((user, here));
            }
            item = self.shelf.read(&[key]).await?.pop().flatten();
        }
        // The next look tries again.
        Ok((user, self.noted.get(&user).copied().unwrap_or_default()))
    }
}

fn key(user: &UserId) -> String {
    format!("presence:{user}")
}

#[cfg(test)]
mod tests;
