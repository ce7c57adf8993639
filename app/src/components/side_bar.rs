//! The side bar with the views, and on a phone the tabs.

use crate::prelude::*;
use web_sys::HtmlDetailsElement;

use super::icon::icon;
use crate::{navigate::Place, route::Route, state::Client, words};

/// A line of the side bar.
fn nav(
    route: Route,
    drawing: &'static str,
    count: impl Fn() -> u32 + Send + Sync + 'static,
) -> Markup {
    let place = expect_context::<Place>();
    let (href, label) = (route.href(), route.heading());
    let here = move || {
        place
            .list
            .with(|list| list.as_ref() == Some(&route))
            .then_some("page")
    };
    view! {
        <a class="nav" href=href aria-current=here>
            {icon(drawing)}
            <span>{label}</span>
            {move || number(count())}
        </a>
    }
}

fn number(count: u32) -> Option<Markup> {
    (count > 0).then(|| view! { <b>{count.to_string()}</b> })
}

/// Tags, with their colours and counts.
fn tags() -> Markup {
    let place = expect_context::<Place>();
    let counts = Client::get().counts();
    let names = Memo::new(move |_| {
        counts.with(|c| {
            c.tags
                .iter()
                .map(|(tag, _)| tag.clone())
                .collect::<Vec<_>>()
        })
    });
    let line = move |tag: String| {
        let route = Route::Tag(tag.clone());
        let href = route.href();
        let here = move || {
            place
                .list
                .with(|list| list.as_ref() == Some(&route))
                .then_some("page")
        };
        let of = tag.clone();
        let count = move || {
            counts.with(|c| {
                c.tags
                    .iter()
                    .find(|(name, _)| *name == of)
                    .map_or(0, |(_, n)| *n)
            })
        };
        view! {
            <a class="nav" href=href aria-current=here>
                <i class=words::hue(&tag)></i>
                <span>{tag}</span>
                {move || number(count())}
            </a>
        }
    };
    view! {
        {move || {
            names
                .with(|names| !names.is_empty())
                .then(|| view! { <h2 class="group">"Tags"</h2> })
        }}
        <For each=move || names.get() key=Clone::clone children=line />
    }
}

/// The line that leads to the account.
fn me() -> Markup {
    let place = expect_context::<Place>();
    let profile = Client::get().profile();
    let name =
        move || profile.with(|p| p.as_ref().map(|p| p.user.name.clone()).unwrap_or_default());
    let here = move || {
        place
            .list
            .with(|l| *l == Some(Route::Account))
            .then_some("page")
    };
    view! {
        <a class="nav" href="/account" aria-current=here>
            <i class="ava" aria-hidden="true">
                {move || words::initials(&name())}
            </i>
            <span>"Account"</span>
        </a>
    }
}

/// The side bar.
pub fn side_bar() -> Markup {
    let counts = Client::get().counts();
    view! {
        <nav class="side" aria-label="Views">
            <a class="brand" href="/inbox">
                {icon("#wave")}
                "Tidings"
            </a>
            {nav(Route::Inbox, "#inbox", move || counts.with(|c| c.inbox))}
            {nav(Route::Today, "#sun", move || counts.with(|c| c.today))}
            {nav(Route::Upcoming, "#cal", move || counts.with(|c| c.upcoming))}
            {nav(Route::Completed, "#ok", || 0)}
            {nav(Route::Activity, "#act", || 0)}
            {nav(Route::Statistics, "#bars", || 0)}
            {nav(Route::Trash, "#bin", || 0)}
            {tags()}
            <div class="grow"></div>
            {me()}
        </nav>
    }
}

/// A tab of the phone's bar.
fn tab(route: Route, drawing: &'static str) -> Markup {
    let place = expect_context::<Place>();
    let (href, label) = (route.href(), route.heading());
    let here = move || {
        place
            .list
            .with(|list| list.as_ref() == Some(&route))
            .then_some("page")
    };
    view! {
        <a href=href aria-current=here>
            {icon(drawing)}
            {label}
        </a>
    }
}

/// The tabs of a phone. What has no tab lies behind the last one.
pub fn tab_bar() -> Markup {
    let place = expect_context::<Place>();
    let more = NodeRef::<HtmlDetailsElement>::new();
    // Going anywhere closes it.
    Effect::new(move || {
        place.route.track();
        if let Some(more) = more.get() {
            more.set_open(false);
        }
    });
    view! {
        <nav class="tabs" aria-label="Views on a phone">
            {tab(Route::Inbox, "#inbox")}
            {tab(Route::Today, "#sun")}
            {tab(Route::Upcoming, "#cal")}
            {tab(Route::Search(String::new()), "#find")}
            <details node_ref=more>
                <summary>
                    {icon("#more")}
                    "More"
                </summary>
                <div class="more">
                    {nav(Route::Completed, "#ok", || 0)}
                    {nav(Route::Activity, "#act", || 0)}
                    {nav(Route::Statistics, "#bars", || 0)}
                    {nav(Route::Trash, "#bin", || 0)}
                    {tags()}
                    {me()}
                </div>
            </details>
        </nav>
    }
}
