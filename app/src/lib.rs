//! The pages of Tidings and the server functions that they call.

pub mod api;
pub mod error;
pub mod page;
#[cfg(feature = "ssr")]
pub mod ports;
pub mod route;
