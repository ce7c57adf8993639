//! Server functions at `/rpc/<name>`: what the pages' scripts and plain forms call.

#![allow(
    missing_docs,
    reason = "the server macro makes structs of arguments, which cannot carry docs"
)]

pub mod account;
pub mod forms;
pub mod tasks;
