//! What brings a page to life once it is hydrated, in browsers alone: the socket, the sending of
//! changes, the other tabs and the clock.

mod others;
mod receive;
mod send;
mod wire;

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use crate::prelude::*;
use tidings_domain::{
    id::{ClientId, MutationId, TaskId, UserId},
    sorted::SortedMap,
    time::Timestamp,
};
use uuid::Uuid;
use web_sys::Event;

use super::{Client, Link};
use crate::{
    browser::{channel::Channel, clock, http, id, page, storage, timer::Timer},
    route::encode,
};

/// Failures in a row after which the pill says that there is no connection.
const LOST: u32 = 3;
/// A minute, in milliseconds.
const MINUTE: i64 = 60_000;

/// The live side of a tab. Lives as long as its page: the page's events hold it.
pub(super) struct Live {
    client: Client,
    user: UserId,
    /// This browser, to the server.
    me: ClientId,
    /// This tab, anew with each page.
    tab: Uuid,
    wire: RefCell<wire::Wire>,
    /// Changes whose answer is still out.
    on_their_way: RefCell<SortedMap<MutationId, TaskId>>,
    /// How often each change was tried, for those that failed.
    tried: RefCell<SortedMap<MutationId, u32>>,
    /// Sending waits for this.
    pause: RefCell<Option<Timer>>,
    /// Failures in a row to reach the server, by socket or request.
    failures: Cell<u32>,
    /// The session is over; nothing is sent any more.
    out: Cell<bool>,
    /// Open tabs of this person, as the server counts them.
    tabs: Cell<u32>,
    /// To the other tabs of this browser.
    channel: RefCell<Option<Channel>>,
    ticking: RefCell<Option<Timer>>,
    glowing: RefCell<Option<Timer>>,
}

/// Brings the page to life, if somebody is signed in.
pub(super) fn start(client: Client) {
    let user = client
        .profile
        .with_untracked(|p| p.as_ref().map(|p| p.user.id));
    let Some(user) = user else {
        return;
    };
    // Until the server tells its time: a clock that is wrong by more than a page takes to load.
    let skew = client.now.get_untracked().0 - clock::now().0;
    if skew.abs() > MINUTE {
        client.skew.set_value(skew);
    }
    let live = Rc::new(Live {
        client,
        user,
        me: me(client.exact_now()),
        tab: id::v7(client.exact_now()),
        wire: RefCell::default(),
        on_their_way: RefCell::default(),
        tried: RefCell::default(),
        pause: RefCell::default(),
        failures: Cell::new(0),
        out: Cell::new(false),
        tabs: Cell::new(0),
        channel: RefCell::default(),
        ticking: RefCell::default(),
        glowing: RefCell::default(),
    });
    live.tick();
    live.join_others();
    live.take_over_lines();
    live.watch_page();
    live.connect();
    let sends = Rc::clone(&live);
    Effect::new(move || {
        client.queued.track();
        sends.pump();
    });
    let shows = Rc::clone(&live);
    Effect::new(move || {
        client.waiting.track();
        shows.show_link();
    });
}

/// The id that this browser keeps.
fn me(now: Timestamp) -> ClientId {
    const KEY: &str = "tidings.client";
    let kept = storage::get(KEY).and_then(|text| text.parse().ok());
    kept.unwrap_or_else(|| {
        let new = ClientId(id::v7(now));
        storage::set(KEY, &new.to_string());
        new
    })
}

impl Live {
    /// Sets the clock of the page, and again at each full minute.
    fn tick(self: &Rc<Self>) {
        let now = self.client.exact_now();
        self.client.now.set(now);
        let live = Rc::clone(self);
        let rest = MINUTE - now.0.rem_euclid(MINUTE);
        let timer = Timer::after(rest + 20, move || live.tick());
        *self.ticking.borrow_mut() = Some(timer);
    }

    /// Sleep, other tabs and lost networks show in the page's own events.
    fn watch_page(self: &Rc<Self>) {
        let live = Rc::clone(self);
        page::on_document("visibilitychange", move || {
            if page::is_visible() {
                live.tick();
                live.wake();
            }
        });
        let live = Rc::clone(self);
        page::on_window("online", move |_: Event| {
            live.failures.set(0);
            live.wake();
        });
        let live = Rc::clone(self);
        page::on_window("offline", move |_: Event| {
            live.hang_up();
            live.show_link();
        });
        // Back from the browser's cache of pages: time has passed, and the socket is gone.
        let live = Rc::clone(self);
        page::on_window("pageshow", move |_: Event| {
            live.tick();
            live.wake();
        });
    }

    /// There may be news to fetch and a way to send again.
    fn wake(self: &Rc<Self>) {
        self.look_up();
        self.resume_sending();
        self.show_link();
    }

    /// Says how the tab stands to the server.
    fn show_link(&self) {
        let live = self.is_live();
        let failures = self.failures.get();
        let link = if !page::is_online() || (!live && failures >= LOST) {
            let waiting = self.client.waiting.get_untracked();
            Link::Offline { waiting }
        } else if live {
            let tabs = self.tabs.get();
            Link::Live { tabs }
        } else if self.is_first_try() && failures == 0 {
            Link::Connecting
        } else {
            Link::Reconnecting
        };
        if self.client.link.get_untracked() != link {
            self.client.link.set(link);
        }
    }

    /// The server could not be reached.
    fn failed(&self) {
        self.failures.set(self.failures.get().saturating_add(1));
        self.show_link();
    }

    /// Asks whether the session still holds; leaves for the sign-in page if not. True where the
    /// server answered.
    async fn check_session(&self) -> bool {
        match http::status("/api/me").await {
            Some(401) => {
                self.sign_in();
                true
            }
            Some(_) => true,
            None => false,
        }
    }

    /// Leaves for the sign-in page. What waits stays in line for afterwards.
    fn sign_in(&self) {
        if !self.out.replace(true) {
            self.persist();
            self.hang_up();
            page::go(&["/sign-in?next=", &encode(&page::here())].concat());
        }
    }
}
