//! What pages are made of: one component a file, with its style in `style/components`.

pub mod form;
pub mod help;
pub mod icon;
pub mod lone;
