//! Lists that a tab does not hold whole and fetches when a view asks: what is completed, the trash,
//! search. What was fetched stays live like everything else.

use crate::prelude::*;
use leptos::task::spawn_local;
use tidings_domain::{error::Fault, id::TaskId, view::View};

pub use super::fetch::Fetch;
use super::{Client, fetch::Fetching};
use crate::{
    api::tasks::{ListQuery, Listing},
    browser::{http, timer::Timer},
    json::{Json, ToJson},
    route::Route,
};

/// A search is sent once nothing was typed for this long, in milliseconds.
const TYPING_MS: i64 = 150;

/// What is known of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Known {
    query: ListQuery,
    /// What a search found, in the server's order.
    ids: Vec<TaskId>,
    /// Where to go on.
    next: Option<String>,
}

/// The list of a page.
#[derive(Clone, Copy)]
pub(super) struct Lists {
    known: RwSignal<Option<Known>>,
    fetching: Fetching,
    /// Which request was the last.
    turn: StoredValue<u32>,
}

impl ListQuery {
    /// The list that a page fetches, if it shows one.
    pub fn of(route: &Route) -> Option<Self> {
        let (view, q) = match route {
            Route::Completed => (View::Completed, None),
            Route::Trash => (View::Trash, None),
            Route::Search(q) => (View::All, Some(q.trim().to_owned())),
            _ => return None,
        };
        let cursor = None;
        Some(Self { view, q, cursor })
    }
}

impl Lists {
    pub(super) fn new(query: Option<ListQuery>, start: Option<&Listing>) -> Self {
        let known = query.zip(start).map(|(query, listing)| Known {
            query,
            ids: listing.items.iter().map(|t| t.id).collect(),
            next: listing.next.clone(),
        });
        Self {
            known: RwSignal::new(known),
            fetching: Fetching::new(),
            turn: StoredValue::new(0),
        }
    }
}

/// A fetched list, as a page shows it. Cheap to copy.
#[derive(Clone, Copy)]
pub struct List {
    /// The tasks, in the view's order.
    pub ids: Memo<Vec<TaskId>>,
    /// Whether there is more to fetch; see [`Client::fetch_more`].
    pub more: Signal<bool>,
    /// Where the fetch stands.
    pub fetch: Signal<Fetch>,
}

impl Client {
    /// Fetches a task that the tab may not know: one that is closed, or of a page that was not
    /// loaded.
    ///
    /// # Errors
    /// The server's fault; `not_found` where there is no such task.
    pub async fn fetch_task(self, id: TaskId) -> Result<(), Fault> {
        let task = http::call("task", Json::object(&[("id", id.write())])).await?;
        self.learn([task]);
        Ok(())
    }

    /// A list of Completed, the Trash or a search, see [`ListQuery::of`]: what the page came with,
    /// or fetched when the query changes. One list a page. A search finds open tasks at once, and
    /// the rest when the server has answered.
    pub fn list(self, query: impl Into<Signal<ListQuery>>) -> List {
        let query: Signal<ListQuery> = query.into();
        let lists = self.lists;
        let ids = Memo::new(move |_| {
            self.revision.track();
            query.with(|query| match &query.q {
                None => self.with_here(|here| self.core.with_value(|c| c.list(&query.view, here))),
                Some(q) => lists.known.with(|known| {
                    let known = known.as_ref().filter(|k| k.query == *query);
                    let known = known.map_or(&[][..], |k| &k.ids);
                    self.core.with_value(|core| core.search(q, known))
                }),
            })
        });
        let more = Memo::new(move |_| {
            lists.known.with(|known| {
                known
                    .as_ref()
                    .is_some_and(|k| k.next.is_some() && query.with(|q| *q == k.query))
            })
        });
        // The timer of what was typed before ends with the run that replaces it.
        let mut typing = None::<Timer>;
        Effect::new(move || {
            drop(typing.take());
            let query = query.get();
            let known = |known: &Option<Known>| known.as_ref().is_some_and(|k| k.query == query);
            if lists.known.with_untracked(known) {
                return;
            }
            if query.q.is_none() {
                self.fetch_list(query);
            } else {
                typing = Some(Timer::after(TYPING_MS, move || self.fetch_list(query)));
            }
        });
        List {
            ids,
            more,
            fetch: lists.fetching.state(),
        }
    }

    /// Fetches the next part of the list.
    pub fn fetch_more(self) {
        let query = self.lists.known.with_untracked(|known| {
            let known = known.as_ref()?;
            let cursor = Some(known.next.clone()?);
            Some(ListQuery {
                cursor,
                ..known.query.clone()
            })
        });
        if let Some(query) = query {
            self.fetch_list(query);
        }
    }

    /// Fetches the list again, after everything that the tab knew was replaced or a fetch failed.
    pub fn list_again(self) {
        let known = self.lists.known.with_untracked(Clone::clone);
        if let Some(known) = known {
            self.fetch_list(known.query);
        }
    }

    fn fetch_list(self, query: ListQuery) {
        let lists = self.lists;
        if query.q.as_ref().is_some_and(|q| q.trim().is_empty()) {
            lists.fetching.done();
            return;
        }
        let turn = lists.turn.get_value().wrapping_add(1);
        lists.turn.set_value(turn);
        lists.fetching.start();
        spawn_local(async move {
            let args = Json::object(&[("query", query.write())]);
            let outcome: Result<Listing, Fault> = http::call("list", args).await;
            // A page that was left meanwhile, or a search that was typed on.
            if lists.turn.try_get_value() != Some(turn) {
                return;
            }
            match outcome {
                Err(fault) => lists.fetching.failed(fault),
                Ok(listing) => {
                    lists.fetching.done();
                    self.listed(query, listing);
                }
            }
        });
    }

    fn listed(self, mut query: ListQuery, listing: Listing) {
        let ids: Vec<_> = listing.items.iter().map(|t| t.id).collect();
        let goes_on = query.cursor.take().is_some();
        if !goes_on && query.q.is_none() {
            // What the list had before everything was replaced and has no more.
            let mut gone = Default::default();
            self.core.update_value(|core| {
                core.replica.learn(listing.items.iter().cloned());
                gone = core.replica.give_up(&query.view);
            });
            self.refresh(gone);
        }
        self.learn(listing.items);
        self.lists.known.update(|known| match known {
            Some(known) if goes_on && known.query == query => {
                known.ids.extend(ids);
                known.next = listing.next;
            }
            _ => {
                *known = Some(Known {
                    query,
                    ids,
                    next: listing.next,
                })
            }
        });
    }
}
