//! The pages of Tidings and the server functions that they call.

pub mod api;
#[cfg(not(feature = "hydrate"))]
pub mod app;
pub mod browser;
pub mod components;
pub mod error;
pub mod fields;
pub mod json;
pub mod keys;
pub mod navigate;
pub mod page;
pub mod pages;
#[cfg(feature = "ssr")]
pub mod ports;
pub mod prelude;
pub mod reactive;
pub mod route;
#[cfg(feature = "ssr")]
pub mod shell;
pub mod state;
pub mod ui;
pub mod view;
pub mod words;
