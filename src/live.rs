//! The hub: wakes the sockets of whoever has something new, and reads their log once for all of
//! them.
//!
//! A person with sockets has a channel with a pump. Woken by a commit, a delivery or the poll, the
//! pump reads on in the log, makes each frame once and hands it to every socket of the person. A
//! socket that does not keep up loses frames, never events: it sees the gap and catches up from the
//! log by itself.

pub mod frames;
pub mod presence;
pub mod tabs;
pub mod unread;

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use axum::extract::ws::Utf8Bytes;
use prometheus_client::metrics::histogram::Histogram;
use tidings_domain::id::UserId;
use tokio::{
    sync::{Notify, broadcast, watch},
    time::Instant,
};
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

use self::{
    tabs::Tabs,
    unread::{Bell, Unread},
};
use crate::{error::Result, metrics, shutdown::watched, store::Feeds};

/// Sockets that a person may have open.
pub const SOCKETS_MAX: usize = 20;
/// Frames that a socket may lag behind before it catches up from the log instead.
const BACKLOG: usize = 16;
/// Events read from the log at once.
pub const PAGE: usize = 100;
/// How long a pump waits after a fault.
const RECOVER: Duration = Duration::from_secs(1);

/// All the people with sockets here.
pub struct Hub {
    channels: Mutex<HashMap<UserId, Entry>>,
    /// Sockets of tabs that want to know how many they are.
    tabs: Arc<Tabs>,
    /// How often pumps look by themselves.
    poll: Option<Duration>,
    /// From waking a pump to its frames, in seconds.
    wakes: Histogram,
    /// Pumps and sockets.
    tasks: TaskTracker,
    /// Told when the server stops.
    stop: CancellationToken,
    /// Cancelled where a pump failed.
    failed: CancellationToken,
}

struct Entry {
    channel: Arc<Channel>,
    /// How many seats are taken.
    sockets: usize,
    /// Stops the pump when the last seat is given up.
    _pump: DropGuard,
}

/// What the sockets of one person share.
struct Channel {
    wake: Notify,
    /// The last seq that was handed out.
    head: AtomicI64,
    pulses: broadcast::Sender<Pulse>,
    /// Counted as long as a tab wants to know.
    unread: watch::Sender<Unread>,
}

/// Events `from` to `to`, ready to be sent to each socket whose cursor is just before. Without a
/// frame it only says how far the log goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pulse {
    /// The first seq.
    pub from: i64,
    /// The last seq.
    pub to: i64,
    /// The frame.
    pub frame: Option<Utf8Bytes>,
}

/// A socket's place at its person's channel; given up when dropped.
pub struct Seat {
    hub: Arc<Hub>,
    user: UserId,
    channel: Arc<Channel>,
    /// What the pump hands out from when the seat was taken.
    pub pulses: broadcast::Receiver<Pulse>,
}

impl Seat {
    /// Tells from now on how many notifications are unread, at once at first.
    pub fn bell(&self) -> Bell {
        let bell = Bell::new(&self.channel.unread);
        self.channel.wake.notify_one();
        bell
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut channels = self.hub.channels();
        if let Some(entry) = channels.get_mut(&self.user) {
            entry.sockets -= 1;
            if entry.sockets == 0 {
                channels.remove(&self.user);
            }
        }
    }
}

impl Hub {
    /// A hub whose pumps also look by themselves every `poll` (`None`: never), until `stop`.
    pub fn new(poll: Option<Duration>, stop: CancellationToken) -> Arc<Self> {
        Arc::new(Self {
            channels: Mutex::default(),
            tabs: Arc::default(),
            poll,
            wakes: metrics::seconds(),
            tasks: TaskTracker::new(),
            stop,
            failed: CancellationToken::new(),
        })
    }

    /// Wakes the sockets of these people: they may have something new.
    pub fn wake(&self, users: &[UserId]) {
        let channels = self.channels();
        for entry in users.iter().filter_map(|user| channels.get(user)) {
            entry.channel.wake.notify_one();
        }
    }

    /// Wakes the sockets of a person unless they were handed event `seq` already.
    pub fn wake_for(&self, user: UserId, seq: i64) {
        if let Some(entry) = self.channels().get(&user)
            && entry.channel.head.load(Ordering::Relaxed) < seq
        {
            entry.channel.wake.notify_one();
        }
    }

    /// Takes a seat for a socket of this person, if there is one left. Whatever the log holds when
    /// the seat is taken, the socket reads by itself.
    pub fn seat(self: &Arc<Self>, user: UserId, feeds: Arc<dyn Feeds>) -> Option<Seat> {
        let mut channels = self.channels();
        let entry = channels
            .entry(user)
            .or_insert_with(|| self.open(user, feeds));
        if entry.sockets >= SOCKETS_MAX {
            return None;
        }
        entry.sockets += 1;
        Some(Seat {
            hub: self.clone(),
            user,
            channel: entry.channel.clone(),
            pulses: entry.channel.pulses.subscribe(),
        })
    }

    /// Told of how long it takes from waking the sockets of a person to their frames, in seconds.
    pub fn wakes(&self) -> Histogram {
        self.wakes.clone()
    }

    /// How many tabs people have.
    pub fn tabs(&self) -> &Arc<Tabs> {
        &self.tabs
    }

    /// How many sockets are open.
    pub fn sockets(&self) -> usize {
        self.channels().values().map(|entry| entry.sockets).sum()
    }

    /// Told when the server stops: sockets then say so and close.
    pub fn stopping(&self) -> &CancellationToken {
        &self.stop
    }

    /// Cancelled where a pump failed: sockets would wait for it in vain.
    pub fn failed(&self) -> &CancellationToken {
        &self.failed
    }

    /// What the tasks of sockets are counted by, so that [`Self::drained`] waits for them.
    pub fn tasks(&self) -> &TaskTracker {
        &self.tasks
    }

    /// Once the server stops: waits until every socket has closed and every pump has ended.
    pub async fn drained(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    fn open(&self, user: UserId, feeds: Arc<dyn Feeds>) -> Entry {
        let channel = Arc::new(Channel {
            wake: Notify::new(),
            head: AtomicI64::new(0),
            pulses: broadcast::Sender::new(BACKLOG),
            unread: watch::Sender::default(),
        });
        let stop = self.stop.child_token();
        let pump = Pump {
            channel: channel.clone(),
            user,
            feeds,
            poll: self.poll,
            wakes: self.wakes.clone(),
        };
        let running = pump.run(stop.clone());
        let failed = self.failed.clone();
        self.tasks
            .spawn(watched("pump of a log", stop.clone(), failed, running));
        Entry {
            channel,
            sockets: 0,
            _pump: stop.drop_guard(),
        }
    }

    fn channels(&self) -> MutexGuard<'_, HashMap<UserId, Entry>> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads on in a person's log whenever it is woken, and hands frames to the person's sockets.
struct Pump {
    channel: Arc<Channel>,
    user: UserId,
    feeds: Arc<dyn Feeds>,
    poll: Option<Duration>,
    wakes: Histogram,
}

impl Pump {
    async fn run(self, stop: CancellationToken) {
        let mut cursor = None;
        loop {
            let (woken, before) = (Instant::now(), cursor);
            let mut read = self.read_on(&mut cursor).await;
            if read.is_ok() {
                if before.is_some() && cursor > before {
                    self.wakes.observe(woken.elapsed().as_secs_f64());
                }
                read = self.count().await;
            }
            let wait = match read {
                Ok(()) => self.poll,
                Err(error) => {
                    tracing::warn!(%error, user_id = %self.user, "a log was not read for its sockets");
                    Some(RECOVER)
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.channel.wake.notified() => {}
                () = sleep(wait) => {}
            }
        }
    }

    /// Hands out what is new. At first that is only how far the log goes: the sockets read up to
    /// there by themselves, each from where it was.
    async fn read_on(&self, cursor: &mut Option<i64>) -> Result<()> {
        let Some(at) = cursor else {
            let head = self.feeds.head(self.user).await?;
            *cursor = Some(head);
            self.hand_out(Pulse {
                from: head + 1,
                to: head,
                frame: None,
            });
            return Ok(());
        };
        loop {
            let (head, events) = self.feeds.events(self.user, *at, PAGE).await?;
            if let Some(told) = events.iter().rfind(|event| event.is_notification()) {
                // Not news yet: what is unread is counted once all is handed out.
                let quietly = |unread: &mut Unread| {
                    unread.last = told.seq;
                    false
                };
                self.channel.unread.send_if_modified(quietly);
            }
            for pulse in frames::pulses(*at, &events) {
                *at = pulse.to;
                self.hand_out(pulse);
            }
            if events.is_empty() || *at >= head {
                return Ok(());
            }
        }
    }

    /// Counts what is unread, where a tab wants to know. What is read makes no event, so that every
    /// wake may be about it.
    async fn count(&self) -> Result<()> {
        if self.channel.unread.receiver_count() > 0 {
            let count = self.feeds.unread(self.user).await?;
            self.channel.unread.send_modify(|told| told.count = count);
        }
        Ok(())
    }

    fn hand_out(&self, pulse: Pulse) {
        self.channel.head.store(pulse.to, Ordering::Relaxed);
        // An error says that no socket listens any more; the pump is about to be stopped then.
        let _ = self.channel.pulses.send(pulse);
    }
}

async fn sleep(wait: Option<Duration>) {
    match wait {
        Some(wait) => tokio::time::sleep(wait).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
