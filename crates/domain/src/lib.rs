//! The rules of Tidings: what a task is, what may be done to it, which events that makes, and how
//! events fold back into tasks. Nothing here does I/O, reads a clock or makes an id, so the same
//! code decides on the server and predicts in the browser.

pub mod account;
pub mod command;
pub mod decide;
pub mod error;
pub mod event;
pub mod id;
pub mod live;
pub mod notice;
pub mod order;
pub mod position;
pub mod quickadd;
pub mod recurrence;
pub mod replica;
#[cfg(feature = "server")]
pub mod search;
#[cfg(feature = "server")]
pub mod series;
pub mod sorted;
#[cfg(feature = "server")]
pub mod statistics;
pub mod task;
pub mod text;
pub mod time;
#[cfg(feature = "server")]
pub mod trail;
pub mod view;
