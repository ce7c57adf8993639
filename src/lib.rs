//! The server of Tidings.

pub mod clock;
pub mod error;
pub mod store;
