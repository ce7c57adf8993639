//! The socket, from a tab's end.

mod following;
mod limits;
mod server;
pub(crate) mod tab;
