//! What a person's tasks should come to: the rules of `docs/recurrence.md` and `docs/operations.md`
//! once more, by hand, for a person in Berlin in 2027. Knows nothing of the code that it is held
//! against but the words for ids, instants and rules.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Days, NaiveDate, NaiveTime, TimeDelta};
use tidings_domain::{
    id::{EventId, TaskId},
    task::Priority,
    time::{TimeOfDay, Timestamp},
};
use uuid::Uuid;

use super::calendar::{Rule, instant, shown};

/// A reminder that is told of later than this is late.
const LATE_MS: i64 = 5 * 60_000;
/// Days in a row that are told of.
const STREAKS: [i64; 8] = [3, 7, 14, 30, 60, 100, 200, 365];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Open,
    Completed(Timestamp),
    /// In the trash, where the person put it.
    Deleted(Timestamp),
    /// It went because the one before it was opened again. It may never have come to be: then that
    /// was before anybody was told.
    TakenBack(Timestamp),
    /// For good.
    Gone,
}

/// When the tasks of a series remind: so many days from their date, at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Habit {
    days: i64,
    time: NaiveTime,
    /// It holds for a task with this reminder.
    at: Option<Timestamp>,
}

#[derive(Clone, Debug)]
pub(super) struct Task {
    pub(super) title: String,
    pub(super) rule: Option<Rule>,
    pub(super) due_date: Option<NaiveDate>,
    pub(super) due_time: Option<TimeOfDay>,
    pub(super) remind_at: Option<Timestamp>,
    pub(super) priority: Priority,
    pub(super) series: Option<TaskId>,
    pub(super) state: State,
    habit: Option<Habit>,
    /// Somebody changed it since the series made it.
    touched: bool,
}

impl Task {
    /// One that a person adds.
    pub(super) fn new(title: String) -> Self {
        Self {
            title,
            rule: None,
            due_date: None,
            due_time: None,
            remind_at: None,
            priority: Priority::None,
            series: None,
            state: State::Open,
            habit: None,
            touched: true,
        }
    }

    pub(super) fn is_kept(&self) -> bool {
        matches!(self.state, State::Open | State::Completed(_))
    }

    fn habit(&self) -> Option<Habit> {
        if let Some(habit) = self.habit.filter(|habit| habit.at == self.remind_at) {
            return Some(habit);
        }
        let wall = shown(self.remind_at?);
        Some(Habit {
            days: (wall.date() - self.due_date?).num_days(),
            time: wall.time(),
            at: self.remind_at,
        })
    }

    /// Moves it to another date of its series.
    fn step(&mut self, to: NaiveDate, now: Timestamp) {
        self.habit = self.habit().map(|habit| {
            let wall = to + TimeDelta::days(habit.days);
            let at = Some(instant(wall.and_time(habit.time))).filter(|at| *at > now);
            Habit { at, ..habit }
        });
        self.remind_at = self.habit.and_then(|habit| habit.at);
        self.due_date = Some(to);
    }

    /// The one after it, if the series has one.
    fn next(&self, done: Timestamp) -> Option<Self> {
        let (rule, today) = (self.rule?, shown(done).date());
        let last = match rule {
            Rule::TenDaysLater => today,
            _ => self.due_date?.max(today),
        };
        let mut next = Self {
            state: State::Open,
            touched: false,
            ..self.clone()
        };
        next.step(rule.after(last)?, done);
        Some(next)
    }
}

/// The id of the one task that may follow on another.
pub(super) fn next_id(id: TaskId) -> TaskId {
    TaskId(Uuid::new_v5(&id.0, b"next"))
}

/// Everything of one person.
#[derive(Default)]
pub(super) struct Model {
    pub(super) tasks: BTreeMap<TaskId, Task>,
    /// Reminders that were told, and whether late.
    pub(super) told: BTreeMap<(TaskId, Timestamp), bool>,
    /// Tasks that the person made.
    pub(super) made: Vec<TaskId>,
    /// Completions, one after the other.
    pub(super) completions: Vec<TaskId>,
    /// Days with one.
    pub(super) days: BTreeSet<NaiveDate>,
}

impl Model {
    pub(super) fn create(&mut self, id: TaskId, mut task: Task) {
        task.series = task.rule.map(|_| id);
        self.tasks.insert(id, task);
        self.made.push(id);
    }

    pub(super) fn open(&self) -> Vec<TaskId> {
        let open = self
            .tasks
            .iter()
            .filter(|(_, task)| task.state == State::Open);
        open.map(|(id, _)| *id).collect()
    }

    pub(super) fn task(&self, id: TaskId) -> &Task {
        &self.tasks[&id]
    }

    fn open_mut(&mut self, id: TaskId) -> &mut Task {
        let task = self.tasks.get_mut(&id).unwrap();
        assert_eq!(task.state, State::Open, "{task:?}");
        task.touched = true;
        task
    }

    pub(super) fn complete(&mut self, id: TaskId, now: Timestamp) {
        let task = self.open_mut(id);
        task.state = State::Completed(now);
        let next = task.next(now);
        self.completions.push(id);
        self.days.insert(shown(now).date());
        let known = self.tasks.get(&next_id(id)).map(|next| next.state);
        if let (Some(next), None | Some(State::TakenBack(_))) = (next, known) {
            self.tasks.insert(next_id(id), next);
        }
    }

    pub(super) fn open_again(&mut self, id: TaskId, now: Timestamp) {
        self.tasks.get_mut(&id).unwrap().state = State::Open;
        if let Some(next) = self.tasks.get_mut(&next_id(id))
            && next.state == State::Open
            && !next.touched
        {
            next.state = State::TakenBack(now);
        }
    }

    /// The next date that the task can be moved on to without being completed.
    pub(super) fn skip(&mut self, id: TaskId, now: Timestamp) -> bool {
        let task = &self.tasks[&id];
        let (Some(rule), Some(due)) = (task.rule, task.due_date) else {
            return false;
        };
        let today = shown(now).date();
        let last = match rule {
            Rule::TenDaysLater => due.max(today),
            _ => due.max(today - Days::new(1)),
        };
        let Some(to) = rule.after(last) else {
            return false;
        };
        self.open_mut(id).step(to, now);
        true
    }

    pub(super) fn snooze(&mut self, id: TaskId, until: Timestamp) {
        let task = self.open_mut(id);
        let at = Some(until);
        task.habit = task.habit().map(|habit| Habit { at, ..habit });
        task.remind_at = at;
    }

    /// Changes something of a task that is open.
    pub(super) fn edit(&mut self, id: TaskId, change: impl FnOnce(&mut Task)) {
        change(self.open_mut(id));
    }

    pub(super) fn delete(&mut self, id: TaskId, now: Timestamp) {
        self.open_mut(id).state = State::Deleted(now);
    }

    pub(super) fn restore(&mut self, id: TaskId) {
        self.tasks.get_mut(&id).unwrap().state = State::Open;
    }

    /// The trash is emptied of what went there before.
    pub(super) fn empty_trash(&mut self, before: Timestamp) {
        for task in self.tasks.values_mut() {
            if let State::Deleted(at) = task.state
                && at < before
            {
                task.state = State::Gone;
            }
        }
    }

    /// The first reminder that was not told of.
    pub(super) fn next_reminder(&self) -> Option<Timestamp> {
        self.reminders().map(|(_, at)| at).min()
    }

    fn reminders(&self) -> impl Iterator<Item = (TaskId, Timestamp)> {
        let open = self
            .tasks
            .iter()
            .filter(|(_, task)| task.state == State::Open);
        let all = open.filter_map(|(id, task)| Some((*id, task.remind_at?)));
        all.filter(|reminder| !self.told.contains_key(reminder))
    }

    /// All that are due are told of.
    pub(super) fn remind(&mut self, now: Timestamp) {
        let due: Vec<_> = self.reminders().filter(|(_, at)| *at <= now).collect();
        let told = due.into_iter();
        let told = told.map(|(id, at)| ((id, at), now.0 - at.0 > LATE_MS));
        self.told.extend(told);
    }

    /// The streaks that are told of, as days on which they reached their length.
    pub(super) fn streaks(&self) -> usize {
        let mut length = 0;
        let mut last: Option<NaiveDate> = None;
        let mut told = 0;
        for day in &self.days {
            length = if last == day.pred_opt() {
                length + 1
            } else {
                1
            };
            last = Some(*day);
            told += usize::from(STREAKS.contains(&length));
        }
        told
    }
}

/// The id of a reminder's event.
pub(super) fn reminder_id((task, at): (TaskId, Timestamp)) -> EventId {
    EventId(Uuid::new_v5(&task.0, at.to_string().as_bytes()))
}
