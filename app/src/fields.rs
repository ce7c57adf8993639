//! A task's fields as a form holds them, and what a form that was changed asks for.

use chrono::{NaiveDate, NaiveDateTime};
use tidings_domain::{
    command::TaskPatch,
    error::{Fault, FieldError},
    quickadd, recurrence,
    task::{Priority, RecurFrom, Recurrence, Task},
    time::{self, BadTime, TimeOfDay, Timestamp, parse_date, write_date},
    view::Here,
};

use crate::words;

/// The fields, as texts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields {
    /// As it is.
    pub title: String,
    /// As it is.
    pub description: String,
    /// `YYYY-MM-DD`, where the person is, or nothing.
    pub due_date: String,
    /// `HH:MM`, where the person is, or nothing.
    pub due_time: String,
    /// A rule in words or as an RRULE, or nothing.
    pub repeat: String,
    /// `due` or `completion`.
    pub from: String,
    /// `YYYY-MM-DDTHH:MM`, where the person is, or nothing.
    pub remind: String,
    /// `none` to `urgent`.
    pub priority: String,
    /// With commas between.
    pub tags: String,
}

impl Fields {
    /// The fields of a task, for someone here.
    pub fn of(task: &Task, here: &Here<'_>) -> Self {
        let (date, time) = due(task, here);
        let from = task.recurrence.as_ref().map(|r| r.from);
        Self {
            title: task.title.clone(),
            description: task.description.clone(),
            due_date: date.map(write_date).unwrap_or_default(),
            due_time: time.map(|t| t.to_string()).unwrap_or_default(),
            repeat: repeat(task),
            from: match from {
                Some(RecurFrom::Completion) => "completion".into(),
                _ => "due".into(),
            },
            remind: task.remind_at.map(|at| local(at, here)).unwrap_or_default(),
            priority: task.priority.as_str().into(),
            tags: task.tags.join(", "),
        }
    }

    /// What differs from the task.
    ///
    /// # Errors
    /// `validation_failed` for a field that cannot be read. Whether what was read fits a task, the
    /// rules say later.
    pub fn patch(&self, task: &Task, here: &Here<'_>) -> Result<TaskPatch, Fault> {
        let was = Self::of(task, here);
        let mut patch = TaskPatch::default();
        let mut errors = Vec::new();
        let mut bad =
            |field: &str, words: &str| errors.push(FieldError::new(field, "invalid", words));
        let differs = |now: &str, was: &str| now.trim() != was;
        if differs(&self.title, &was.title) {
            patch.title = Some(self.title.trim().to_owned());
        }
        // A form sends line ends as CR LF.
        let description = self.description.replace("\r\n", "\n");
        if description != was.description {
            patch.description = Some(description);
        }
        if differs(&self.due_date, &was.due_date) || differs(&self.due_time, &was.due_time) {
            match (read_date(&self.due_date), read_time(&self.due_time)) {
                (Ok(date), Ok(time)) => set_due(&mut patch, task, here, date, time),
                (Err(BadTime), _) => bad("due_date", "That is not a date."),
                (_, Err(BadTime)) => bad("due_time", "That is not a time."),
            }
        }
        if differs(&self.repeat, &was.repeat) || differs(&self.from, &was.from) {
            match read_repeat(&self.repeat, &self.from, here) {
                Ok(recurrence) => {
                    if recurrence != task.recurrence {
                        patch.recurrence = Some(recurrence);
                    }
                }
                Err(words) => bad("recurrence", &words),
            }
        }
        if differs(&self.remind, &was.remind) {
            match read_local(&self.remind, here) {
                Ok(at) => patch.remind_at = Some(at),
                Err(BadTime) => bad("remind_at", "That is not a date and a time."),
            }
        }
        if let Ok(priority) = self.priority.parse::<Priority>()
            && priority != task.priority
        {
            patch.priority = Some(priority);
        }
        if differs(&self.tags, &was.tags) {
            patch.tags = Some(read_tags(&self.tags));
        }
        if errors.is_empty() {
            Ok(patch)
        } else {
            Err(Fault::fields(errors))
        }
    }
}

/// The day and time a task is due, on clocks here.
pub fn due(task: &Task, here: &Here<'_>) -> (Option<NaiveDate>, Option<TimeOfDay>) {
    let at = task.due_time.and(task.due_at(here.zones));
    let time = at.map(|at| TimeOfDay::of(time::local(here.zones, here.zone, at)));
    (here.due_day(task), time)
}

/// Puts a due date and time, on clocks here, into a patch. Without a date there is no time; a task
/// that repeats from its due date stops repeating when that goes.
pub fn set_due(
    patch: &mut TaskPatch,
    task: &Task,
    here: &Here<'_>,
    date: Option<NaiveDate>,
    time: Option<TimeOfDay>,
) {
    patch.due_date = Some(date);
    patch.due_time = Some(time.filter(|_| date.is_some()));
    if task.time_zone != here.zone {
        patch.time_zone = Some(None);
    }
    let from = task.recurrence.as_ref().map(|r| r.from);
    if date.is_none() && from == Some(RecurFrom::Due) {
        patch.recurrence = Some(None);
    }
}

/// How a task repeats, in words, or nothing.
pub fn repeat(task: &Task) -> String {
    let rule = task.recurrence.as_ref();
    rule.map(|r| recurrence::words(&r.rule, RecurFrom::Due))
        .unwrap_or_default()
}

/// Reads a rule: an RRULE or a word that stands for one, or words as in the add line.
///
/// # Errors
/// Words that say what is wrong.
pub fn read_repeat(text: &str, from: &str, here: &Here<'_>) -> Result<Option<Recurrence>, String> {
    let text = text.trim();
    if text.is_empty() || text.eq_ignore_ascii_case("none") {
        return Ok(None);
    }
    let from = if from == "completion" {
        RecurFrom::Completion
    } else {
        RecurFrom::Due
    };
    if let Ok(rule) = recurrence::canonical(text) {
        return Ok(Some(Recurrence { rule, from }));
    }
    let lower = text.to_ascii_lowercase();
    let every = if lower.starts_with("every") {
        ""
    } else {
        "every "
    };
    let line = ["x ", every, &lower].concat();
    let parsed = quickadd::parse(&line, here.today, TimeOfDay::MIDNIGHT, &[]);
    match parsed.recurrence {
        Some(rule) if parsed.title == "x" => Ok(Some(Recurrence { from, ..rule })),
        _ => Err(
            "Write it such as every day, every 2 weeks on monday, every month on the 15th.".into(),
        ),
    }
}

/// Tags with commas, spaces or `#` between.
pub fn read_tags(text: &str) -> Vec<String> {
    text.split([',', '#', '\n'])
        .map(str::trim)
        .filter(|t| !t.is_empty())
        .map(str::to_owned)
        .collect()
}

/// `YYYY-MM-DD` or nothing. Whoever types a year digit by digit passes by the first thousand.
///
/// # Errors
/// Where it is something else, or before 1900.
pub fn read_date(text: &str) -> Result<Option<NaiveDate>, BadTime> {
    match text.trim() {
        "" => Ok(None),
        text if text < "1900" => Err(BadTime),
        text => parse_date(text).map(Some),
    }
}

/// `HH:MM`, perhaps with seconds, or nothing.
///
/// # Errors
/// Where it is something else.
pub fn read_time(text: &str) -> Result<Option<TimeOfDay>, BadTime> {
    match text.trim() {
        "" => Ok(None),
        text => text.get(..5).unwrap_or(text).parse().map(Some),
    }
}

/// An instant as `datetime-local` writes it here.
pub fn local(at: Timestamp, here: &Here<'_>) -> String {
    let local: NaiveDateTime = time::local(here.zones, here.zone, at);
    [&write_date(local.date()), "T", &words::clock(local)].concat()
}

/// Reads what `datetime-local` writes here, or nothing.
///
/// # Errors
/// Where it is something else.
pub fn read_local(text: &str, here: &Here<'_>) -> Result<Option<Timestamp>, BadTime> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let (date, time) = text.split_once(['T', ' ']).ok_or(BadTime)?;
    match (read_date(date)?, read_time(time)?) {
        (Some(date), Some(time)) => Ok(Some(time::instant(here.zones, here.zone, date, time))),
        _ => Err(BadTime),
    }
}

#[cfg(test)]
#[cfg(feature = "ssr")]
mod tests {
    use tidings_domain::time::TzDatabase;

    use super::*;

    fn task() -> Task {
        let json = r#"{"id":"0198c0de-0000-7000-8000-000000000001","title":"Call","description":"",
            "completed":false,"completed_at":null,"priority":"high","tags":["home","work"],
            "due_date":"2026-11-21","due_time":"18:30","time_zone":"America/New_York",
            "remind_at":"2026-11-21T23:00:00.000Z","recurrence":null,"series_id":null,
            "position":"a0","version":1,"created_at":"2026-11-20T00:00:00Z",
            "updated_at":"2026-11-20T00:00:00Z","deleted_at":null}"#;
        serde_json::from_str(json).unwrap()
    }

    fn here() -> Here<'static> {
        let now = "2026-11-21T11:00:00Z".parse().unwrap();
        Here::at("Europe/Berlin", now, &TzDatabase)
    }

    #[test]
    fn a_form_that_was_not_touched_asks_for_nothing() {
        let fields = Fields::of(&task(), &here());
        assert_eq!(fields.due_date, "2026-11-22");
        assert_eq!(fields.due_time, "00:30");
        assert_eq!(fields.remind, "2026-11-22T00:00");
        assert_eq!(fields.patch(&task(), &here()), Ok(TaskPatch::default()));
    }

    #[test]
    fn what_was_changed_is_asked_for() {
        let fields = Fields {
            due_time: "09:00".into(),
            repeat: "every 2 weeks on monday".into(),
            tags: "home, garden".into(),
            remind: String::new(),
            ..Fields::of(&task(), &here())
        };
        let patch = fields.patch(&task(), &here()).unwrap();
        assert_eq!(patch.due_date, Some(Some("2026-11-22".parse().unwrap())));
        assert_eq!(patch.due_time, Some(TimeOfDay::new(9, 0)));
        assert_eq!(patch.time_zone, Some(None));
        assert_eq!(patch.tags, Some(vec!["home".into(), "garden".into()]));
        assert_eq!(patch.remind_at, Some(None));
        let rule = patch.recurrence.flatten().unwrap().rule;
        assert_eq!(rule, "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO");
        assert_eq!(patch.title, None);
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let fields = Fields {
            repeat: "now and then".into(),
            remind: "soon".into(),
            ..Fields::of(&task(), &here())
        };
        let fault = fields.patch(&task(), &here()).unwrap_err();
        let names: Vec<_> = fault.errors.iter().map(|e| e.field.as_str()).collect();
        assert_eq!(names, ["recurrence", "remind_at"]);
    }

    #[test]
    fn a_rule_in_words_reads_back() {
        for rule in [
            "FREQ=DAILY",
            "FREQ=WEEKLY;BYDAY=MO,WE",
            "FREQ=MONTHLY;BYMONTHDAY=15",
            "FREQ=MONTHLY;BYMONTHDAY=15;COUNT=3",
            "FREQ=DAILY;UNTIL=20301224",
        ] {
            let words = recurrence::words(rule, RecurFrom::Due);
            let read = read_repeat(&words, "due", &here()).unwrap().unwrap();
            assert_eq!(read.rule, rule, "{words}");
        }
    }
}
