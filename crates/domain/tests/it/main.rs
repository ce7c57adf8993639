//! The rules as a whole: histories, copies that follow them, and zones.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod feed;
mod histories;
mod recurrence;
mod replicas;
mod series;
mod times;
mod zones;
