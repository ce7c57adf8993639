//! Where a fetch stands, as a page shows it: nothing at first, a skeleton when it takes long.

use crate::browser::timer::later;
use crate::prelude::*;
use tidings_domain::error::Fault;

/// From here on it takes long, in milliseconds.
const SLOW_MS: i64 = 400;

/// Where a fetch stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Fetch {
    /// Everything that was asked for is there.
    #[default]
    Done,
    /// Under way for less than 400 ms: nothing to show for it.
    Started,
    /// Under way for longer: time for a skeleton.
    Slow,
    /// It failed; asking again may help.
    Failed(Fault),
}

/// A fetch that can be started again and again. Cheap to copy.
#[derive(Clone, Copy)]
pub(super) struct Fetching {
    state: RwSignal<Fetch>,
}

impl Fetching {
    pub(super) fn new() -> Self {
        Self {
            state: RwSignal::new(Fetch::Done),
        }
    }

    pub(super) fn state(self) -> Signal<Fetch> {
        self.state.into()
    }

    pub(super) fn start(self) {
        self.state.set(Fetch::Started);
        let state = self.state;
        later(SLOW_MS, move || {
            if state.try_with_untracked(|s| *s == Fetch::Started) == Some(true) {
                state.set(Fetch::Slow);
            }
        });
    }

    pub(super) fn done(self) {
        // The page may have been left meanwhile.
        self.state.set(Fetch::Done);
    }

    pub(super) fn failed(self, fault: Fault) {
        self.state.set(Fetch::Failed(fault));
    }
}
