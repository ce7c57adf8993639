//! Series of tasks that repeat: the date of the next one, and what it takes over.
//!
//! What is counted, the interval and COUNT, is counted from the first date of the series. That date
//! is carried from one task to the next, as [`Occurrence`], since a task may be deleted for good. A
//! rule that is changed begins anew, with the task on which it was changed.

use chrono::{Days, NaiveDate};
use uuid::Uuid;

use crate::{
    command::TaskPatch,
    id::TaskId,
    recurrence::{Rule, Until},
    task::{RecurFrom, Recurrence, Task},
    time::{self, TimeOfDay, Timestamp, Zones},
};

/// The id of the one task that may ever follow on a task of a series.
pub fn next_id(id: TaskId) -> TaskId {
    TaskId(Uuid::new_v5(&id.0, b"next"))
}

/// Where a task stands in its series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occurrence {
    /// The rule for which the rest holds.
    pub recurrence: Recurrence,
    /// The first date of the series under this rule.
    pub first: Option<NaiveDate>,
    /// Which task of the series under this rule it is, from 1.
    pub nth: i64,
    /// The reminder that those after it take over.
    pub reminder: Option<Reminder>,
}

impl Occurrence {
    /// Where the task stands: as is `known`, if that is of the rule that the task has now, else at the
    /// beginning. None for a task that does not repeat.
    pub fn of(task: &Task, known: Option<&Self>) -> Option<Self> {
        let recurrence = task.recurrence.as_ref()?;
        let same = known.filter(|known| known.recurrence == *recurrence);
        Some(same.cloned().unwrap_or_else(|| Self {
            recurrence: recurrence.clone(),
            first: task.due_date,
            nth: 1,
            reminder: known.and_then(|known| known.reminder),
        }))
    }
}

/// The reminder of a task as its series has it. What the task itself has may be another for once: it
/// was put off, left out because it would lie in the past, or clocks skip its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reminder {
    /// What a local clock is to show, as if it were UTC.
    pub wall: Timestamp,
    /// The date of the task that it is for.
    pub date: NaiveDate,
    /// The reminder that the task had when this was written: with another, this holds no more.
    pub at: Option<Timestamp>,
}

impl Reminder {
    /// The task's: what is `known`, if it still holds, else the one that the task has.
    fn of(task: &Task, known: Option<Self>, zones: &dyn Zones) -> Option<Self> {
        if let Some(known) = known.filter(|known| known.at == task.remind_at) {
            return Some(known);
        }
        let shown = time::local(zones, &task.time_zone, task.remind_at?);
        Some(Self {
            wall: Timestamp(shown.and_utc().timestamp_millis()),
            date: task.due_date.unwrap_or_else(|| shown.date()),
            at: task.remind_at,
        })
    }
}

/// Whose day it is.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// The person's zone. All-day tasks go by it, others by their own.
    pub zone: &'a str,
    /// The zone database.
    pub zones: &'a dyn Zones,
}

impl Place<'_> {
    /// The date at `at`, for this task.
    fn date(&self, task: &Task, at: Timestamp) -> NaiveDate {
        let zone = match task.due_time {
            Some(_) => &task.time_zone,
            None => self.zone,
        };
        time::local(self.zones, zone, at).date()
    }
}

/// What follows on a task that is completed, and where that stands: its fields, but for the place in
/// the list. None where the series ends, or the task is none of a series or not completed.
pub fn successor(
    task: &Task,
    known: Option<&Occurrence>,
    place: Place<'_>,
) -> Option<(TaskPatch, Occurrence)> {
    let here = Occurrence::of(task, known)?;
    let at = task.completed_at?;
    let done = place.date(task, at);
    let date = match here.recurrence.from {
        RecurFrom::Due => task.due_date?.max(done),
        RecurFrom::Completion => done,
    };
    let (dates, mut next) = step(task, here, (date, at), place)?;
    next.nth += 1;
    let patch = TaskPatch {
        completed: None,
        position: None,
        due_date: dates.due_date,
        remind_at: dates.remind_at,
        ..TaskPatch::of(task)
    };
    Some((patch, next))
}

/// What moves an open task on to the next date, today or later, without completing it, and where it
/// stands then. None where there is none.
pub fn skipped(
    task: &Task,
    known: Option<&Occurrence>,
    now: Timestamp,
    place: Place<'_>,
) -> Option<(TaskPatch, Occurrence)> {
    let here = Occurrence::of(task, known)?;
    let today = place.date(task, now);
    let due = task.due_date.unwrap_or(today);
    let date = match here.recurrence.from {
        RecurFrom::Due => due.max(today.checked_sub_days(Days::new(1))?),
        RecurFrom::Completion => due.max(today),
    };
    step(task, here, (date, now), place)
}

/// Where a task stands once its reminder is put off until `until`: those after it keep the one from
/// before. None for a task that does not repeat, or has no reminder.
pub fn put_off(
    task: &Task,
    known: Option<&Occurrence>,
    until: Timestamp,
    zones: &dyn Zones,
) -> Option<Occurrence> {
    let here = Occurrence::of(task, known)?;
    let reminder = Reminder::of(task, here.reminder, zones)?;
    Some(Occurrence {
        reminder: Some(Reminder {
            at: Some(until),
            ..reminder
        }),
        ..here
    })
}

/// The next date after `after` and the reminder that goes with it, unless that is not after `now`, and
/// where they stand.
fn step(
    task: &Task,
    here: Occurrence,
    (after, now): (NaiveDate, Timestamp),
    place: Place<'_>,
) -> Option<(TaskPatch, Occurrence)> {
    let mut rule = Rule::parse(&here.recurrence.rule).ok()?;
    let date = match here.recurrence.from {
        RecurFrom::Due => rule.date_after(here.first?, after)?,
        RecurFrom::Completion => {
            // Each completion is a first date of its own; what was made is counted.
            let count = rule.count.take();
            if count.is_some_and(|count| here.nth >= i64::from(count)) {
                return None;
            }
            rule.date_after(after, after)?
        }
    };
    if rule
        .until
        .is_some_and(|until| is_past(until, date, task, place))
    {
        return None;
    }
    let reminder = Reminder::of(task, here.reminder, place.zones).map(|last| {
        let wall = last.wall.plus_ms((date - last.date).num_milliseconds());
        let at = instant_of(wall, &task.time_zone, place.zones);
        Reminder {
            wall,
            date,
            at: Some(at).filter(|at| *at > now),
        }
    });
    let patch = TaskPatch {
        due_date: Some(Some(date)),
        remind_at: Some(reminder.and_then(|reminder| reminder.at)),
        ..TaskPatch::default()
    };
    Some((patch, Occurrence { reminder, ..here }))
}

/// The instant at which clocks in `zone` show what clocks in UTC show at `wall`.
fn instant_of(wall: Timestamp, zone: &str, zones: &dyn Zones) -> Timestamp {
    let shown = wall.utc();
    let minute = time::instant(zones, zone, shown.date(), TimeOfDay::of(shown));
    minute.plus_ms(wall.0.rem_euclid(60_000))
}

/// Whether the date lies past UNTIL, at the task's time.
fn is_past(until: Until, date: NaiveDate, task: &Task, place: Place<'_>) -> bool {
    let Some(last) = until.time else {
        return date > until.date;
    };
    let last = until.date.and_time(last);
    if until.utc {
        let last = Timestamp(last.and_utc().timestamp_millis());
        return match task.due_time {
            Some(time) => time::instant(place.zones, &task.time_zone, date, time) > last,
            None => date > place.date(task, last),
        };
    }
    match task.due_time {
        Some(time) => (date, time) > (last.date(), TimeOfDay::of(last)),
        None => date > last.date(),
    }
}
