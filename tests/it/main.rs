//! The one integration binary.

mod live;
mod store;
