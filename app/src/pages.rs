//! The pages: one route each.

use crate::prelude::*;
use crate::route::Route;

#[cfg(not(feature = "hydrate"))]
pub mod account;
pub mod activity;
pub mod completed;
#[cfg(not(feature = "hydrate"))]
pub mod failed;
pub mod inbox;
#[cfg(not(feature = "hydrate"))]
pub mod notifications;
#[cfg(not(feature = "hydrate"))]
pub mod reset;
pub mod search;
#[cfg(feature = "ssr")]
pub mod security;
#[cfg(not(feature = "hydrate"))]
pub mod sign_in;
#[cfg(not(feature = "hydrate"))]
pub mod sign_up;
#[cfg(feature = "ssr")]
pub mod statistics;
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
        #[cfg(not(feature = "hydrate"))]
        Route::Account => account::account(),
        #[cfg(not(feature = "hydrate"))]
        Route::Notifications => notifications::notifications(),
        #[cfg(feature = "ssr")]
        Route::Statistics => statistics::statistics(),
        #[cfg(feature = "ssr")]
        Route::Security => security::security(),
        // The browser leaves them as the server rendered them.
        #[cfg(feature = "hydrate")]
        Route::Account | Route::Notifications => Markup::fixed(""),
        #[cfg(not(feature = "ssr"))]
        Route::Statistics | Route::Security => Markup::fixed(""),
        #[cfg(not(feature = "hydrate"))]
        Route::Forgot | Route::Reset => Markup::Nothing,
        // These have no frame, or are drawn beside a list.
        Route::Task(_) | Route::SignIn | Route::SignUp | Route::NotFound => Markup::Nothing,
    }
}
