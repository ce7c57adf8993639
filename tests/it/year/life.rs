//! What a person does in a year: asked of the replicas, and told to the model.

use chrono::{Datelike, Days, NaiveDate, NaiveTime};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use tidings::store::{Account, Action, LooseEvent, Mutation};
use tidings_domain::{
    account::User,
    command::{Command, TaskPatch},
    event::{EventType, Metadata},
    id::{EventId, Ids, MutationId, TaskId, UserId},
    notice::{Channels, Settings},
    task::Priority,
    time::Timestamp,
};

use super::{
    calendar::{HOUR_MS, Rule, date, instant, shown, time},
    model::{Model, State, Task, next_id},
    world::{Numbers, World},
};

/// When the person sees to their tasks.
const EVENING: (u32, u32) = (20, 0);

/// A person, their tasks, and the world that they live in.
pub(super) struct Life {
    pub(super) world: World,
    pub(super) model: Model,
    pub(super) user: UserId,
    ids: Numbers,
    rng: StdRng,
    /// How many tasks without a series there were.
    errands: usize,
}

/// What it is called, when it is due, and when it reminds, so many days before.
type Series = (
    &'static str,
    Rule,
    Option<&'static str>,
    Option<(u64, &'static str)>,
);

/// What the person keeps up from the beginning.
const SERIES: [Series; 7] = [
    // Within what clocks skip in spring, and what comes twice in autumn.
    (
        "Feed the cat",
        Rule::Daily,
        Some("02:45"),
        Some((0, "02:30")),
    ),
    (
        "Choir",
        Rule::MondaysAndThursdays,
        Some("19:00"),
        Some((0, "18:00")),
    ),
    ("Rent", Rule::EndOfMonth, None, Some((1, "09:00"))),
    ("Read the meter", Rule::ThirtyFirst, None, None),
    (
        "Cut the hedge",
        Rule::TenDaysLater,
        None,
        Some((0, "12:00")),
    ),
    (
        "Dancing lessons",
        Rule::EightTuesdays,
        Some("18:30"),
        Some((1, "18:30")),
    ),
    ("Market", Rule::Saturdays, None, Some((0, "07:00"))),
];

impl Life {
    /// Somebody who has just signed up, with an empty list.
    pub(super) async fn begin(world: World, seed: u64) -> Self {
        let ids = Numbers::new(world.clock.clone(), seed ^ 3);
        let now = world.now();
        let user = UserId(ids.next());
        let account = Account {
            user: User {
                id: user,
                email: "ada@example.com".into(),
                name: "Ada".into(),
                time_zone: "Europe/Berlin".into(),
                created_at: now,
            },
            password_hash: "$argon2id$secret".into(),
            theme: "system".into(),
        };
        let event = LooseEvent {
            event_id: EventId(ids.next()),
            event_type: EventType::UserRegistered,
            timestamp: now,
            user_id: Some(user),
            data: serde_json::json!({ "user_id": user }),
            metadata: Metadata::default(),
        };
        let store = world.store();
        store.register(&account, &event, None).await.unwrap();
        let by = |app, mail| Channels {
            app,
            browser: false,
            mail,
        };
        let settings = Settings {
            task_created: by(false, true),
            task_completed: by(true, false),
            ..Settings::default()
        };
        store.set_notice_settings(user, &settings).await.unwrap();
        let mut life = Self {
            world,
            model: Model::default(),
            user,
            ids,
            rng: StdRng::seed_from_u64(seed),
            errands: 0,
        };
        life.world.settle().await;
        for (title, rule, due, reminder) in SERIES {
            let mut task = Task::new(title.into());
            task.rule = Some(rule);
            task.due_date = Some(rule.first());
            task.due_time = due.map(|at| at.parse().unwrap());
            task.remind_at = reminder.map(|(before, at)| {
                let at = NaiveTime::parse_from_str(at, "%H:%M").unwrap();
                instant((rule.first() - Days::new(before)).and_time(at))
            });
            life.add(task).await;
        }
        life
    }

    /// The next moment at which something happens by itself, or the person comes.
    pub(super) fn next(&mut self) -> Timestamp {
        let now = self.world.now();
        let (hour, minute) = EVENING;
        let mut evening = shown(now).date();
        if shown(now).time() >= time(hour, minute) {
            evening = evening + Days::new(1);
        }
        while !has_time(evening) {
            evening = evening + Days::new(1);
        }
        let evening = instant(evening.and_time(time(hour, minute)));
        let reminder = self.model.next_reminder().unwrap_or(evening);
        // What is due already waits for the next look.
        evening.min(reminder.max(now.plus_ms(1)))
    }

    async fn ask(&mut self, id: TaskId, action: impl Into<Action>) {
        let mutation = Mutation {
            user_id: self.user,
            task_id: id,
            action: action.into(),
            if_match: None,
            fingerprint: Some([7; 32]),
            metadata: Metadata::default(),
            mutation_id: MutationId(self.ids.next()),
            receipt: None,
        };
        self.world.ask(mutation).await;
    }

    async fn add(&mut self, task: Task) {
        let id = TaskId(self.ids.next());
        let patch = TaskPatch {
            title: Some(task.title.clone()),
            due_date: Some(task.due_date),
            due_time: Some(task.due_time),
            remind_at: Some(task.remind_at),
            recurrence: Some(task.rule.map(Rule::written)),
            ..TaskPatch::default()
        };
        self.ask(id, Command::Create(patch)).await;
        self.model.create(id, task);
    }

    /// Adds a task without a series that reminds so many days later.
    pub(super) async fn run_an_errand(&mut self, days: u64, at: NaiveTime) {
        self.errands += 1;
        let mut task = Task::new(format!("Errand {}", self.errands));
        let day = shown(self.world.now()).date() + Days::new(days);
        task.due_date = self.rng.random_bool(0.5).then_some(day);
        task.remind_at = Some(instant(day.and_time(at)));
        self.add(task).await;
    }

    /// What the person does in an evening. Between one thing and the next replicas do as they like.
    pub(super) async fn evening(&mut self) {
        let today = shown(self.world.now()).date();
        for id in self.model.open() {
            // One thing may be the end of another.
            if self.model.task(id).state == State::Open {
                match self.model.task(id).rule {
                    Some(_) => self.see_to(id, today).await,
                    None => self.see_to_errand(id).await,
                }
                if self.rng.random_bool(0.2) {
                    self.world.work().await;
                }
            }
        }
        if self.rng.random_bool(0.2) {
            self.think_again().await;
        }
        if self.rng.random_bool(0.3) {
            let (days, hour) = (self.rng.random_range(1..10), [9, 18]);
            let hour = *hour.choose(&mut self.rng).unwrap();
            self.run_an_errand(days, time(hour, 0)).await;
        }
        if self.rng.random_bool(0.1) {
            let deleted = |task: &Task| matches!(task.state, State::Deleted(_));
            let mut trash = self.model.tasks.iter().filter(|(_, task)| deleted(task));
            if let Some((&id, _)) = trash.next_back() {
                self.ask(id, Command::Restore(None)).await;
                self.model.restore(id);
            }
        }
    }

    async fn see_to(&mut self, id: TaskId, today: NaiveDate) {
        let task = self.model.task(id);
        let is_cat = task.rule == Some(Rule::Daily);
        let is_due = task.due_date <= Some(today);
        let dice = match is_careful(today) {
            // All is done by then, and nothing else.
            true => 0,
            false => self.rng.random_range(0..100),
        };
        match dice {
            ..66 if is_due => self.complete(id).await,
            66..72 if is_due => {
                self.complete(id).await;
                self.complete_again(id).await;
            }
            72..78 if is_due => {
                self.complete(id).await;
                self.open_again(id).await;
                self.complete(id).await;
            }
            78..82 if is_due => {
                self.complete(id).await;
                self.open_again(id).await;
            }
            82..85 => self.snooze(id).await,
            85..88 => self.skip(id).await,
            88..91 if !is_cat => self.move_reminder(id).await,
            91..94 if !is_cat => {
                let days = Days::new(self.rng.random_range(1..4));
                let due_date = self.model.task(id).due_date.map(|due| due + days);
                let patch = TaskPatch {
                    due_date: Some(due_date),
                    ..TaskPatch::default()
                };
                self.ask(id, Command::Edit(patch)).await;
                self.model.edit(id, |task| task.due_date = due_date);
            }
            94..97 => self.touch(id).await,
            97..99 if !is_cat && !is_due => self.complete(id).await,
            _ => {}
        }
    }

    async fn see_to_errand(&mut self, id: TaskId) {
        match self.rng.random_range(0..100) {
            0..20 => self.complete(id).await,
            20..27 => {
                self.ask(id, Command::Delete).await;
                self.model.delete(id, self.world.now());
            }
            27..32 => self.move_reminder(id).await,
            32..36 => self.snooze(id).await,
            36..38 => self.touch(id).await,
            _ => {}
        }
    }

    async fn complete(&mut self, id: TaskId) {
        self.ask(id, Command::Complete(Some(true))).await;
        self.model.complete(id, self.world.now());
    }

    /// A second click, from a tab that does not know of the first.
    async fn complete_again(&mut self, id: TaskId) {
        self.ask(id, Command::Complete(Some(true))).await;
    }

    async fn open_again(&mut self, id: TaskId) {
        if self.rng.random_bool(0.5) {
            self.world.work().await;
        }
        self.ask(id, Command::Complete(Some(false))).await;
        self.model.open_again(id, self.world.now());
    }

    /// Opens something that was done some other day, perhaps to complete it again.
    async fn think_again(&mut self) {
        let tasks = &self.model.tasks;
        let is_open = |id: &TaskId| tasks.get(id).is_some_and(|t| t.state == State::Open);
        let done = tasks.iter().filter(|(id, task)| {
            matches!(task.state, State::Completed(_))
                && (is_open(&next_id(**id)) || task.rule.is_none())
        });
        let done: Vec<_> = done.map(|(id, _)| *id).collect();
        let Some(&id) = done.choose(&mut self.rng) else {
            return;
        };
        self.open_again(id).await;
        if self.rng.random_bool(0.6) {
            self.complete(id).await;
        }
    }

    async fn snooze(&mut self, id: TaskId) {
        let until = self.world.now().plus_ms(HOUR_MS);
        if self.model.task(id).remind_at.is_some() {
            self.ask(id, Action::Snooze(until)).await;
            self.model.snooze(id, until);
        }
    }

    async fn skip(&mut self, id: TaskId) {
        if self.model.skip(id, self.world.now()) {
            self.ask(id, Action::Skip).await;
        }
    }

    async fn move_reminder(&mut self, id: TaskId) {
        let days = Days::new(self.rng.random_range(1..6));
        let day = shown(self.world.now()).date() + days;
        let remind_at = Some(instant(day.and_time(time(9, 0))));
        let patch = TaskPatch {
            remind_at: Some(remind_at),
            ..TaskPatch::default()
        };
        self.ask(id, Command::Edit(patch)).await;
        self.model.edit(id, |task| task.remind_at = remind_at);
    }

    async fn touch(&mut self, id: TaskId) {
        let others = Priority::ALL.into_iter();
        let others = others.filter(|priority| *priority != self.model.task(id).priority);
        let others: Vec<_> = others.collect();
        let priority = *others.choose(&mut self.rng).unwrap();
        let patch = TaskPatch {
            priority: Some(priority),
            ..TaskPatch::default()
        };
        self.ask(id, Command::Edit(patch)).await;
        self.model.edit(id, |task| task.priority = priority);
    }

    /// Ends a series for good, by deleting its latest task.
    pub(super) async fn give_up(&mut self, rule: Rule) {
        for id in self.model.open() {
            if self.model.task(id).rule == Some(rule) {
                self.ask(id, Command::Delete).await;
                self.model.delete(id, self.world.now());
            }
        }
    }
}

/// Whether the person sees to their tasks then.
pub(super) fn is_evening(at: Timestamp) -> bool {
    let (hour, minute) = EVENING;
    shown(at).time() == time(hour, minute)
}

/// Whether the person has time that evening: for some weeks on end, and then not.
fn has_time(day: NaiveDate) -> bool {
    is_careful(day) || day.ordinal() % 40 < 18
}

/// The evenings before the clocks change.
fn is_careful(day: NaiveDate) -> bool {
    [date(3, 27), date(10, 30)].contains(&day)
}
