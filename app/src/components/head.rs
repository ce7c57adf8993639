//! The heading of a page, and the line below it.

use crate::prelude::*;

use crate::{navigate::Place, route::Route};

/// The heading. Beside an open task, that task's title is the page's first heading and this one
/// comes second.
pub fn head(route: Route, sub: impl Fn() -> String + Send + 'static) -> Markup {
    let place = expect_context::<Place>();
    let beside = Memo::new(move |_| place.open().is_some());
    let words = route.heading();
    view! {
        {move || {
            let words = words.clone();
            if beside.get() {
                view! { <h2 class="h1">{words}</h2> }
            } else {
                view! { <h1 tabindex="-1">{words}</h1> }
            }
        }}
        <p class="sub">{sub}</p>
    }
}
