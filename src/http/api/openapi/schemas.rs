//! The shapes of REST's bodies, for the document alone: each mirrors what a handler reads or
//! writes, and a test holds the two together.

mod events;
mod notifications;
mod parameters;
mod people;
mod statistics;
mod tasks;

pub use self::{events::*, notifications::*, parameters::*, people::*, statistics::*, tasks::*};
