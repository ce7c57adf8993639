//! What pages are made of: one component a file, with its style in `style/components`.

pub mod act;
pub mod changes;
pub mod choose;
pub mod drag;
pub mod empty;
pub mod form;
pub mod frame;
pub mod head;
pub mod help;
pub mod history;
pub mod icon;
pub mod list;
pub mod lone;
pub mod many;
pub mod meta;
pub mod props;
pub mod quick_add;
pub mod quiet;
pub mod row;
pub mod shortcuts;
pub mod side_bar;
pub mod task;
pub mod toasts;
pub mod tokens;
pub mod top_bar;
