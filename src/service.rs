//! Use cases: what may be asked of Tidings, in its own words. Knows the store, not HTTP.

pub mod accounts;
pub mod browsers;
pub mod notifications;
pub mod reminders;
pub mod retention;
pub mod tasks;
