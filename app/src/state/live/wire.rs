//! The socket: opened, listened to, watched, and opened again.

use std::rc::Rc;

use leptos::task::spawn_local;
use tidings_domain::{
    live::{ClientFrame, HEARTBEAT_MS, PROTOCOL, close},
    time::Timestamp,
};

use super::Live;
use crate::{
    browser::{
        clock, page,
        socket::{Heard, Socket},
        timer::Timer,
    },
    json::{self, ToJson},
    state::backoff,
};

/// How long an answer to a ping may take, in milliseconds.
const ANSWER_MS: i64 = 10_000;
/// The same for a page that was just shown: after sleep sockets are often dead without a word.
const QUICK_MS: i64 = 3_000;
/// The wait of a tab that is one too many, in milliseconds.
const TOO_MANY_MS: i64 = 60_000;
/// Handshakes that take longer have failed, in milliseconds.
const HANDSHAKE_MS: i64 = 15_000;

/// The socket and what is known of it.
#[derive(Default)]
pub(super) struct Wire {
    socket: Option<Socket>,
    /// The handshake is done.
    open: bool,
    /// The server has said that this tab has everything.
    live: bool,
    /// It has said so before.
    was_live: bool,
    /// When a frame last came, by this machine's clock.
    heard: Timestamp,
    /// A ping is out since then.
    asked: bool,
    /// Silence after which to ask, in milliseconds.
    heartbeat_ms: i64,
    /// Failures in a row.
    tries: u32,
    /// Watches for silence, or waits to open again.
    timer: Option<Timer>,
    /// No opening before then, whatever wakes the tab: it is one too many.
    barred: Option<Timestamp>,
}

impl Live {
    /// Whether this tab hears of every change at once.
    pub(super) fn is_live(&self) -> bool {
        let wire = self.wire.borrow();
        wire.socket.is_some() && wire.live
    }

    /// Whether the tab has never been live and has not failed to be.
    pub(super) fn is_first_try(&self) -> bool {
        let wire = self.wire.borrow();
        !wire.was_live && wire.tries == 0
    }

    /// The server has said its heartbeat.
    pub(super) fn set_heartbeat(&self, ms: u32) {
        self.wire.borrow_mut().heartbeat_ms = i64::from(ms).max(1_000);
    }

    /// The server has said that this tab has everything.
    pub(super) fn caught_up(&self) {
        let mut wire = self.wire.borrow_mut();
        wire.live = true;
        wire.was_live = true;
        wire.tries = 0;
    }

    /// Opens the socket, unless it is there.
    pub(super) fn connect(self: &Rc<Self>) {
        let mut wire = self.wire.borrow_mut();
        if wire.socket.is_some() || self.out.get() || !page::is_online() {
            return;
        }
        wire.barred = None;
        let live = Rc::downgrade(self);
        let heard = Rc::new(move |heard| {
            if let Some(live) = live.upgrade() {
                live.heard(heard);
            }
        });
        wire.open = false;
        wire.live = false;
        wire.heard = clock::now();
        wire.socket = Socket::open("/ws", PROTOCOL, heard);
        let lives = Rc::clone(self);
        wire.timer = Some(Timer::after(HANDSHAKE_MS, move || lives.lost(1006)));
    }

    /// The page was shown or the network came back: connects now, or asks whether the socket lives.
    pub(super) fn look_up(self: &Rc<Self>) {
        let (open, barred) = {
            let wire = self.wire.borrow();
            let open = wire.socket.is_some().then_some(wire.open);
            (open, wire.barred.is_some())
        };
        match open {
            // Its time will come by the timer that is set.
            None if barred => {}
            None => {
                self.wire.borrow_mut().timer = None;
                self.connect();
            }
            Some(true) => self.ask(QUICK_MS),
            Some(false) => {}
        }
    }

    /// The server can be reached: connects now, if the socket is gone.
    pub(super) fn reach(self: &Rc<Self>) {
        let gone = self.wire.borrow().socket.is_none();
        if gone {
            self.look_up();
        }
    }

    /// Lets the socket go, without opening another.
    pub(super) fn hang_up(&self) {
        let mut wire = self.wire.borrow_mut();
        wire.timer = None;
        wire.live = false;
        let socket = wire.socket.take();
        drop(wire);
        self.tabs.set(0);
        drop(socket);
        self.client
            .core
            .update_value(|core| core.replica.disconnected());
    }

    fn heard(self: &Rc<Self>, heard: Heard) {
        match heard {
            Heard::Open => {
                {
                    let mut wire = self.wire.borrow_mut();
                    wire.open = true;
                    wire.heartbeat_ms = i64::from(HEARTBEAT_MS);
                }
                let resume = self.client.core.with_value(|core| core.replica.resume());
                self.send(&ClientFrame::Hello {
                    client_id: self.me,
                    tab_id: self.tab,
                    resume,
                    tabs: true,
                    unread: true,
                });
                self.watch();
            }
            Heard::Text(text) => {
                {
                    let mut wire = self.wire.borrow_mut();
                    wire.heard = clock::now();
                    wire.asked = false;
                }
                match json::read(&text) {
                    Some(frame) => self.receive(frame),
                    None => {
                        page::warn("tidings: a frame that makes no sense");
                        self.lost(close::MALFORMED);
                    }
                }
            }
            Heard::Closed(code) => self.lost(code),
        }
    }

    pub(super) fn send(&self, frame: &ClientFrame) {
        if let Some(socket) = &self.wire.borrow().socket {
            socket.send(&frame.write().print());
        }
    }

    /// Waits for silence, and asks into it.
    fn watch(self: &Rc<Self>) {
        let mut wire = self.wire.borrow_mut();
        let rest = wire.heard.0 + wire.heartbeat_ms - clock::now().0;
        let live = Rc::clone(self);
        wire.timer = Some(if rest > 0 {
            Timer::after(rest, move || live.watch())
        } else {
            Timer::after(0, move || live.ask(ANSWER_MS))
        });
    }

    /// Pings; what does not answer is dead.
    fn ask(self: &Rc<Self>, patience_ms: i64) {
        self.wire.borrow_mut().asked = true;
        self.send(&ClientFrame::Ping);
        let live = Rc::clone(self);
        let timer = Timer::after(patience_ms, move || {
            let dead = live.wire.borrow().asked;
            if dead {
                live.lost(1006);
            } else {
                live.watch();
            }
        });
        self.wire.borrow_mut().timer = Some(timer);
    }

    /// The socket is gone.
    fn lost(self: &Rc<Self>, code: u16) {
        let (opened, was_live) = {
            let wire = self.wire.borrow();
            (wire.open, wire.live)
        };
        self.hang_up();
        match code {
            close::SIGNED_OUT => {}
            close::LIMIT if !was_live => {
                // One tab too many: nothing that wakes this one shall make it try before its time.
                let until = clock::now().plus_ms(TOO_MANY_MS);
                self.wire.borrow_mut().barred = Some(until);
            }
            close::MALFORMED => {
                page::warn(
                    "tidings: the connection was closed over a malformed frame; starting anew",
                );
                self.client
                    .core
                    .update_value(|core| core.replica.distrust());
            }
            _ => {}
        }
        if !opened || code == close::SIGNED_OUT {
            // The browser does not say why a handshake failed. The server does.
            let live = Rc::clone(self);
            spawn_local(async move {
                if !live.check_session().await {
                    live.failed();
                }
                live.again();
            });
        } else {
            self.again();
        }
    }

    /// Opens the socket again, after a while.
    fn again(self: &Rc<Self>) {
        {
            let mut wire = self.wire.borrow_mut();
            if wire.socket.is_none() && !self.out.get() {
                let wait = match wire.barred {
                    Some(until) => until.0 - clock::now().0,
                    None => backoff::wait_ms(wire.tries, page::random()),
                };
                wire.tries = wire.tries.saturating_add(1);
                let live = Rc::clone(self);
                wire.timer = Some(Timer::after(wait, move || live.connect()));
            }
        }
        self.show_link();
    }
}
