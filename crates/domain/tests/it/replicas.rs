//! Copies that follow a feed over a bad line.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::json;
use tidings_domain::{
    command::{Command, TaskPatch},
    decide::Context,
    id::TaskId,
    live::ServerFrame,
    replica::{Pending, Replica, Step},
    task::Task,
    time::{Timestamp, TzDatabase},
    view::View,
};
use uuid::Uuid;

use crate::feed::{EPOCH, Feed, ZONE, any_command, frame, mutation_id, task_id};

fn context() -> Context<'static> {
    Context {
        now: Timestamp(1_790_000_000_000),
        time_zone: ZONE,
        zones: &TzDatabase,
        first_position: None,
        earlier: None,
    }
}

/// Something that happens to a client, its server or the line between them.
#[derive(Clone, Debug)]
enum Happening {
    /// The client changes a task.
    Here(u8, Command),
    /// Somebody else does.
    Elsewhere(u8, Command),
    /// Something that this client knows nothing of.
    Unknown(u8),
    /// The oldest change reaches the server.
    Sent,
    /// The oldest answer reaches the client.
    Answered,
    /// One of the frames on the line arrives, and stays there to arrive again.
    Arrives(usize, bool),
    /// One of them is lost.
    Lost(usize),
    /// The line breaks and comes back.
    Reconnected,
}

fn happenings() -> impl Strategy<Value = Vec<Happening>> {
    let one = prop_oneof![
        3 => (0_u8..3, any_command()).prop_map(|(t, c)| Happening::Here(t, c)),
        2 => (0_u8..3, any_command()).prop_map(|(t, c)| Happening::Elsewhere(t, c)),
        1 => (0_u8..3).prop_map(Happening::Unknown),
        3 => Just(Happening::Sent),
        3 => Just(Happening::Answered),
        6 => (any::<usize>(), any::<bool>()).prop_map(|(at, again)| Happening::Arrives(at, again)),
        1 => any::<usize>().prop_map(Happening::Lost),
        1 => Just(Happening::Reconnected),
    ];
    proptest::collection::vec(one, 1..80)
}

struct World {
    feed: Feed,
    client: Replica,
    line: Vec<ServerFrame>,
    /// Changes that the server has not had, oldest first.
    unsent: Vec<Pending>,
    /// Its answers, and what the client is to learn of each.
    answers: Vec<(Pending, Result<i64, ()>)>,
    made: usize,
    /// Tasks that were to be gone for good: nobody makes another under the id of one.
    purged: BTreeSet<u8>,
}

impl World {
    fn new(complete: bool) -> Self {
        let mut world = Self {
            feed: Feed::default(),
            client: Replica::new(EPOCH, 0, [], complete),
            line: Vec::new(),
            unsent: Vec::new(),
            answers: Vec::new(),
            made: 0,
            purged: BTreeSet::new(),
        };
        world.reconnect();
        world
    }

    fn happen(&mut self, happening: Happening) {
        if let Happening::Here(task, command) | Happening::Elsewhere(task, command) = &happening {
            match command {
                Command::Purge => drop(self.purged.insert(*task)),
                Command::Create(_) if self.purged.contains(task) => return,
                _ => {}
            }
        }
        match happening {
            Happening::Here(task, command) => {
                self.made += 1;
                let change = Pending {
                    mutation_id: mutation_id(self.made),
                    task_id: task_id(task),
                    command,
                    seq: None,
                };
                self.client.push(change.clone());
                self.unsent.push(change);
            }
            Happening::Elsewhere(task, command) => {
                self.made += 1;
                let head = self.feed.head();
                let _ = self
                    .feed
                    .take(mutation_id(self.made), task_id(task), &command);
                self.publish(head);
            }
            Happening::Unknown(task) => {
                self.feed.notify(task_id(task));
                self.publish(self.feed.head() - 1);
            }
            Happening::Sent if !self.unsent.is_empty() => {
                let change = self.unsent.remove(0);
                let head = self.feed.head();
                let taken = self
                    .feed
                    .take(change.mutation_id, change.task_id, &change.command);
                self.publish(head);
                let answer = taken.map(|_| self.feed.head()).map_err(|_| ());
                self.answers.push((change, answer));
            }
            Happening::Answered if !self.answers.is_empty() => match self.answers.remove(0) {
                (change, Ok(seq)) => drop(self.client.acknowledge(change.mutation_id, seq)),
                (change, Err(())) => {
                    let back = self.client.refuse(change.mutation_id).unwrap();
                    assert_eq!(back.command, change.command);
                }
            },
            Happening::Arrives(at, again) if !self.line.is_empty() => {
                let at = at % self.line.len();
                let frame = self.line[at].clone();
                if !again {
                    self.line.remove(at);
                }
                self.receive(frame);
            }
            Happening::Lost(at) if !self.line.is_empty() => {
                self.line.remove(at % self.line.len());
            }
            Happening::Reconnected => self.reconnect(),
            _ => {}
        }
    }

    fn publish(&mut self, head: i64) {
        if self.feed.head() > head {
            let mut frames = self.feed.frames_after(head, 2);
            frames.pop();
            self.line.extend(frames);
        }
    }

    fn receive(&mut self, frame: ServerFrame) {
        let before = self.client.cursor();
        if let Step::Sync(cursor) = self.client.receive(frame) {
            assert_eq!(cursor, before);
            self.line.extend(self.feed.frames_after(cursor, 3));
        }
    }

    fn reconnect(&mut self) {
        self.line.clear();
        self.client.disconnected();
        assert!(!self.client.is_live());
        let welcome = json!({"t": "welcome", "epoch": EPOCH, "head": self.feed.head(),
            "server_time": "2026-11-21T12:00:00.000Z", "heartbeat_ms": 25_000});
        let frames = match self.client.resume() {
            Some(resume) => self.feed.frames_after(resume.cursor, 4),
            None => self.feed.snapshot(2),
        };
        // A snapshot comes whole and in order or, with the line, not at all.
        let whole = self.client.resume().is_none();
        self.receive(frame(&welcome));
        if whole {
            frames.into_iter().for_each(|frame| self.receive(frame));
        } else {
            self.line.extend(frames);
        }
    }

    /// Everything that is on its way arrives.
    fn settle(&mut self) {
        while !(self.unsent.is_empty() && self.answers.is_empty()) {
            self.happen(Happening::Sent);
            self.happen(Happening::Answered);
        }
        self.reconnect();
        while !self.line.is_empty() {
            self.happen(Happening::Arrives(0, false));
        }
    }
}

proptest! {
    #[test]
    fn a_copy_ends_equal_to_its_server(happenings in happenings(), complete in any::<bool>()) {
        let mut world = World::new(complete);
        for happening in happenings {
            world.happen(happening);
        }
        world.settle();
        let World { feed, client, .. } = &world;
        prop_assert!(client.is_live() && client.is_complete());
        prop_assert_eq!(client.cursor(), feed.head());
        prop_assert_eq!(client.pending(), []);
        for (id, task) in &feed.tasks {
            prop_assert_eq!(client.settled(*id), Some(task));
            prop_assert_eq!(shown(client, *id), Some(task.clone()));
        }
        // No event says that a task went from the trash for good: elsewhere it may linger there.
        let ids = client.ids().into_iter();
        for id in ids.filter(|id| !feed.tasks.contains_key(id)) {
            prop_assert!(client.settled(id).is_some_and(|t| t.deleted_at.is_some()));
        }
    }
}

fn change(n: usize, command: Command) -> Pending {
    Pending {
        mutation_id: mutation_id(n),
        task_id: task_id(0),
        command,
        seq: None,
    }
}

fn titled(title: &str) -> TaskPatch {
    TaskPatch {
        title: Some(title.to_owned()),
        ..TaskPatch::default()
    }
}

fn shown(client: &Replica, id: TaskId) -> Option<Task> {
    client.shown(id, &context())
}

#[test]
fn several_pending_changes_show_one_on_the_other() {
    let mut client = Replica::new(EPOCH, 0, [], true);
    client.push(change(1, Command::Create(titled("a"))));
    client.push(change(2, Command::Edit(titled("b"))));
    client.push(change(3, Command::Edit(titled(""))));
    client.push(change(4, Command::Complete(None)));
    let task = shown(&client, task_id(0)).unwrap();
    assert_eq!(
        (task.title.as_str(), task.completed, task.version),
        ("b", true, 3)
    );
    assert_eq!(client.settled(task_id(0)), None);
    assert!(client.refuse(mutation_id(4)).is_some());
    assert!(!shown(&client, task_id(0)).unwrap().completed);
    client.push(change(5, Command::Delete));
    client.push(change(6, Command::Purge));
    assert_eq!(shown(&client, task_id(0)), None);
    assert_eq!(client.refuse(mutation_id(9)), None);
}

#[test]
fn an_event_settles_its_change_before_the_answer_does() {
    let mut feed = Feed::default();
    let mut client = Replica::new(EPOCH, 0, [], true);
    let create = Command::Create(titled("a"));
    feed.take(mutation_id(1), task_id(0), &create).unwrap();
    client.push(change(2, Command::Complete(None)));
    feed.take(mutation_id(2), task_id(0), &Command::Complete(None))
        .unwrap();
    for frame in feed.frames_after(0, 9) {
        let _ = client.receive(frame);
    }
    assert!(shown(&client, task_id(0)).unwrap().completed);
    assert_eq!(client.pending(), []);
    assert!(client.acknowledge(mutation_id(2), 2).is_empty());
}

#[test]
fn an_answer_waits_for_the_cursor() {
    let mut feed = Feed::default();
    let mut client = Replica::new(EPOCH, 0, [], true);
    let create = Command::Create(titled("a"));
    client.push(change(1, create.clone()));
    feed.take(mutation_id(1), task_id(0), &create).unwrap();
    assert!(client.acknowledge(mutation_id(1), 1).is_empty());
    assert_eq!(client.pending().len(), 1);
    let step = client.receive(feed.frames_after(0, 9).remove(0));
    assert_eq!(step, Step::Changed([task_id(0)].into_iter().collect()));
    assert_eq!(client.pending(), []);
    // A change that changed nothing is settled by its answer alone.
    client.push(change(2, Command::Edit(titled("a"))));
    let settled = client.acknowledge(mutation_id(2), 1);
    assert!(settled.iter().eq(&[task_id(0)]));
}

#[test]
fn another_database_wants_to_be_told_again() {
    let mut client = Replica::new(EPOCH, 9, [], true);
    client.push(change(1, Command::Create(titled("a"))));
    let _ = client.acknowledge(mutation_id(1), 10);
    let welcome = json!({"t": "welcome", "epoch": Uuid::from_u128(8), "head": 3,
        "server_time": "2026-11-21T12:00:00.000Z", "heartbeat_ms": 25_000});
    let _ = client.receive(frame(&welcome));
    assert_eq!(client.resume(), None);
    assert_eq!(client.pending()[0].seq, None);
}

#[test]
fn what_views_fetched_outlives_a_snapshot_until_they_fetch_anew() {
    let mut feed = Feed::default();
    let id = task_id(0);
    feed.take(mutation_id(1), id, &Command::Create(titled("a")))
        .unwrap();
    feed.take(mutation_id(2), id, &Command::Complete(None))
        .unwrap();
    let mut client = Replica::new(EPOCH, 2, [], true);
    client.learn([feed.tasks[&id].clone()]);
    assert!(client.settled(id).unwrap().completed);
    let older = Task {
        version: 1,
        ..feed.tasks[&id].clone()
    };
    client.learn([older]);
    assert_eq!(client.settled(id).unwrap().version, 2);
    for frame in feed.snapshot(500) {
        let _ = client.receive(frame);
    }
    // A snapshot says nothing of closed tasks.
    assert!(client.settled(id).unwrap().completed);
    assert!(client.give_up(&View::Trash).is_empty());
    // Nor does a notification about one.
    let cursor = client.cursor();
    feed.notify(id);
    for frame in feed.frames_after(cursor, 10) {
        let _ = client.receive(frame);
    }
    assert_eq!(client.cursor(), cursor + 1);
    let mut confirmed = client.clone();
    confirmed.learn([feed.tasks[&id].clone()]);
    assert!(confirmed.give_up(&View::Completed).is_empty());
    assert!(confirmed.settled(id).is_some());
    assert_eq!(client.give_up(&View::Completed), [id].into_iter().collect());
    assert_eq!(client.settled(id), None);
}

#[test]
fn a_task_that_was_open_before_a_snapshot_without_it_is_gone() {
    let mut feed = Feed::default();
    let id = task_id(0);
    feed.take(mutation_id(1), id, &Command::Create(titled("a")))
        .unwrap();
    let mut client = Replica::new(EPOCH, 1, feed.tasks.values().cloned(), true);
    feed.take(mutation_id(2), id, &Command::Delete).unwrap();
    for frame in feed.snapshot(500) {
        let _ = client.receive(frame);
    }
    assert_eq!(client.settled(id), None);
}
