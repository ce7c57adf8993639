//! What pages, components and the state are written with: the framework's prelude, with views and
//! signals that are compiled once for all types.

pub use leptos::prelude::*;

pub use crate::{
    reactive::{
        ArcRwSignal, Effect, Memo, ReadSignal, RwSignal, Signal, StoredValue, expect_context,
        provide_context, untrack,
    },
    view::{IntoMarkup, Markup, NodeRef, view},
};
