//! The pages: one route each.

use crate::prelude::*;
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
pub fn page(route: Route) -> Markup {
    match route {
        Route::Inbox => inbox::inbox(),
        Route::Tag(tag) => inbox::tag(tag).into_markup(),
        Route::Today => today::today(),
        Route::Upcoming => upcoming::upcoming(),
        Route::Completed => completed::completed(),
        Route::Search(_) => search::search(),
        Route::Trash => completed::trash(),
        Route::Activity => activity::activity(),
        Route::Account => account::account(),
        // These have no frame, or are drawn beside a list.
        Route::Task(_) | Route::SignIn | Route::SignUp | Route::NotFound => Markup::Nothing,
    }
}
