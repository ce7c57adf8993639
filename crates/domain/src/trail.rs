//! The audit trail, as a person looks at theirs: which of it, and what it says in words.

use chrono::NaiveDate;

use crate::{
    id::{EventId, TaskId},
    time::{TimeOfDay, Timestamp, Zones, instant},
};

/// What rows are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Tasks.
    Tasks,
    /// Signing in and out, passwords, tokens.
    Security,
    /// The account as a whole, and its data.
    Account,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Tasks, Self::Security, Self::Account];

    /// As it is written in addresses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tasks => "tasks",
            Self::Security => "security",
            Self::Account => "account",
        }
    }

    /// The kind that is written so.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// Which rows somebody asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of this kind; of all, where there is none.
    pub kind: Option<Kind>,
    /// The first day.
    pub from: Option<NaiveDate>,
    /// The last day.
    pub to: Option<NaiveDate>,
}

impl Filter {
    /// The instants that its days begin and end with, in `zone`: the first included, the last not.
    pub fn span(&self, zone: &str, zones: &dyn Zones) -> (Timestamp, Timestamp) {
        let start = |date: NaiveDate| {
            let midnight = TimeOfDay::of(date.into());
            instant(zones, zone, date, midnight)
        };
        (
            self.from.map_or(Timestamp(i64::MIN), start),
            self.to
                .and_then(|date| date.succ_opt())
                .map_or(Timestamp(i64::MAX), start),
        )
    }
}

/// A row of the trail, with what its event tells.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Rises in the trail's own order.
    pub n: i64,
    /// The event.
    pub event_id: EventId,
    /// Its type, as written.
    pub event_type: String,
    /// When it happened.
    pub timestamp: Timestamp,
    /// The task it is about.
    pub task_id: Option<TaskId>,
    /// That task's title then; `None` too once it was deleted for good.
    pub title: Option<String>,
    /// The address that a sign-in and the like came from.
    pub ip: Option<String>,
    /// And the program.
    pub user_agent: Option<String>,
}

impl Entry {
    /// What happened, in words; the type itself where there are none for it.
    pub fn words(&self) -> &str {
        match &*self.event_type {
            "task.created" => "Task created",
            "task.updated" => "Task changed",
            "task.completed" => "Task completed",
            "task.deleted" => "Task moved to the trash",
            "task.restored" => "Task taken out of the trash",
            "user.registered" => "Account created",
            "user.deleted" => "Account deleted",
            "audit.user.logged_in" => "Signed in",
            "audit.user.login_failed" => "Sign-in failed",
            "audit.user.logged_out" => "Signed out",
            "audit.user.password_changed" => "Password changed",
            "audit.token.created" => "Token created",
            "audit.token.revoked" => "Token revoked",
            "audit.data.exported" => "Data downloaded",
            "audit.data.imported" => "Data imported",
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        event::EventType,
        time::{TzDatabase, parse_date},
    };

    #[test]
    fn a_day_is_one_of_the_persons_zone() {
        let day = |text| parse_date(text).ok();
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        // Clocks go back on that day.
        let filter = Filter {
            from: day("2026-10-25"),
            to: day("2026-10-25"),
            ..Filter::default()
        };
        let (from, until) = filter.span("Europe/Berlin", &TzDatabase);
        assert_eq!(from, at("2026-10-24T22:00:00Z"));
        assert_eq!(until, at("2026-10-25T23:00:00Z"));
        let (from, until) = Filter::default().span("Europe/Berlin", &TzDatabase);
        assert!(from < at("0001-01-01T00:00:00Z") && until > at("9999-12-31T00:00:00Z"));
    }

    #[test]
    fn there_are_words_for_whatever_is_recorded() {
        let recorded = EventType::ALL.into_iter().filter(|of| {
            use crate::event::Topic::{AuditLogs, TaskEvents, UserEvents};
            let topics = [TaskEvents, UserEvents, AuditLogs];
            of.topics().iter().any(|topic| topics.contains(topic))
        });
        for of in recorded {
            let entry = Entry {
                n: 1,
                event_id: EventId(uuid::Uuid::nil()),
                event_type: of.as_str().to_owned(),
                timestamp: Timestamp(0),
                task_id: None,
                title: None,
                ip: None,
                user_agent: None,
            };
            assert_ne!(entry.words(), of.as_str());
        }
    }
}
