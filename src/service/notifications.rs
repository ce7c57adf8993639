//! What people do with what they are told.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::Days;
use tidings_domain::{
    error::{Code, Fault, FieldError},
    id::{TaskId, UserId},
    notice::{Kind, Notification, Settings},
    time::{TimeOfDay, Timestamp, TzDatabase, instant, local},
};
use uuid::Uuid;

use super::tasks::{Intent, Tasks};
use crate::{
    auth::Actor,
    error::Result,
    store::{Action, NoticePlace, Outcome, SharedStore},
};

/// The hour at which one is reminded of what was put off until tomorrow.
const MORNING_HOUR: u16 = 9;

/// Until when a reminder is put off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Snooze {
    /// For ten minutes.
    TenMinutes,
    /// For an hour.
    Hour,
    /// Until tomorrow morning, where the person is.
    Tomorrow,
}

impl Snooze {
    /// As it is asked for: `10m`, `1h` or `tomorrow`.
    ///
    /// # Errors
    /// A field error on `for`.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        match text {
            "10m" => Ok(Self::TenMinutes),
            "1h" => Ok(Self::Hour),
            "tomorrow" => Ok(Self::Tomorrow),
            _ => {
                let words = "A reminder is put off for 10m, 1h or tomorrow.";
                Err(Fault::field("for", "invalid", words))
            }
        }
    }

    /// When one is reminded again.
    fn until(self, now: Timestamp, zone: &str) -> Timestamp {
        match self {
            Self::TenMinutes => now.plus_ms(600_000),
            Self::Hour => now.plus_ms(3_600_000),
            Self::Tomorrow => {
                let today = local(&TzDatabase, zone, now).date();
                let tomorrow = today.checked_add_days(Days::new(1)).unwrap_or(today);
                let morning = TimeOfDay::new(MORNING_HOUR, 0).unwrap_or(TimeOfDay::MIDNIGHT);
                instant(&TzDatabase, zone, tomorrow, morning)
            }
        }
    }
}

/// A person's notifications.
#[derive(Clone)]
pub struct Notifications {
    store: SharedStore,
    tasks: Tasks,
}

impl Notifications {
    /// Over this store.
    pub fn new(store: SharedStore, tasks: Tasks) -> Self {
        Self { store, tasks }
    }

    /// A part of the list, newest first, and where it goes on.
    ///
    /// # Errors
    /// Only the store's.
    pub async fn list(
        &self,
        actor: &Actor,
        unread: bool,
        after: Option<NoticePlace>,
        limit: usize,
    ) -> Result<(Vec<Notification>, Option<NoticePlace>)> {
        let wanted = limit.saturating_add(1);
        let list = self
            .store
            .notifications(actor.user.id, unread, after, wanted);
        let mut list = list.await?;
        let more = list.len() > limit;
        list.truncate(limit);
        let last = list.last().filter(|_| more);
        let next = last.map(|last| (last.created_at, last.id));
        Ok((list, next))
    }

    /// How many are unread.
    ///
    /// # Errors
    /// Only the store's.
    pub async fn unread(&self, actor: &Actor) -> Result<i64> {
        self.store.unread(actor.user.id).await
    }

    /// Marks one as read.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn read(&self, actor: &Actor, id: Uuid) -> Result<Notification> {
        let now = self.tasks.now();
        let read = self.store.mark_read(actor.user.id, id, now).await?;
        Ok(read.ok_or(Code::NotFound)?)
    }

    /// Marks all as read; how many were not.
    ///
    /// # Errors
    /// Only the store's.
    pub async fn read_all(&self, actor: &Actor) -> Result<u64> {
        let now = self.tasks.now();
        self.store.mark_all_read(actor.user.id, now).await
    }

    /// Moves the reminder of the task that a notification is about, by the change that `intent` makes
    /// of it, and marks the notification as read.
    ///
    /// # Errors
    /// `not_found`, `conflict` where it is about no task or one that is completed, and those of a
    /// change.
    pub async fn snooze(
        &self,
        actor: &Actor,
        id: Uuid,
        snooze: Snooze,
        intent: impl FnOnce(TaskId, Action) -> Result<Intent, Fault>,
    ) -> Result<Outcome> {
        let notification = self.store.notification(actor.user.id, id).await?;
        let notification = notification.ok_or(Code::NotFound)?;
        let Some(task) = notification.task_id else {
            let words = "This notification is about no task, so there is nothing to put off.";
            return Err(Fault::new(Code::Conflict, words).into());
        };
        let until = snooze.until(self.tasks.now(), &actor.user.time_zone);
        let intent = intent(task, Action::Snooze(until))?;
        let outcome = self.tasks.change(actor, intent).await?;
        self.read(actor, id).await?;
        Ok(outcome)
    }

    /// What the person chose.
    ///
    /// # Errors
    /// Only the store's.
    pub async fn settings(&self, actor: &Actor) -> Result<Settings> {
        self.store.notice_settings(actor.user.id).await
    }

    /// Keeps what the person chose.
    ///
    /// # Errors
    /// Only the store's.
    pub async fn set_settings(&self, actor: &Actor, settings: &Settings) -> Result<()> {
        self.store
            .set_notice_settings(actor.user.id, settings)
            .await
    }

    /// Sends a person no more mail of a kind.
    ///
    /// # Errors
    /// `not_found` where they are gone.
    pub async fn unsubscribe(&self, user: UserId, kind: Kind) -> Result<()> {
        self.store.unsubscribe(user, kind).await
    }
}

/// A place in a list, for a client: opaque.
pub fn write_place(place: NoticePlace) -> String {
    let text = format!("{} {}", place.0.0, place.1);
    BASE64_URL_SAFE_NO_PAD.encode(text)
}

/// Reads what [`write_place`] wrote.
///
/// # Errors
/// A field error on `cursor`.
pub fn read_place(text: &str) -> Result<NoticePlace, Fault> {
    let place = || {
        let text = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        let (at, id) = text.split_once(' ')?;
        Some((Timestamp(at.parse().ok()?), id.parse().ok()?))
    };
    place().ok_or_else(|| {
        let words = "That cursor is not one of ours. Start from the beginning of the list.";
        Fault::fields(vec![FieldError::new("cursor", "invalid", words)])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reminder_is_put_off() {
        // Noon in Berlin on the day before the clocks go forward.
        let now: Timestamp = "2026-03-28T11:00:00.000Z".parse().unwrap();
        let until = |text: &str| {
            let snooze = Snooze::parse(text).unwrap();
            snooze.until(now, "Europe/Berlin").to_string()
        };
        assert_eq!(until("10m"), "2026-03-28T11:10:00.000Z");
        assert_eq!(until("1h"), "2026-03-28T12:00:00.000Z");
        assert_eq!(until("tomorrow"), "2026-03-29T07:00:00.000Z");
        for wrong in ["", "2h", "Tomorrow"] {
            let fault = Snooze::parse(wrong).unwrap_err();
            assert_eq!(fault.errors[0].field, "for");
        }
    }

    #[test]
    fn a_place_is_read_as_it_was_written() {
        let place = (Timestamp(1_795_262_400_000), Uuid::from_u128(7));
        assert_eq!(read_place(&write_place(place)).unwrap(), place);
        for wrong in ["x", "", &BASE64_URL_SAFE_NO_PAD.encode("1 2")] {
            assert!(read_place(wrong).is_err(), "{wrong}");
        }
    }
}
