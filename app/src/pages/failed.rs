//! The pages that stand for another: nothing is here, or it cannot be shown.

use crate::prelude::*;
use tidings_domain::error::{Code, Fault};

use crate::components::lone::lone;

/// The page.
pub fn failed(fault: Fault, signed_in: bool) -> Markup {
    let (heading, words) = match fault.code {
        Code::NotFound => (
            "Nothing here",
            "There is no such page, or it is not yours. A task that was deleted for good is gone \
             from here too."
                .to_owned(),
        ),
        Code::Unavailable => ("Out of reach", fault.detail),
        Code::RateLimited => ("One moment", fault.detail),
        _ => ("Something failed", fault.detail),
    };
    let (to, onward) = if signed_in {
        ("/inbox", "Go to the Inbox")
    } else {
        ("/sign-in", "Sign in")
    };
    lone(view! {
        <h1>{heading}</h1>
        <p class="sub">{words}</p>
        <a class="btn" href=to>
            {onward}
        </a>
    })
}
