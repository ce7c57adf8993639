//! The one integration binary.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod backup;
mod crash;
mod dapr;
mod desk;
mod doctor;
mod drain;
mod edge;
mod events;
mod kit;
mod live;
mod mail;
mod notifications;
mod onboarding;
mod pages;
mod people;
mod postgres;
mod process;
mod push;
mod recurring;
mod relay;
mod replay;
mod replicas;
mod rest;
mod roles;
mod security;
mod sidecar;
mod store;
mod stranger;
mod traces;
mod year;
