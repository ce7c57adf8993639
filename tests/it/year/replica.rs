//! One of two replicas: the parts of a server that work by themselves, and how each may end.

use std::{future::poll_fn, pin::pin, sync::Arc, task::Poll};

use tempfile::TempDir;
use tidings::{
    auth::cache::Cache,
    clock::Ambient,
    consumers::{Consumers, Delivery, Roles, Verdict},
    events::{Commits, Relay},
    live::Hub,
    mail::{Sender, Smtp, compose::Letterhead, unsubscribe::Signer},
    metrics::Metrics,
    queue::turn,
    service::reminders::Reminders,
    store::{self, SharedStore},
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::broker::{Broker, Parcel, Wire, by_topic};

/// What the replicas share.
pub(super) struct Place {
    pub(super) url: String,
    pub(super) ambient: Ambient,
    pub(super) broker: Arc<Broker>,
    pub(super) smtp: Smtp,
    pub(super) _folder: TempDir,
}

/// What becomes of somebody at work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// The work is done.
    Lives,
    /// It ends where it waits for the so manieth time.
    Dies(usize),
    /// It is done, and nobody hears of it.
    Mute,
}

impl Fate {
    /// Runs work to the end that this is; nothing where it did not get there.
    pub(super) async fn meet<T>(self, work: impl Future<Output = T>) -> Option<T> {
        let mut left = match self {
            Self::Dies(after) => after,
            Self::Lives | Self::Mute => usize::MAX,
        };
        let mut work = pin!(work);
        poll_fn(|context| match work.as_mut().poll(context) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => {
                left -= 1;
                Poll::Pending
            }
        })
        .await
    }
}

/// The parts of a server that work by themselves.
pub(super) struct Replica {
    pub(super) store: SharedStore,
    pub(super) ambient: Ambient,
    consumers: Consumers,
    reminders: Reminders,
    sender: Sender,
    wire: Arc<Wire>,
    wake: Arc<Notify>,
    /// The same after a restart.
    holder: Uuid,
}

impl Replica {
    pub(super) async fn start(place: &Place, holder: Uuid) -> Self {
        let wake = Arc::new(Notify::new());
        let hub = Hub::new(None, CancellationToken::new());
        let commits = Commits::new(wake.clone(), hub.clone(), Arc::new(Cache::default()));
        let ambient = place.ambient.clone();
        let store = store::open(&place.url, ambient.clone(), Arc::new(commits));
        let store = store.await.unwrap();
        let (clock, metrics) = (ambient.clock.clone(), Metrics::new(hub.wakes()));
        let letterhead = Letterhead {
            base: "http://tidings.test".into(),
            signer: Signer::new(store.mail_secret("secret").await.unwrap()),
        };
        let smtp = Some(place.smtp.clone());
        let sender = Sender::new(store.clone(), clock.clone(), metrics, letterhead, smtp);
        Self {
            consumers: Consumers::of_roles(&Roles::all(), &hub, &store, &ambient, true),
            reminders: Reminders::new(store.clone(), clock, Arc::default()),
            sender: sender.unwrap(),
            wire: Arc::new(Wire::new(place.broker.clone())),
            store,
            ambient,
            wake,
            holder,
        }
    }

    /// Publishes what waits; whether it lived.
    pub(super) async fn relay(&self, fate: Fate) -> bool {
        self.wire.be_mute(fate == Fate::Mute);
        let (outbox, clock) = (self.store.clone(), self.ambient.clock.clone());
        let relay = Relay::new(
            outbox,
            self.wire.clone(),
            clock,
            self.wake.clone(),
            self.holder,
        );
        // One that is told to stop drains the outbox and ends.
        let stopped = CancellationToken::new();
        stopped.cancel();
        tokio::select! {
            done = fate.meet(relay.run(stopped)) => done.is_some(),
            () = self.wire.lost() => false,
        }
    }

    /// Handles what was delivered; what is to be delivered again.
    pub(super) async fn handle(&self, parcels: Vec<Parcel>, fate: Fate) -> (Vec<Parcel>, bool) {
        let (mut back, mut lives) = (Vec::new(), true);
        for (topic, parcels) in by_topic(parcels) {
            let read = parcels.iter().map(|p| Delivery::read(p.json.clone()));
            let read: Vec<_> = read.map(Result::unwrap).collect();
            let handled = fate.meet(self.consumers.deliver(topic, &read)).await;
            lives &= handled.is_some();
            let verdicts = handled.unwrap_or_default().into_iter().map(Some);
            let verdicts = verdicts.chain(std::iter::repeat(None));
            for (parcel, verdict) in parcels.into_iter().zip(verdicts) {
                match verdict {
                    Some(Verdict::Success) if fate != Fate::Mute => {}
                    Some(Verdict::Drop(why)) => panic!("{why}: {}", parcel.json),
                    _ => back.push(parcel),
                }
            }
        }
        (back, lives)
    }

    /// Sends mail that waits; whether it lived.
    pub(super) async fn post(&self, fate: Fate) -> bool {
        let go_on = CancellationToken::new();
        let done = fate.meet(turn(&self.sender, &go_on)).await;
        done.map(Result::unwrap).is_some()
    }

    /// Tells of reminders that are due; whether it lived.
    pub(super) async fn remind(&self, fate: Fate) -> bool {
        let go_on = CancellationToken::new();
        let done = fate.meet(self.reminders.turn(&go_on)).await;
        done.map(Result::unwrap).is_some()
    }
}
