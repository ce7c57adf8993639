//! What the browser offers, in thin wrappers: clocks, zones, ids, timers, storage, the network and
//! other tabs. Everything here compiles natively, but only clocks, zones, ids and folding answer
//! there: the rest is called by what starts after hydration, and that happens in browsers alone.

pub mod clock;
pub mod id;
pub mod text;
