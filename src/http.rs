//! Everything that knows HTTP.

pub mod ws;
