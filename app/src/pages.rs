//! The pages: one route each.

use crate::any::{AnyView, IntoAny};

use crate::route::Route;

pub mod account;
pub mod activity;
pub mod completed;
pub mod failed;
pub mod inbox;
pub mod search;
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
        Route::Completed => completed::completed().into_any(),
        Route::Search(_) => search::search().into_any(),
        Route::Trash => completed::trash().into_any(),
        Route::Activity => activity::activity().into_any(),
        Route::Account => account::account().into_any(),
        // These have no frame, or are drawn beside a list.
        Route::Task(_) | Route::SignIn | Route::SignUp | Route::NotFound => ().into_any(),
    }
}
