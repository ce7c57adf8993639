//! From commit to consumers: the outbox relay publishes what commits wrote, through a transport,
//! to whoever subscribes. Delivery is at least once, in order per person and topic.

pub mod dapr;
pub mod in_process;
pub mod metered;
pub mod outbox;
pub mod roster;
pub mod standing;
mod traced;
pub mod transport;
pub mod watch;

use std::sync::Arc;

use tidings_domain::id::UserId;
use tokio::sync::Notify;

use crate::{auth::cache::Cache, live::Hub, store::OnCommit};

pub use self::{
    dapr::Dapr,
    in_process::InProcess,
    metered::Metered,
    outbox::Relay,
    roster::Roster,
    standing::{Report, Standing},
    transport::{Published, Transport},
    watch::{Wanted, Watch},
};

/// Told of commits by the store: wakes the relay, and the sockets of whom they concern, at once, and
/// has what was read of a person forgotten where it changed.
/// A lost wake-up only costs time, since both also look by themselves every so often.
pub struct Commits {
    relay: Arc<Notify>,
    hub: Arc<Hub>,
    cache: Arc<Cache>,
}

impl Commits {
    /// Wakes the relay that waits on `relay`, and the sockets of `hub`; has `cache` forget.
    pub fn new(relay: Arc<Notify>, hub: Arc<Hub>, cache: Arc<Cache>) -> Self {
        Self { relay, hub, cache }
    }
}

impl OnCommit for Commits {
    fn committed(&self, users: &[UserId]) {
        // People first: they watch, the relay does not.
        self.hub.wake(users);
        self.relay.notify_one();
    }

    fn account_changed(&self, user: UserId) {
        self.cache.forget(user);
    }
}
