//! Sending: changes go out in order, a few at a time, and come back taken, refused, or not at all.

use std::rc::Rc;

use leptos::task::spawn_local;
use tidings_domain::{
    command::Command,
    error::{Code, Fault},
    replica::Pending,
};

use super::Live;
use crate::{
    api::tasks::{Change, Changed},
    browser::{http, page, storage, timer::Timer},
    json::{Json, ToJson},
    state::{
        backoff,
        queue::{self, Verdict},
        undo,
    },
};

/// Changes on their way at one time, of different tasks.
const MOST: usize = 4;

impl Live {
    /// Keeps what waits, so that it outlives the page.
    pub(super) fn persist(&self) {
        let key = queue::key(self.user, self.tab);
        let line = self
            .client
            .core
            .with_value(|core| queue::write(core.replica.pending()));
        match line {
            Some(line) => {
                storage::set(&key, &line);
            }
            None => storage::remove(&key),
        }
    }

    /// Sends what may go now.
    pub(super) fn pump(self: &Rc<Self>) {
        self.persist();
        if self.out.get() || self.pause.borrow().is_some() || !page::is_online() {
            return;
        }
        let next = self.client.core.with_value(|core| {
            queue::next(core.replica.pending(), &self.on_their_way.borrow(), MOST)
        });
        for change in next {
            self.on_their_way
                .borrow_mut()
                .insert(change.mutation_id, change.task_id);
            let live = Rc::clone(self);
            spawn_local(async move {
                let outcome = live.send_one(&change).await;
                live.on_their_way.borrow_mut().remove(&change.mutation_id);
                live.answered(change, outcome);
                live.pump();
            });
        }
    }

    /// Sends at once what waits for a better time.
    pub(super) fn resume_sending(self: &Rc<Self>) {
        *self.pause.borrow_mut() = None;
        self.pump();
    }

    async fn send_one(&self, change: &Pending) -> Result<Changed, Fault> {
        let change = Change {
            mutation_id: change.mutation_id,
            client_id: Some(self.me),
            task_id: change.task_id,
            command: change.command.clone(),
        };
        http::call("change", Json::object(&[("change", change.write())])).await
    }

    fn answered(self: &Rc<Self>, change: Pending, outcome: Result<Changed, Fault>) {
        let client = self.client;
        let id = change.mutation_id;
        match outcome {
            Ok(changed) => {
                self.tried.borrow_mut().remove(&id);
                self.failures.set(0);
                // The server is there: no need to wait for the socket's next try.
                self.reach();
                let mut ids = Default::default();
                client.core.update_value(|core| {
                    ids = core.replica.acknowledge(id, changed.seq);
                    if change.command == Command::Purge {
                        core.replica.forget(change.task_id);
                        ids.insert(change.task_id);
                    }
                });
                if change.command == Command::Purge {
                    self.say_gone(change.task_id);
                }
                client.refresh(ids);
            }
            Err(fault) => {
                let tries = self.tried.borrow().get(&id).copied().unwrap_or(0);
                match queue::verdict(fault.code, tries) {
                    Verdict::SignIn => self.sign_in(),
                    Verdict::Again => {
                        self.tried.borrow_mut().insert(id, tries + 1);
                        self.failed();
                        let wait = match fault.retry_after {
                            Some(seconds) => i64::from(seconds) * 1000,
                            None => backoff::wait_ms(tries, page::random()),
                        };
                        let live = Rc::clone(self);
                        let timer = Timer::after(wait, move || live.resume_sending());
                        *self.pause.borrow_mut() = Some(timer);
                    }
                    Verdict::Refused => {
                        self.tried.borrow_mut().remove(&id);
                        self.refused(&change, &fault);
                    }
                }
            }
        }
    }

    /// Takes a refused change back, and says so.
    fn refused(&self, change: &Pending, fault: &Fault) {
        let client = self.client;
        let mut title = None;
        client.core.update_value(|core| {
            title = core
                .replica
                .settled(change.task_id)
                .map(|t| t.title.clone());
            core.replica.refuse(change.mutation_id);
            if matches!(change.command, Command::Create(_)) && title.is_none() {
                // What was to be done to a task that never was goes with it.
                let after: Vec<_> = core
                    .replica
                    .pending()
                    .iter()
                    .filter(|p| p.task_id == change.task_id)
                    .map(|p| p.mutation_id)
                    .collect();
                for id in after {
                    core.replica.refuse(id);
                }
            }
        });
        if let Command::Create(patch) = &change.command {
            title = patch.title.clone().or(title);
        }
        client.refresh([change.task_id]);
        client.forget_undo(change.task_id);
        client.toasts.bad(words(title.as_deref(), change, fault));
    }
}

/// Says that a change was refused, and what that leaves unsaved.
fn words(title: Option<&str>, change: &Pending, fault: &Fault) -> String {
    let title = title.map_or_else(|| "A task".to_owned(), |t| format!("“{}”", undo::short(t)));
    let unsaved = undo::unsaved(&change.command);
    match fault.code {
        Code::NotFound => format!("{title} was deleted in another tab. {unsaved}"),
        _ => format!("{title}: {} {unsaved}", fault.detail),
    }
}
