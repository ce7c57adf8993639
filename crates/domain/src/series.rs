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
    /// What a local clock is to show at the reminder, as if it were UTC: where clocks skip that time,
    /// the reminder itself tells no longer.
    pub remind: Option<Timestamp>,
}

impl Occurrence {
    /// Where the task stands: as is `known`, if that is of the rule that the task has now, else at the
    /// beginning. None for a task that does not repeat.
    fn of(task: &Task, known: Option<&Self>) -> Option<Self> {
        let recurrence = task.recurrence.as_ref()?;
        let same = known.filter(|known| known.recurrence == *recurrence);
        Some(same.cloned().unwrap_or_else(|| Self {
            recurrence: recurrence.clone(),
            first: task.due_date,
            nth: 1,
            remind: None,
        }))
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
    let done = place.date(task, task.completed_at?);
    let date = match here.recurrence.from {
        RecurFrom::Due => task.due_date?.max(done),
        RecurFrom::Completion => done,
    };
    let (dates, mut next) = step(task, here, date, place)?;
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
    step(task, here, date, place)
}

/// The next date after `after` and the reminder that goes with it, and where they stand.
fn step(
    task: &Task,
    here: Occurrence,
    after: NaiveDate,
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
    let remind = task.remind_at.map(|at| {
        let zone = &task.time_zone;
        let kept = here
            .remind
            .filter(|wall| instant_of(*wall, zone, place.zones) == at);
        let wall = kept.unwrap_or_else(|| {
            let shown = time::local(place.zones, zone, at);
            Timestamp(shown.and_utc().timestamp_millis())
        });
        let due = task.due_date.unwrap_or_else(|| wall.utc().date());
        wall.plus_ms((date - due).num_milliseconds())
    });
    let patch = TaskPatch {
        due_date: Some(Some(date)),
        remind_at: Some(remind.map(|wall| instant_of(wall, &task.time_zone, place.zones))),
        ..TaskPatch::default()
    };
    Some((patch, Occurrence { remind, ..here }))
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
