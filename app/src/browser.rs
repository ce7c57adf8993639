//! What the browser offers, in thin wrappers: clocks, zones, ids, timers, storage, the network and
//! other tabs. Everything here compiles natively, but only clocks, zones and folding answer there:
//! the rest is called by what starts after hydration, and that happens in browsers alone.

pub mod channel;
pub mod clock;
pub mod http;
pub mod id;
pub mod locks;
pub mod page;
pub mod socket;
pub mod storage;
pub mod text;
pub mod timer;
