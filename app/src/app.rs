//! The application, as the server renders it. The browser takes over the frame.

use tidings_domain::error::Code;

use crate::{
    components::frame::frame,
    page::PageData,
    pages::{
        account::Start, failed::failed, reset::forgot, reset::reset, sign_in::sign_in,
        sign_up::sign_up,
    },
    prelude::*,
    route::{Route, param},
};

/// The page that `page` describes.
pub fn app(page: &PageData) -> Markup {
    let signed_in = page.profile.is_some();
    let fault = page.fault.clone();
    // A page that cannot be shown says so instead.
    if let Some(fault) = fault.clone()
        && page.failed.is_none()
    {
        return failed(fault, signed_in);
    }
    let echo = |name: &str| param(&page.query, name).unwrap_or_default();
    match Route::parse(&page.path, &page.query) {
        Route::SignIn => sign_in(echo("next"), echo("email"), echo("done") == "reset", fault),
        Route::Forgot => forgot(echo("email"), echo("done") == "sent", fault),
        Route::Reset => reset(echo("token"), fault),
        Route::SignUp => sign_up(echo("next"), echo("email"), echo("name"), fault),
        Route::NotFound => failed(Code::NotFound.into(), signed_in),
        route => {
            Start::provide(page);
            #[cfg(feature = "ssr")]
            crate::pages::statistics::provide(page);
            #[cfg(feature = "ssr")]
            crate::pages::security::provide(page);
            frame(page, route)
        }
    }
}
