//! The server of Tidings.

pub mod auth;
pub mod clock;
pub mod commands;
pub mod config;
pub mod consumers;
pub mod dapr;
pub mod error;
pub mod events;
pub mod http;
pub mod live;
pub mod mail;
pub mod metrics;
pub mod push;
pub mod queue;
pub mod server;
pub mod service;
pub mod shutdown;
pub mod store;
pub mod telemetry;
