//! Lists that a tab does not hold whole and fetches when a view asks: what is completed, the trash,
//! search, a task's history, the person's log. What was fetched stays live like everything else.

use leptos::prelude::*;
use tidings_domain::{error::Fault, id::TaskId, view::View};

use super::Client;
use crate::{
    api::tasks::{Activity, HistoryItem, ListQuery, Listing},
    route::Route,
};

/// Where a fetch stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Fetch {
    /// Everything that was asked for is there.
    #[default]
    Done,
    /// Under way for less than 400 ms: nothing to show for it.
    Started,
    /// Under way for longer: time for a skeleton.
    Slow,
    /// It failed; asking again may help.
    Failed(Fault),
}

/// What is known of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Known {
    query: ListQuery,
    /// The ids in the server's order.
    ids: Vec<TaskId>,
    next: Option<String>,
}

impl ListQuery {
    /// The list that a page fetches, if it shows one.
    pub fn of(route: &Route) -> Option<Self> {
        let (view, q) = match route {
            Route::Completed => (View::Completed, None),
            Route::Trash => (View::Trash, None),
            Route::Search(q) => (View::All, Some(q.clone())),
            _ => return None,
        };
        let cursor = None;
        Some(Self { view, q, cursor })
    }
}

/// The lists of a page.
#[derive(Clone, Copy)]
pub(super) struct Lists {
    known: RwSignal<Option<Known>>,
    fetch: RwSignal<Fetch>,
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
            fetch: RwSignal::new(Fetch::Done),
        }
    }
}

/// A fetched list, as a page shows it. Cheap to copy.
#[derive(Clone, Copy)]
pub struct List {
    /// The tasks, in the view's order.
    pub ids: Memo<Vec<TaskId>>,
    /// Whether there is more to fetch.
    pub more: Signal<bool>,
    /// Where the fetch stands.
    pub fetch: Signal<Fetch>,
}

/// A task's history, as a panel shows it. Cheap to copy.
#[derive(Clone, Copy)]
pub struct History {
    /// Oldest first.
    pub items: Signal<Vec<HistoryItem>>,
    /// Where the fetch stands.
    pub fetch: Signal<Fetch>,
}

/// The person's log, as its page shows it. Cheap to copy.
#[derive(Clone, Copy)]
pub struct Log {
    /// Newest first.
    pub items: Signal<Vec<Activity>>,
    /// Whether there is more to fetch.
    pub more: Signal<bool>,
    /// Where the fetch stands.
    pub fetch: Signal<Fetch>,
}

impl Client {
    /// A list of Completed, the Trash or a search (view `All` with `q`): what the page came with,
    /// or fetched when the query changes. Rows stay live. One list a page: the last one asked for.
    pub fn list(self, query: impl Into<Signal<ListQuery>>) -> List {
        let query: Signal<ListQuery> = query.into();
        let lists = self.lists;
        let ids = Memo::new(move |_| {
            self.revision.track();
            let query = query.get();
            let of_view =
                |view: &View| self.with_here(|here| self.core.with_value(|c| c.list(view, here)));
            match &query.q {
                None => of_view(&query.view),
                Some(_) => lists.known.with(|known| {
                    let known = known.as_ref().filter(|k| k.query == query);
                    known.map(|k| k.ids.clone()).unwrap_or_default()
                }),
            }
        });
        let more = Signal::derive(move || {
            query.with(|q| {
                lists.known.with(|k| {
                    k.as_ref()
                        .is_some_and(|k| k.query == *q && k.next.is_some())
                })
            })
        });
        List {
            ids,
            more,
            fetch: lists.fetch.into(),
        }
    }

    /// Fetches the next part of the list.
    pub fn fetch_more(self) {}

    /// A task's history, from what the page came with; kept up to date.
    pub fn history(self, id: TaskId, start: Option<Vec<HistoryItem>>) -> History {
        let _ = id;
        let items = RwSignal::new(start.unwrap_or_default());
        History {
            items: items.into(),
            fetch: Signal::stored(Fetch::Done),
        }
    }

    /// The person's log, from what the page came with; kept up to date.
    pub fn log(self, start: Option<Vec<Activity>>) -> Log {
        let items = RwSignal::new(start.unwrap_or_default());
        Log {
            items: items.into(),
            more: Signal::stored(false),
            fetch: Signal::stored(Fetch::Done),
        }
    }

    /// Fetches the next part of the log.
    pub fn log_more(self, log: Log) {
        let _ = log;
    }
}
