//! The server of Tidings.

pub mod clock;
pub mod consumers;
pub mod error;
pub mod events;
pub mod http;
pub mod live;
pub mod service;
pub mod store;
