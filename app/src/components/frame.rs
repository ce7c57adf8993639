//! What is around every page of someone who is signed in.

use crate::prelude::*;

use super::{
    choose::choose,
    help::help,
    shortcuts,
    side_bar::{side_bar, tab_bar},
    task::task,
    toasts::toasts,
    top_bar::top_bar,
};
use crate::{
    browser::page::mark, navigate::Place, page::PageData, pages, route::Route, state::Client,
    ui::Ui,
};

/// The frame, and in it the page that `page` describes.
pub fn frame(page: &PageData, route: Route) -> Markup {
    let client = Client::provide(page);
    let ui = Ui::provide(page);
    let place = Place::new(route);
    provide_context(place);
    Effect::new(move || place.listen());
    Effect::new(shortcuts::listen);
    // Another page is another list: what was selected stays behind.
    Effect::new(move || {
        place.list.track();
        client.selected().update(|selected| selected.clear());
    });
    Effect::new(move || {
        let theme = client
            .profile()
            .with(|p| p.as_ref().map(|p| p.theme.clone()));
        if let Some(theme) = theme {
            mark("data-theme", &theme);
        }
    });
    Effect::new(move || {
        let heading = place.route.with(Route::heading);
        document().set_title(&[&heading, " · Tidings"].concat());
    });
    // A search that changes is the same page.
    let list = Memo::new(move |_| {
        place.list.with(|list| match list {
            Some(Route::Search(_)) => Some(Route::Search(String::new())),
            other => other.clone(),
        })
    });
    let open = Memo::new(move |_| place.open());
    let beside = Memo::new(move |_| place.open().is_some() && list.with(Option::is_some));
    let inside = move || {
        let page = list.get().map(pages::page);
        // What no form of the page has taken for its own.
        let fault = ui.fault();
        if matches!(page, Some(Markup::Fixed(_))) || (page.is_none() && fault.is_none()) {
            return page;
        }
        let fault = fault.map(|fault| view! { <p class="notice" role="alert">{fault.detail}</p> });
        Some(view! {
            <div class="page">{fault} {page}</div>
        })
    };
    view! {
        <a class="skip" href="#main">
            "Skip to the tasks"
        </a>
        <div class="app" class:with-panel=move || beside.get()>
            {side_bar()}
            <div class="col">
                {top_bar()}
                <main id="main">
                    {inside}
                    {move || {
                        open.get().map(|id| {
                            view! {
                                <section class="panel" class:alone=move || !beside.get() aria-label="Task">
                                    {task(id)}
                                </section>
                            }
                        })
                    }}
                </main>
            </div>
        </div>
        {tab_bar()}
        {toasts()}
        {help(ui.help)}
        {choose()}
    }
}
