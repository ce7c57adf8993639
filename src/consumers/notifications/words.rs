//! What people are told, in words.

use chrono::Datelike;
use serde_json::Value;
use tidings_domain::{
    event::Event,
    notice::Kind,
    recurrence::{month_name, weekday_name},
    time::{TimeOfDay, Timestamp, TzDatabase, local},
};

/// The words of a notification and its mail.
pub(super) struct Words {
    /// A few words.
    pub(super) title: String,
    /// A sentence.
    pub(super) body: String,
    /// The subject of the mail.
    pub(super) subject: String,
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
        Some(Self {
            title,
            body,
            subject,
        })
    }

    /// Of a streak of so many days.
    pub(super) fn of_streak(days: i64) -> Self {
        let title = format!("{days} days in a row");
        Self {
            body: format!("You completed something on each of the last {days} days."),
            subject: title.clone(),
            title,
        }
    }
}

/// When the task is due; and for when the reminder was, where that is a while ago.
fn reminder(data: &Value, zone: &str) -> String {
    let at = |name: &str| -> Option<Timestamp> { data.get(name)?.as_str()?.parse().ok() };
    let mut words = match at("due_at") {
        Some(due) => format!("Due {}.", moment(due, zone)),
        None => "You wanted to be reminded.".into(),
    };
    if let (Some(Value::Bool(true)), Some(then)) = (data.get("late"), at("remind_at")) {
        words += &format!(
            " This reminder was for {} and comes late.",
            moment(then, zone)
        );
    }
    words
}

/// `Thu 10 Dec, 15:00`, or without a time at midnight. It is read at any time later, so that it names
/// the day.
fn moment(at: Timestamp, zone: &str) -> String {
    let at = local(&TzDatabase, zone, at);
    let date = at.date();
    let (weekday, month) = (weekday_name(date.weekday()), month_name(date.month()));
    let day = format!("{} {} {}", &weekday[..3], date.day(), &month[..3]);
    match TimeOfDay::of(at) {
        TimeOfDay::MIDNIGHT => day,
        time => format!("{day}, {time}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_reminder_says_when() {
        let due = json!({ "due_at": "2026-12-10T14:00:00.000Z", "late": false });
        assert_eq!(reminder(&due, "Europe/Berlin"), "Due Thu 10 Dec, 15:00.");
        let midnight = json!({ "due_at": "2026-12-09T23:00:00.000Z", "late": false });
        assert_eq!(reminder(&midnight, "Europe/Berlin"), "Due Thu 10 Dec.");
        let late = json!({ "due_at": null, "late": true, "remind_at": "2026-12-10T13:30:00.000Z" });
        assert_eq!(
            reminder(&late, "UTC"),
            "You wanted to be reminded. This reminder was for Thu 10 Dec, 13:30 and comes late."
        );
    }
}
