//! What people are told, in words.

use chrono::{Datelike, NaiveDate};
use serde_json::Value;
use tidings_domain::{
    event::Event,
    notice::Kind,
    recurrence::{month_name, weekday_name},
    time::{TimeOfDay, Timestamp, TzDatabase, local, parse_date},
};

/// The words of a notification and its mail.
pub(super) struct Words {
    /// A few words.
    pub(super) title: String,
    /// A sentence.
    pub(super) body: String,
    /// The subject of the mail.
    pub(super) subject: String,
    /// The time of a reminder.
    pub(super) remind_at: Option<Timestamp>,
}

impl Words {
    /// Of an event, for somebody in this zone; nothing where it has lost its contents.
    pub(super) fn of(kind: Kind, event: &Event<Value>, zone: &str) -> Option<Self> {
        let data = &event.data;
        let title = data.get("title")?.as_str()?.to_owned();
        let (body, subject) = match kind {
            Kind::Reminder => (reminder(data, zone), format!("Reminder: {title}")),
            Kind::TaskCreated => ("Added to your tasks.".into(), format!("Added: {title}")),
            Kind::TaskCompleted | Kind::Streak => {
                ("Done. Well done.".into(), format!("Done: {title}"))
            }
        };
        let remind_at = match kind {
            Kind::Reminder => Some(instant(data, "remind_at")?),
            _ => None,
        };
        Some(Self {
            title,
            body,
            subject,
            remind_at,
        })
    }

    /// Of a streak of so many days.
    pub(super) fn of_streak(days: i64) -> Self {
        let title = format!("{days} days in a row");
        Self {
            body: format!("You completed something on each of the last {days} days."),
            subject: title.clone(),
            title,
            remind_at: None,
        }
    }
}

/// When the task is due; and for when the reminder was, where that is a while ago.
fn reminder(data: &Value, zone: &str) -> String {
    let mut words = match due(data, zone) {
        Some(due) => format!("Due {due}."),
        None => "You wanted to be reminded.".into(),
    };
    if let (Some(Value::Bool(true)), Some(then)) = (data.get("late"), instant(data, "remind_at")) {
        let then = moment(then, zone);
        words += &format!(" This reminder was for {then} and comes late.");
    }
    words
}

/// When the task is due. One of a whole day is so on its own date, wherever it is read.
fn due(data: &Value, zone: &str) -> Option<String> {
    let date = data.get("due_date").and_then(Value::as_str);
    match (date, data.get("due_time").and_then(Value::as_str)) {
        (Some(date), None) => Some(day(parse_date(date).ok()?)),
        _ => Some(moment(instant(data, "due_at")?, zone)),
    }
}

fn instant(data: &Value, name: &str) -> Option<Timestamp> {
    data.get(name)?.as_str()?.parse().ok()
}

/// `Thu 10 Dec, 15:00`. It is read at any time later, so that it names the day.
fn moment(at: Timestamp, zone: &str) -> String {
    let at = local(&TzDatabase, zone, at);
    format!("{}, {}", day(at.date()), TimeOfDay::of(at))
}

fn day(date: NaiveDate) -> String {
    let (weekday, month) = (weekday_name(date.weekday()), month_name(date.month()));
    format!("{} {} {}", &weekday[..3], date.day(), &month[..3])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_reminder_says_when() {
        let due = json!({ "due_at": "2026-12-10T14:00:00.000Z", "late": false });
        assert_eq!(reminder(&due, "Europe/Berlin"), "Due Thu 10 Dec, 15:00.");
        // A whole day is the same one everywhere; a time at midnight is a time.
        let mut day = json!({ "due_at": "2026-12-09T23:00:00.000Z", "due_date": "2026-12-10",
            "due_time": null, "late": false });
        for zone in ["Europe/Berlin", "America/New_York", "Asia/Kathmandu"] {
            assert_eq!(reminder(&day, zone), "Due Thu 10 Dec.");
        }
        day["due_time"] = json!("00:00");
        assert_eq!(reminder(&day, "Europe/Berlin"), "Due Thu 10 Dec, 00:00.");
        assert_eq!(reminder(&day, "UTC"), "Due Wed 9 Dec, 23:00.");
        let late = json!({ "due_at": null, "late": true, "remind_at": "2026-12-10T13:30:00.000Z" });
        assert_eq!(
            reminder(&late, "UTC"),
            "You wanted to be reminded. This reminder was for Thu 10 Dec, 13:30 and comes late."
        );
    }
}
