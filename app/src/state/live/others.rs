//! The other tabs of this browser: what they say, what they leave behind.

use std::{cell::Cell, rc::Rc};
use web_sys::Event;

use leptos::task::spawn_local;
use tidings_domain::id::TaskId;

use super::Live;
use crate::{
    browser::{channel::Channel, locks, page, storage},
    state::queue,
};

/// Where the tabs of a browser tell one another what no event says: the id of a task that was
/// removed for good, or nothing where a session may have ended (the document of nobody says so).
const CHANNEL: &str = "tidings";

impl Live {
    /// Listens to the other tabs.
    pub(super) fn join_others(self: &Rc<Self>) {
        let live = Rc::clone(self);
        let channel = Channel::join(CHANNEL, move |text| match text.parse() {
            Ok(id) => {
                let task = TaskId(id);
                live.client
                    .core
                    .update_value(|core| core.replica.forget(task));
                live.client.refresh([task]);
            }
            Err(_) => {
                let live = Rc::clone(&live);
                spawn_local(async move {
                    live.check_session().await;
                });
            }
        });
        *self.channel.borrow_mut() = channel;
    }

    /// Tells the other tabs that a task was removed for good.
    pub(super) fn say_gone(&self, task: TaskId) {
        if let Some(channel) = &*self.channel.borrow() {
            channel.say(&task.to_string());
        }
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
