//! Notifications: what people chose, what they were told, and the mail that goes with it.

use std::{
    collections::{HashMap, HashSet},
    ops::RangeInclusive,
};

use async_trait::async_trait;
use chrono::{Days, NaiveDate};
use tidings_domain::{
    id::{EventId, TaskId, UserId},
    notice::{Channels, Kind, Notification, Settings},
    time::Timestamp,
};
use uuid::Uuid;

use crate::error::Result;

/// Notifications of a person that are kept: the newest.
pub(super) const KEPT: usize = 500;
/// Days on which something was done that are kept of a person, and so the longest streak that is
/// counted.
const DAYS_KEPT: u64 = 400;

/// What is to be told somebody because of an event.
#[derive(Clone, Debug)]
pub struct Notice {
    /// Under which the inbox notes it: that of the event, or one that is made of what it comes to.
    pub event_id: EventId,
    /// Whom.
    pub user_id: UserId,
    /// What it is about.
    pub kind: Kind,
    /// The task that it is about. Nothing is told of one that is gone for good.
    pub task_id: Option<TaskId>,
    /// Of a reminder, its time: it is told only while its task is open and has that one.
    pub remind_at: Option<Timestamp>,
    /// By which ways.
    pub channels: Channels,
    /// A few words.
    pub title: String,
    /// A sentence.
    pub body: String,
    /// The subject of the mail.
    pub subject: String,
    /// W3C trace context of what it comes of.
    pub traceparent: Option<String>,
}

/// Whom to tell, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// IANA name.
    pub time_zone: String,
    /// What they chose.
    pub settings: Settings,
}

/// A place in a list of notifications: the last one shown.
pub type NoticePlace = (Timestamp, Uuid);

/// Notifications.
#[async_trait]
pub trait Notices: Send + Sync {
    /// Those of these people who have an account.
    async fn recipients(&self, users: &[UserId]) -> Result<HashMap<UserId, Recipient>>;
    /// How many days on end, this one the last, each of these people did something, counting this one
    /// and those before it among these as such; and, where noted days follow right on it, up to how
    /// many with the last of those. 0 where the day was noted before.
    async fn streaks(&self, days: &[(UserId, NaiveDate)]) -> Result<Vec<RangeInclusive<i64>>>;
    /// Tells: notes each notice in the inbox (consumer `notifications`, its event) and, where it was
    /// not there, writes notification, event of the feed, pushes and mail, as its channels ask; notes
    /// the days too. All of it in one transaction.
    async fn notify(&self, notices: &[Notice], days: &[(UserId, NaiveDate)]) -> Result<()>;
    /// A person's notifications, newest first, after a place in the list.
    async fn notifications(
        &self,
        user: UserId,
        unread: bool,
        after: Option<NoticePlace>,
        limit: usize,
    ) -> Result<Vec<Notification>>;
    /// One of a person's.
    async fn notification(&self, user: UserId, id: Uuid) -> Result<Option<Notification>>;
    /// Marks one of a person's as read, if it was not: what it is then, if it is there.
    async fn mark_read(
        &self,
        user: UserId,
        id: Uuid,
        now: Timestamp,
    ) -> Result<Option<Notification>>;
    /// Marks all of a person's as read that are not; how many.
    async fn mark_all_read(&self, user: UserId, now: Timestamp) -> Result<u64>;
    /// What a person chose.
    async fn notice_settings(&self, user: UserId) -> Result<Settings>;
    /// Keeps what a person chose. `not_found` where they are gone.
    async fn set_notice_settings(&self, user: UserId, settings: &Settings) -> Result<()>;
    /// Keeps that a person wants no more mail of a kind, and whatever else they chose. `not_found`
    /// where they are gone.
    async fn unsubscribe(&self, user: UserId, kind: Kind) -> Result<()>;
}

/// The streak that ends on each day, and with the days after it, given the noted days around it.
pub(super) fn streaks(
    days: &[(UserId, NaiveDate)],
    noted: Vec<HashSet<NaiveDate>>,
) -> Vec<RangeInclusive<i64>> {
    let each = days.iter().zip(noted);
    each.map(|((user, day), mut noted)| {
        if noted.contains(day) {
            return 0..=0;
        }
        // Those after it count it, and with it what was noted after them.
        let after = on_end(day.iter_days(), &noted);
        let beside = days.iter().filter(|(of, other)| of == user && other < day);
        noted.extend(beside.map(|(_, other)| other));
        let length = 1 + on_end(day.iter_days().rev(), &noted);
        length..=length + after
    })
    .collect()
}

/// How many days on end are among these, from the second on.
fn on_end(days: impl Iterator<Item = NaiveDate>, among: &HashSet<NaiveDate>) -> i64 {
    days.skip(1).take_while(|day| among.contains(day)).count() as i64
}

/// The first day that is kept beside this one.
pub(super) fn earliest(day: NaiveDate) -> NaiveDate {
    day.checked_sub_days(Days::new(DAYS_KEPT)).unwrap_or(day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_streak_is_of_days_on_end() {
        let days = |texts: &[&str]| -> Vec<NaiveDate> {
            texts.iter().map(|text| text.parse().unwrap()).collect()
        };
        let today = (UserId(Uuid::nil()), days(&["2026-03-01"])[0]);
        let streak = |noted: &[&str]| {
            let noted = days(noted).into_iter().collect();
            streaks(&[today], vec![noted]).remove(0)
        };
        assert_eq!(streak(&[]), 1..=1);
        assert_eq!(streak(&["2026-02-27", "2026-03-03"]), 1..=1);
        assert_eq!(streak(&["2026-02-28", "2026-02-27", "2026-02-25"]), 3..=3);
        assert_eq!(
            streak(&["2026-02-28", "2026-03-02", "2026-03-03", "2026-03-05"]),
            2..=4
        );
        assert_eq!(streak(&["2026-03-01", "2026-02-28"]), 0..=0);
    }
}
