//! What a tab knows, and what it does with it: one store, from which every list is derived.
//!
//! A page starts the store from the data that it was rendered from, so the browser draws the same
//! rows; from then on the socket feeds it. A change is shown at once and waits on top of what the
//! server said until the server has said it too.

use crate::prelude::*;
use chrono::NaiveDate;
use tidings_domain::{
    id::TaskId,
    sorted::SortedSet,
    task::Task,
    time::Timestamp,
    view::{Counts, Here, View},
};

use crate::{
    api::{account::Profile, tasks::ListQuery},
    browser::clock,
    page::PageData,
    route::Route,
};

pub mod backoff;
pub mod changes;
mod core;
pub mod days;
pub mod fetch;
pub mod lists;
mod live;
pub mod past;
pub mod queue;
pub mod toast;
pub mod undo;

use self::{core::Core, lists::Lists, toast::Toasts, undo::Undoable};

/// How the tab stands to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// Not connected yet: the page has just been loaded.
    Connecting,
    /// Every change shows at once.
    Live {
        /// Open tabs of this person, this one among them.
        tabs: u32,
    },
    /// The connection was lost and is being made anew.
    Reconnecting,
    /// There is no network, or no server.
    Offline {
        /// Changes that wait to be sent.
        waiting: usize,
    },
}

/// The tab's store. Cheap to copy; found in context.
#[derive(Clone, Copy)]
pub struct Client {
    core: StoredValue<Core>,
    /// Rises whenever any task shows differently.
    revision: RwSignal<u32>,
    /// The last seq of the feed that the tab has.
    cursor: RwSignal<i64>,
    /// Whether every open task is known.
    complete: RwSignal<bool>,
    /// What the page counted, for as long as not every open task is known.
    counted: StoredValue<Counts>,
    profile: RwSignal<Option<Profile>>,
    now: RwSignal<Timestamp>,
    /// What the server's clock is ahead of this machine's, in milliseconds.
    skew: StoredValue<i64>,
    today: Memo<NaiveDate>,
    zone: Memo<String>,
    link: RwSignal<Link>,
    waiting: RwSignal<usize>,
    /// Rises with each change that was put in line to be sent.
    queued: RwSignal<u32>,
    toasts: Toasts,
    undoable: RwSignal<Option<Undoable>>,
    selected: RwSignal<SortedSet<TaskId>>,
    lists: Lists,
}

impl Client {
    /// Makes the store of a page and puts it into context. The same in the browser and on the
    /// server; in the browser it comes to life after hydration.
    pub fn provide(page: &PageData) -> Self {
        let board = page.board.clone();
        let counted = board.as_ref().map(|b| b.counts.clone()).unwrap_or_default();
        let complete = board.as_ref().is_some_and(|b| b.complete);
        let cursor = board.as_ref().map_or(0, |b| b.cursor);
        let profile = RwSignal::new(page.profile.clone());
        let now = RwSignal::new(page.now);
        let zone = Memo::new(move |_| {
            profile.with(|p| {
                p.as_ref()
                    .map_or_else(|| "UTC".to_owned(), |p| p.user.time_zone.clone())
            })
        });
        let today =
            Memo::new(move |_| zone.with(|zone| Here::at(zone, now.get(), clock::zones()).today));
        let query = ListQuery::of(&Route::parse(&page.path, &page.query));
        let lists = Lists::new(query, page.listing.as_ref());
        let listed = page.listing.iter().flat_map(|l| l.items.iter().cloned());
        let learned = listed.chain(page.detail.iter().map(|d| d.task.clone()));
        let client = Self {
            core: StoredValue::new(Core::new(board, learned)),
            revision: RwSignal::new(0),
            cursor: RwSignal::new(cursor),
            complete: RwSignal::new(complete),
            counted: StoredValue::new(counted),
            profile,
            now,
            skew: StoredValue::new(0),
            today,
            zone,
            link: RwSignal::new(Link::Connecting),
            waiting: RwSignal::new(0),
            queued: RwSignal::new(0),
            toasts: Toasts::new(),
            undoable: RwSignal::new(None),
            selected: RwSignal::new(SortedSet::default()),
            lists,
        };
        // What the page holds is shown from the first moment, on both sides.
        client.refresh_all();
        provide_context(client);
        // Effects run in browsers alone, and after hydration.
        Effect::new(move || untrack(|| live::start(client)));
        client
    }

    /// The store of this page.
    pub fn get() -> Self {
        expect_context()
    }

    /// A task as it is shown. Only its own changes wake who reads it. `None` where it is not known
    /// or is gone for good.
    pub fn task(self, id: TaskId) -> ReadSignal<Option<Task>> {
        let mut task = None;
        self.core
            .update_value(|core| task = Some(core.row(id).task.read_only()));
        // The closure has always run.
        task.unwrap_or_else(|| ArcRwSignal::new(None).read_only())
    }

    /// Whether a task has just been changed from elsewhere. Turns false again by itself.
    pub fn glow(self, id: TaskId) -> ReadSignal<bool> {
        let mut glow = None;
        self.core
            .update_value(|core| glow = Some(core.row(id).glow.read_only()));
        glow.unwrap_or_else(|| ArcRwSignal::new(false).read_only())
    }

    /// The ids of the known tasks that a view holds, in its order.
    pub fn view(self, view: View) -> Memo<Vec<TaskId>> {
        Memo::new(move |_| {
            self.revision.track();
            self.with_here(|here| self.core.with_value(|core| core.list(&view, here)))
        })
    }

    /// What the side bar counts.
    pub fn counts(self) -> Memo<Counts> {
        Memo::new(move |_| {
            if !self.complete.get() {
                return self.counted.get_value();
            }
            self.revision.track();
            self.with_here(|here| self.core.with_value(|core| core.counts(here)))
        })
    }

    /// Whether every open task is known, so that the views of open tasks are whole.
    pub fn is_complete(self) -> Signal<bool> {
        self.complete.into()
    }

    /// A task as it is shown now, for an event handler.
    pub fn peek(self, id: TaskId) -> Option<Task> {
        self.core.with_value(|core| core.shown(id).cloned())
    }

    /// Takes in tasks that were fetched, unless later versions of them are known.
    pub fn learn(self, tasks: impl IntoIterator<Item = Task>) {
        let tasks: Vec<_> = tasks.into_iter().collect();
        let ids: Vec<_> = tasks.iter().map(|t| t.id).collect();
        self.core.update_value(|core| core.replica.learn(tasks));
        self.refresh(ids);
    }

    /// How the tab stands to the server, for the pill.
    pub fn link(self) -> Signal<Link> {
        self.link.into()
    }

    /// Changes that the server has not taken yet.
    pub fn waiting(self) -> Signal<usize> {
        self.waiting.into()
    }

    /// The time, to the minute: ticks in the browser, stands still on the server.
    pub fn now(self) -> Signal<Timestamp> {
        self.now.into()
    }

    /// The time to the millisecond by the server's clock, for what is made now.
    pub fn exact_now(self) -> Timestamp {
        clock::now().plus_ms(self.skew.get_value())
    }

    /// The date where the person is.
    pub fn today(self) -> Signal<NaiveDate> {
        self.today
    }

    /// The person's zone, an IANA name.
    pub fn zone(self) -> Signal<String> {
        self.zone
    }

    /// Runs `f` with where and when the person is. Tracks the zone and the date.
    pub fn with_here<T>(self, f: impl FnOnce(&Here<'_>) -> T) -> T {
        self.zone.with(|zone| {
            f(&Here {
                zone,
                today: self.today.get(),
                now: self.now.get_untracked(),
                zones: clock::zones(),
            })
        })
    }

    /// Who is signed in. Setting it shows at once and saves nothing.
    pub fn profile(self) -> RwSignal<Option<Profile>> {
        self.profile
    }

    /// What is shown to the person for a moment.
    pub fn toasts(self) -> Toasts {
        self.toasts
    }

    /// The tasks that are selected, for changing many at once.
    pub fn selected(self) -> RwSignal<SortedSet<TaskId>> {
        self.selected
    }

    /// Whether a task is selected. Only its own selection wakes who reads it.
    pub fn is_selected(self, id: TaskId) -> Memo<bool> {
        let selected = self.selected;
        Memo::new(move |_| selected.with(|ids| ids.contains(&id)))
    }

    /// Adds a task to the selection, or takes it out.
    pub fn toggle_selected(self, id: TaskId) {
        self.selected.update(|ids| {
            if !ids.remove(&id) {
                ids.insert(id);
            }
        });
    }

    /// Frames came in: what depends on how far the tab is looks again.
    fn moved_on(self) {
        let (cursor, complete) = self
            .core
            .with_value(|core| (core.replica.cursor(), core.replica.is_complete()));
        self.cursor.set(cursor);
        if complete && !self.complete.get_untracked() {
            self.complete.set(true);
        }
    }

    /// Lets exactly these rows glow.
    fn set_glow(self, ids: SortedSet<TaskId>) {
        let mut switches = Vec::new();
        self.core.update_value(|core| switches = core.set_glow(ids));
        for (glow, on) in switches {
            glow.set(on);
        }
    }

    /// Shows anew what may show differently.
    fn refresh(self, ids: impl IntoIterator<Item = TaskId>) {
        let zone = self.zone.get_untracked();
        let now = self.exact_now();
        let mut changed = Vec::new();
        let mut waiting = 0;
        self.core.update_value(|core| {
            changed = core.refresh(ids, &zone, now);
            waiting = core.waiting();
        });
        // Only now, with the core at rest, whoever reads is woken.
        if !changed.is_empty() {
            for (row, task) in changed.into_iter().flatten() {
                row.set(task);
            }
            self.revision.update(|r| *r = r.wrapping_add(1));
        }
        if self.waiting.get_untracked() != waiting {
            self.waiting.set(waiting);
        }
    }

    /// Shows everything anew.
    fn refresh_all(self) {
        let ids = self.core.with_value(Core::ids);
        self.refresh(ids);
    }
}

#[cfg(test)]
mod tests;
