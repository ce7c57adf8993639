//! The pages: one route each.

pub mod failed;
pub mod sign_in;
pub mod sign_up;
