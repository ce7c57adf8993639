//! REST, over a real server.

mod changes;
mod document;
mod edits;
mod feed;
mod lists;
mod past;
mod retries;
pub(crate) mod stats;
mod trash;
