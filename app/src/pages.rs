//! The pages: one route each.

use leptos::prelude::*;

use crate::route::Route;

pub mod failed;
pub mod inbox;
pub mod sign_in;
pub mod sign_up;
pub mod today;
pub mod upcoming;

/// The page of someone who is signed in.
pub fn page(route: Route) -> AnyView {
    match route {
        Route::Inbox => inbox::inbox().into_any(),
        Route::Tag(tag) => inbox::tag(tag).into_any(),
        Route::Today => today::today().into_any(),
        Route::Upcoming => upcoming::upcoming().into_any(),
        _ => ().into_any(),
    }
}
