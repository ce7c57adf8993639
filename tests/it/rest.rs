//! REST, over a real server.

mod changes;
mod document;
mod feed;
mod lists;
mod past;
mod retries;
