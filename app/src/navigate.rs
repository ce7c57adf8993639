//! Going from page to page without loading them: links are taken over, the address and the history
//! are kept. The router of the framework does the same for three times the code.

use crate::prelude::*;
use leptos::ev;
use tidings_domain::id::TaskId;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, Event, HtmlAnchorElement, HtmlElement};

use crate::{
    browser::{page, timer::next_frame},
    route::Route,
};

/// Where the person is. Cheap to copy; in context.
#[derive(Clone, Copy)]
pub struct Place {
    /// The page.
    pub route: RwSignal<Route>,
    /// The list that the page shows, or that lies beside a task that was opened from it.
    pub list: Memo<Option<Route>>,
}

impl Place {
    /// Someone who loaded `route`.
    pub fn new(route: Route) -> Self {
        let route = RwSignal::new(route);
        let list = Memo::new(move |before: Option<&Option<Route>>| {
            route.with(|route| match route {
                Route::Task(_) => before.cloned().flatten(),
                other => Some(other.clone()),
            })
        });
        Self { route, list }
    }

    /// Goes to a page, which the back button leaves again.
    pub fn go(self, to: &Route) {
        if self.route.with_untracked(|route| route == to) {
            return;
        }
        let beside = matches!(to, Route::Task(_)) || self.closes(to);
        self.set(to);
        if !beside {
            window().scroll_to_with_x_and_y(0.0, 0.0);
            next_frame(focus_heading);
        }
    }

    /// Searches for `q`. While one types, each search takes the place of the one before it.
    pub fn search(self, q: &str) {
        let to = Route::Search(q.to_owned());
        let searching = self.route.with_untracked(|r| matches!(r, Route::Search(_)));
        if !searching {
            if !q.trim().is_empty() {
                self.set(&to);
            }
            return;
        }
        if let Ok(history) = window().history() {
            let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(&to.href()));
        }
        self.route.set(to);
    }

    /// Puts a page into the history and shows it.
    fn set(self, to: &Route) {
        let url = to.href();
        let push = |h: web_sys::History| h.push_state_with_url(&JsValue::NULL, "", Some(&url));
        if to.is_drawn() && window().history().and_then(push).is_ok() {
            self.route.set(to.clone());
        } else {
            page::go(&url);
        }
    }

    /// The task that is open.
    pub fn open(self) -> Option<TaskId> {
        self.route.with(|route| match route {
            Route::Task(id) => Some(*id),
            _ => None,
        })
    }

    /// Closes the open task: back to the list beside it, or to the Inbox.
    pub fn close(self) {
        let list = self.list.get_untracked().unwrap_or(Route::Inbox);
        self.go(&list);
    }

    /// Whether going there only closes a task beside its list.
    fn closes(self, to: &Route) -> bool {
        let task = self.route.with_untracked(|r| matches!(r, Route::Task(_)));
        task && self.list.with_untracked(|list| list.as_ref() == Some(to))
    }

    /// Takes over links and the back button, for as long as the page lives. In the browser only.
    pub fn listen(self) {
        page::on_window("click", move |event: ev::MouseEvent| {
            let plain = event.button() == 0
                && !event.default_prevented()
                && !(event.ctrl_key() || event.meta_key() || event.shift_key() || event.alt_key());
            if plain && let Some(to) = event.target().and_then(|t| page_of_link(&t)) {
                event.prevent_default();
                self.go(&to);
            }
        });
        page::on_window("popstate", move |_: Event| {
            let here = page::here();
            let (path, query) = here.split_once('?').unwrap_or((&here, ""));
            let route = Route::parse(path, query);
            if route.is_drawn() {
                self.route.set(route);
            } else {
                page::go(&here);
            }
        });
    }
}

/// The page that a click leads to, if it is on a link to one that is drawn here.
fn page_of_link(target: &web_sys::EventTarget) -> Option<Route> {
    let link = target.dyn_ref::<Element>()?.closest("a[href]").ok()??;
    let link: HtmlAnchorElement = link.dyn_into().ok()?;
    let elsewhere = !link.target().is_empty()
        || link.has_attribute("download")
        || !link.hash().is_empty()
        || link.origin() != window().location().origin().ok()?;
    if elsewhere {
        return None;
    }
    let route = Route::parse(&link.pathname(), link.search().trim_start_matches('?'));
    route.is_drawn().then_some(route)
}

/// Moves the focus to the page's heading, so that a screen reader says where one is.
fn focus_heading() {
    let heading = document().query_selector("h1").ok().flatten();
    if let Some(heading) = heading.and_then(|h| h.dyn_into::<HtmlElement>().ok()) {
        let _ = heading.focus();
    }
}
