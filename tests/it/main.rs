//! The one integration binary.

mod live;
mod relay;
mod store;
