//! The application: the same on the server and in the browser, from the same data.

use crate::prelude::*;
use tidings_domain::error::Code;

use crate::{
    components::frame::frame,
    page::PageData,
    pages,
    route::{Route, param},
    state,
};

/// The page that `page` describes.
pub fn app(page: PageData) -> Markup {
    let route = Route::parse(&page.path, &page.query);
    let fault = page.fault.clone();
    if page.profile.is_none() {
        state::nobody();
    }
    // A page that cannot be shown says so instead.
    if let Some(fault) = fault.clone()
        && page.failed.is_none()
    {
        return pages::failed::failed(fault, page.profile.is_some());
    }
    let echo = |name: &str| param(&page.query, name).unwrap_or_default();
    match route {
        Route::SignIn => pages::sign_in::sign_in(echo("next"), echo("email"), fault),
        Route::SignUp => pages::sign_up::sign_up(echo("email"), echo("name"), fault),
        Route::NotFound => pages::failed::failed(Code::NotFound.into(), page.profile.is_some()),
        route => frame(&page, route),
    }
}
