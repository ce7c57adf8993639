//! The other tabs of this browser: how many there are, what they leave behind, what they say.

use std::{cell::Cell, rc::Rc};
use web_sys::Event;

use leptos::{prelude::document, task::spawn_local};

use super::Live;
use crate::{
    browser::{channel::Channel, clock, locks, page, storage, timer::Timer},
    state::{
        queue,
        tabs::{SAY_MS, Word},
    },
};

/// Where pages of nobody say that they are: a session may have ended.
const NOBODY: &str = "tidings.nobody";

/// What a page of nobody does in the browser: it lets the other tabs look whether they are still
/// signed in, for signing out in one ends all, and tells the form for a new account the time zone.
pub fn nobody() {
    if let Some(channel) = Channel::join(NOBODY, |_| {}) {
        channel.say("");
    }
    let field = document().query_selector("input[name=time_zone]");
    if let (Ok(Some(field)), Some(zone)) = (field, clock::zone()) {
        let _ = field.set_attribute("value", &zone);
    }
}

impl Live {
    /// Joins the tabs of the same person.
    pub(super) fn join_others(self: &Rc<Self>) {
        let live = Rc::clone(self);
        let name = format!("tidings.{}", self.user);
        let channel = Channel::join(&name, move |text| {
            if let Some(word) = Word::read(&text) {
                live.told(word);
            }
        });
        *self.channel.borrow_mut() = channel;
        let live = Rc::clone(self);
        let nobody = Channel::join(NOBODY, move |_| {
            let live = Rc::clone(&live);
            spawn_local(async move {
                live.check_session().await;
            });
        });
        *self.nobody.borrow_mut() = nobody;
        self.greet_others();
    }

    /// Tells the other tabs.
    pub(super) fn say(&self, word: Word) {
        if let Some(channel) = &*self.channel.borrow() {
            channel.say(&word.write());
        }
    }

    /// Asks who is there, which also says that this tab is.
    pub(super) fn greet_others(self: &Rc<Self>) {
        self.say(Word::Who(self.tab));
        self.say_later();
    }

    /// Says that this tab goes.
    pub(super) fn leave_others(&self) {
        self.say(Word::Bye(self.tab));
    }

    fn say_later(self: &Rc<Self>) {
        let live = Rc::clone(self);
        let timer = Timer::after(SAY_MS, move || {
            live.say(Word::Here(live.tab));
            live.show_link();
            live.say_later();
        });
        *self.saying.borrow_mut() = Some(timer);
    }

    fn told(self: &Rc<Self>, word: Word) {
        self.tabs.borrow_mut().hear(word, self.client.exact_now());
        match word {
            Word::Who(_) => self.say(Word::Here(self.tab)),
            Word::Here(_) | Word::Bye(_) => {}
            Word::Gone(task) => {
                self.client
                    .core
                    .update_value(|core| core.replica.forget(task));
                self.client.refresh([task]);
            }
        }
        self.show_link();
    }

    /// Takes over the lines of tabs that are gone, now and whenever one goes. A tab holds a lock by
    /// the name of its line for as long as it lives, so whoever gets that lock knows.
    pub(super) fn take_over_lines(self: &Rc<Self>) {
        let own = queue::key(self.user, self.tab);
        locks::request(&own, true, || {});
        let prefix = queue::prefix(self.user);
        let known = Rc::new(Cell::new(vec![own]));
        let live = Rc::clone(self);
        let look = move || {
            let mut seen = known.take();
            for key in storage::keys(&prefix) {
                if seen.contains(&key) {
                    continue;
                }
                seen.push(key.clone());
                let heir = Rc::clone(&live);
                let line = key.clone();
                if !locks::request(&key, false, move || heir.take_over(&line)) {
                    // Without locks nobody can tell; sent twice, a change still counts once.
                    live.take_over(&key);
                }
            }
            known.set(seen);
        };
        look();
        page::on_window("storage", move |_: Event| look());
    }

    fn take_over(self: &Rc<Self>, key: &str) {
        let Some(text) = storage::get(key) else {
            return;
        };
        let line = queue::read(&text);
        let ids: Vec<_> = line.iter().map(|p| p.task_id).collect();
        self.client.core.update_value(|core| {
            for change in line {
                let known = core
                    .replica
                    .pending()
                    .iter()
                    .any(|p| p.mutation_id == change.mutation_id);
                if !known {
                    core.replica.push(change);
                }
            }
        });
        // Kept under this tab's key before the other goes.
        self.persist();
        storage::remove(key);
        self.client.refresh(ids);
        self.pump();
    }
}
