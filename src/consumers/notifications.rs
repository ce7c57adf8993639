//! Notifies people of what happened, by the ways that each of them chose.

mod words;

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{NaiveDate, TimeDelta};
use serde_json::Value;
use tidings_domain::{
    error::Code,
    event::{self, Event, EventType, Topic},
    id::{EventId, UserId},
    notice::Kind,
    time::{TzDatabase, local},
};
use uuid::Uuid;

use self::words::Words;
use super::{Consumer, Delivery, Role, catch_up::is_news};
use crate::{
    clock::Clock,
    error::Result,
    store::{Notice, Notices, Recipient},
};

/// Streaks, in days, that are told of.
const STREAKS: [i64; 8] = [3, 7, 14, 30, 60, 100, 200, 365];

/// The `notifications` consumer.
pub struct Notifications {
    notices: Arc<dyn Notices>,
    clock: Arc<dyn Clock>,
}

impl Notifications {
    /// Writes to this store.
    pub fn new(notices: Arc<dyn Notices>, clock: Arc<dyn Clock>) -> Self {
        Self { notices, clock }
    }

    /// Notices of streaks that are as long as one that is told of: of a day that comes late, the
    /// longest that it makes whole. Days that were noted before are taken out.
    async fn streaks(
        &self,
        days: &mut Vec<(UserId, NaiveDate)>,
        told: &mut Vec<Notice>,
        recipient: impl Fn(UserId) -> Option<Recipient>,
    ) -> Result<()> {
        if days.is_empty() {
            return Ok(());
        }
        let streaks = self.notices.streaks(days).await?;
        for ((user, day), streak) in days.iter().zip(&streaks) {
            let reached = STREAKS.iter().rfind(|told| streak.contains(told));
            let Some((length, recipient)) = reached.copied().zip(recipient(*user)) else {
                continue;
            };
            // One a day and length, whichever of its events makes it.
            let last = *day + TimeDelta::days(length - streak.start());
            let name = format!("streak {last} {length}");
            let event_id = EventId(Uuid::new_v5(&user.0, name.as_bytes()));
            let words = Words::of_streak(length);
            let event = (event_id, *user, None);
            told.extend(notice(Kind::Streak, event, None, words, &recipient));
        }
        let mut streaks = streaks.into_iter();
        days.retain(|_| streaks.next().is_none_or(|streak| *streak.end() > 0));
        Ok(())
    }
}

#[async_trait]
impl Consumer for Notifications {
    fn name(&self) -> &'static str {
        "notifications"
    }

    fn topics(&self) -> &'static [Topic] {
        Role::Notifications.topics()
    }

    fn notes(&self, event_type: EventType) -> bool {
        event_type == EventType::ReminderDue
    }

    fn noted_as(&self, delivery: &Delivery) -> Option<EventId> {
        let event: Event<Value> = serde_json::from_str(&delivery.json).ok()?;
        // It may have lost its contents, with its task.
        let is_whole = event.data.get("remind_at").is_some();
        let is_told = is_whole && is_news(delivery, self.clock.now());
        Some(noted_as(
            kind(&delivery.event_type)?,
            event.user_id.filter(|_| is_told)?,
            event.event_id,
        ))
    }

    async fn handle(&self, deliveries: &[Delivery]) -> Result<()> {
        let events = deliveries.iter().filter_map(|delivery| {
            Some((kind(&delivery.event_type)?, delivery.user_id?, delivery))
        });
        let events: Vec<_> = events.collect();
        if events.is_empty() {
            return Ok(());
        }
        let mut users: Vec<_> = events.iter().map(|(_, user, _)| *user).collect();
        users.sort_unstable();
        users.dedup();
        let recipients = self.notices.recipients(&users).await?;
        let mut told = Vec::new();
        let mut days = Vec::new();
        for (kind, user, delivery) in events {
            let Some(recipient) = recipients.get(&user) else {
                continue;
            };
            let zone = &recipient.time_zone;
            if kind == Kind::TaskCompleted {
                days.push((user, local(&TzDatabase, zone, delivery.timestamp).date()));
            }
            // Most events are of a kind that nobody wants to be told of: those need not be read.
            if !is_wanted(kind, recipient) {
                continue;
            }
            // What is of a type that we know and cannot be read never can.
            let event: Event<Value> =
                serde_json::from_str(&delivery.json).map_err(|_| Code::ValidationFailed)?;
            // Nobody needs to be told of what they did not do themselves.
            if kind == Kind::TaskCreated && !is_own(&event) {
                continue;
            }
            if let Some(words) = Words::of(kind, &event, zone) {
                let id = (noted_as(kind, user, event.event_id), user, event.task_id);
                let trace = event.metadata.traceparent.clone();
                told.extend(notice(kind, id, trace, words, recipient));
            }
        }
        days.sort_unstable();
        days.dedup();
        let recipient = |user: UserId| recipients.get(&user).cloned();
        self.streaks(&mut days, &mut told, recipient).await?;
        if told.is_empty() && days.is_empty() {
            return Ok(());
        }
        self.notices.notify(&told, &days).await
    }
}

/// What there is to tell of an event.
fn kind(event_type: &str) -> Option<Kind> {
    match EventType::parse(event_type)? {
        EventType::ReminderDue => Some(Kind::Reminder),
        EventType::TaskCreated => Some(Kind::TaskCreated),
        EventType::TaskCompleted => Some(Kind::TaskCompleted),
        _ => None,
    }
}

/// Under which id the inbox notes it. That of a reminder is made of its task and time, and two people
/// may hold tasks of one id.
fn noted_as(kind: Kind, user: UserId, event_id: EventId) -> EventId {
    match kind {
        Kind::Reminder => EventId(Uuid::new_v5(&user.0, event_id.0.as_bytes())),
        _ => event_id,
    }
}

/// Whether the person, or a program of theirs, made it.
fn is_own(event: &Event<Value>) -> bool {
    matches!(event.metadata.actor, event::Actor::User | event::Actor::Api)
}

/// Whether the person wants to be told of the kind. A reminder that they want in no way is noted all the
/// same, so that a delivered one can be told from one that a broker lost.
fn is_wanted(kind: Kind, recipient: &Recipient) -> bool {
    recipient.settings.of(kind).any() || kind == Kind::Reminder
}

/// The notice, where the person wants one of its kind.
fn notice(
    kind: Kind,
    (event_id, user_id, task_id): (EventId, UserId, Option<tidings_domain::id::TaskId>),
    traceparent: Option<String>,
    words: Words,
    recipient: &Recipient,
) -> Option<Notice> {
    is_wanted(kind, recipient).then_some(Notice {
        event_id,
        user_id,
        kind,
        task_id,
        remind_at: words.remind_at,
        channels: recipient.settings.of(kind),
        title: words.title,
        body: words.body,
        subject: words.subject,
        traceparent,
    })
}
