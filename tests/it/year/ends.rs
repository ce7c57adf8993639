//! How the year must have ended.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tidings::{
    commands::{Replayed, replay},
    service::tasks::samples::SAMPLES,
    store::TaskQuery,
};
use tidings_domain::{
    event::{EventType, Topic},
    id::{EventId, TaskId},
    statistics::Counted,
    task::Task,
    time::{Timestamp, TzDatabase},
    view::{Here, View},
};

use super::{
    life::Life,
    model::{Model, State, reminder_id},
};
use crate::mail::{header, read};

/// What is compared of a task. Its version, say, depends on who was told when.
type Shown = (String, String, Option<TaskId>, bool, Option<Timestamp>);

/// Things, and how many there are of each.
type Bag<T> = BTreeMap<T, usize>;

fn bag<T: Ord>(all: impl IntoIterator<Item = T>) -> Bag<T> {
    let mut bag = Bag::new();
    for one in all {
        *bag.entry(one).or_default() += 1;
    }
    bag
}

impl Life {
    /// Holds everything that is there to what there should be.
    pub(super) async fn ended_well(&self) {
        let log = self.log().await;
        self.has_the_tasks().await;
        self.has_the_reminders(&log);
        self.has_the_notifications(&log);
        self.got_the_mail();
        self.has_the_trail(&log).await;
        self.counts_as_a_replay_does().await;
        let store = self.world.store();
        let found = store.check().await.unwrap();
        assert_eq!((found.faults, found.unrecorded), (Vec::new(), 0));
        assert!(store.depth().await.unwrap().iter().all(|t| t.dead == 0));
    }

    /// All events, off the feed too.
    async fn log(&self) -> Vec<Value> {
        let log = self.world.store().log(Some(self.user), 0, 1_000_000);
        let log = log.await.unwrap().into_iter();
        let log: Vec<Value> = log
            .map(|(_, json)| serde_json::from_str(&json).unwrap())
            .collect();
        let ids: BTreeSet<_> = log.iter().map(|e| e["event_id"].to_string()).collect();
        assert_eq!(ids.len(), log.len());
        log
    }

    async fn list(&self, view: View) -> BTreeMap<TaskId, Task> {
        let zones = TzDatabase;
        let here = Here::at("Europe/Berlin", self.world.now(), &zones);
        let mut query = TaskQuery {
            view,
            limit: 200,
            ..TaskQuery::default()
        };
        let mut tasks = BTreeMap::new();
        loop {
            let page = self
                .world
                .store()
                .list(self.user, &query, &here)
                .await
                .unwrap();
            let read = page.items.iter().map(|task| task.read().unwrap());
            tasks.extend(read.map(|task| (task.id, task)));
            query.after = page.next;
            if query.after.is_none() {
                return tasks;
            }
        }
    }

    async fn has_the_tasks(&self) {
        let mut kept = self.list(View::All).await;
        for sample in SAMPLES {
            let found = kept.remove(&sample.id(self.user));
            assert!(found.is_some_and(|task| task.title == sample.title && task.version == 1));
        }
        let kept: BTreeMap<_, Shown> = kept
            .into_iter()
            .map(|(id, task)| {
                let words = format!("{} {}", task.title, task.priority);
                let time = task.due_time.map(|time| time.to_string());
                let when = format!("{:?} {time:?} {:?}", task.due_date, task.remind_at);
                (
                    id,
                    (
                        words,
                        when,
                        task.series_id,
                        task.completed,
                        task.completed_at,
                    ),
                )
            })
            .collect();
        let expected = self.model.tasks.iter().filter(|(_, task)| task.is_kept());
        let expected: BTreeMap<_, Shown> = expected
            .map(|(id, task)| {
                let words = format!("{} {}", task.title, task.priority);
                let time = task.due_time.map(|time| time.to_string());
                let when = format!("{:?} {time:?} {:?}", task.due_date, task.remind_at);
                let at = match task.state {
                    State::Completed(at) => Some(at),
                    _ => None,
                };
                (*id, (words, when, task.series, at.is_some(), at))
            })
            .collect();
        same(&kept, &expected);
        let is = |wanted: fn(&State) -> bool| {
            let found = self
                .model
                .tasks
                .iter()
                .filter(move |(_, t)| wanted(&t.state));
            found.map(|(id, _)| *id).collect::<BTreeSet<_>>()
        };
        let mut trash: BTreeSet<_> = self.list(View::Trash).await.into_keys().collect();
        for taken_back in is(|state| matches!(state, State::TakenBack(_))) {
            trash.remove(&taken_back);
        }
        assert_eq!(trash, is(|state| matches!(state, State::Deleted(_))));
    }

    fn is_gone(&self, id: &TaskId) -> bool {
        self.model.tasks[id].state == State::Gone
    }

    fn has_the_reminders(&self, log: &[Value]) {
        let told = log.iter().filter(|e| e["event_type"] == "reminder.due");
        let told = told.map(|event| {
            let id: EventId = event["event_id"].as_str().unwrap().parse().unwrap();
            (id, event["data"]["late"].as_bool())
        });
        let expected = self.model.told.iter().map(|(reminder, late)| {
            let known = (!self.is_gone(&reminder.0)).then_some(*late);
            (reminder_id(*reminder), known)
        });
        same(&told.collect(), &expected.collect());
    }

    fn has_the_notifications(&self, log: &[Value]) {
        let told = log
            .iter()
            .filter(|e| e["event_type"] == "notification.created");
        let told = told.map(|event| {
            let task = event["task_id"].as_str().map(str::to_owned);
            (
                event["data"]["kind"].as_str().unwrap_or("-").to_owned(),
                task,
            )
        });
        let model = &self.model;
        let of = |kind: &str, id: &TaskId| {
            let kind = if self.is_gone(id) { "-" } else { kind };
            (kind.to_owned(), Some(id.to_string()))
        };
        let expected = model.told.keys().map(|(id, _)| of("reminder", id));
        let expected = expected.chain(model.completions.iter().map(|id| of("task_completed", id)));
        let streaks = std::iter::repeat_n(("streak".to_owned(), None), model.streaks());
        same(&bag(told), &bag(expected.chain(streaks)));
    }

    fn got_the_mail(&self) {
        let mut mails: BTreeMap<String, (String, String)> = BTreeMap::new();
        let got = self.world.smtp.got();
        for mail in &got {
            let id = header(&mail.message, "Message-ID");
            let text = read(&mail.message);
            let mut links = text.split("http://tidings.test/tasks/").skip(1);
            let task = links.next().map_or("", |rest| &rest[..36]);
            let what = (header(&mail.message, "Subject"), task.to_owned());
            // Sent again, it is the same.
            let before = mails.insert(id, what.clone());
            assert!(before.is_none_or(|before| before == what), "{what:?}");
        }
        let of = |what: &str, id: &TaskId| {
            let title = &self.model.tasks[id].title;
            (format!("{what}: {title}"), id.to_string())
        };
        let told = self.model.told.keys().map(|(id, _)| of("Reminder", id));
        let made = self.model.made.iter().map(|id| of("Added", id));
        let welcome = ("Welcome to Tidings".to_owned(), String::new());
        let expected = told.chain(made).chain([welcome]);
        same(&bag(mails.into_values()), &bag(expected));
    }

    async fn has_the_trail(&self, log: &[Value]) {
        let topics = [Topic::TaskEvents, Topic::UserEvents, Topic::AuditLogs];
        let is_audited = |event: &&Value| {
            let kind = EventType::parse(event["event_type"].as_str().unwrap()).unwrap();
            kind.topics().iter().any(|topic| topics.contains(topic))
        };
        let expected = log.iter().filter(is_audited);
        let expected = expected.map(|e| e["event_id"].as_str().unwrap().to_owned());
        let trail = self.world.store().audit(self.user, 0, 1_000_000);
        let trail = trail.await.unwrap().into_iter();
        let trail = trail.map(|row| row.event_id.to_string());
        same(&bag(trail), &bag(expected));
    }

    async fn counted(&self) -> Counted {
        let counted = self.world.store().counted(self.user, Timestamp(0));
        let mut counted = counted.await.unwrap();
        counted.created.sort_unstable();
        counted.completed.sort_unstable();
        counted
    }

    async fn counts_as_a_replay_does(&self) {
        let counted = self.counted().await;
        let tasks = self.model.tasks.values();
        let kept = tasks.clone().filter(|task| task.is_kept()).count() + SAMPLES.len();
        let made: u32 = counted.created.iter().map(|(_, count, _)| count).sum();
        assert_eq!(made as usize, kept);
        let done = tasks.filter(|task| matches!(task.state, State::Completed(_)));
        let done = bag(done.map(|task| match task.state {
            State::Completed(at) => at.0.div_euclid(tidings_domain::statistics::QUARTER_MS),
            _ => 0,
        }));
        let completed = counted
            .completed
            .iter()
            .map(|(at, _, count)| (*at, *count as usize));
        let mut by_quarter = Bag::new();
        for (at, count) in completed {
            *by_quarter.entry(at).or_default() += count;
        }
        same(&by_quarter, &done);
        let (store, clock) = (self.world.store(), &*self.world.clock);
        let all = Replayed::Analytics;
        replay(&**store, clock, all, Some(self.user), &mut Vec::new())
            .await
            .unwrap();
        assert_eq!(self.counted().await, counted);
    }

    /// What befell them, in a line; a year in which little did shows little.
    pub(super) fn was_eventful(&self) -> String {
        let Model {
            tasks,
            told,
            made,
            completions,
            ..
        } = &self.model;
        // In the nights in which clocks change: an hour later, and the first of two.
        for at in ["2027-03-28T01:30:00.000Z", "2027-10-31T00:30:00.000Z"] {
            let at: Timestamp = at.parse().unwrap();
            let mut found = told.iter().filter(|((_, told), _)| *told == at);
            assert!(found.any(|(_, late)| !late), "{at}");
        }
        let late = told.values().filter(|late| **late).count();
        let mails = told.len() + made.len() + 1;
        let got = self.world.smtp.got().len();
        let (doubled, deaths) = (self.world.broker.doubled(), self.world.deaths);
        assert!(late >= 4 && got > mails && doubled > 100 && deaths > 100);
        format!(
            "{} tasks, {} completions, {} reminders, {late} of them late, {mails} mails in {got}, \
             {doubled} doubled deliveries, {deaths} deaths",
            tasks.len(),
            completions.len(),
            told.len(),
        )
    }
}

/// Holds two maps to being the same, and says in what they are not.
#[track_caller]
fn same<K: Ord + std::fmt::Debug, V: PartialEq + std::fmt::Debug>(
    found: &BTreeMap<K, V>,
    expected: &BTreeMap<K, V>,
) {
    let mut words = Vec::new();
    let keys: BTreeSet<_> = found.keys().chain(expected.keys()).collect();
    for key in keys {
        let (found, expected) = (found.get(key), expected.get(key));
        if found != expected {
            words.push(format!("{key:?}: {found:?}, not {expected:?}"));
        }
    }
    assert!(
        words.is_empty(),
        "{} differ\n{}",
        words.len(),
        words[..words.len().min(12)].join("\n")
    );
}
