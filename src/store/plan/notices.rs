//! Turns notices into rows: notifications with their events of the feed, pushes and mail.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::json;
use tidings_domain::{
    event::{self, EventType, Metadata},
    id::{EventId, TaskId, UserId},
    notice::{Kind, Notification},
    task::Task,
    time::Timestamp,
};
use uuid::Uuid;

use super::rows::{EventRow, Keys, Loaded, Mailed, Wire, WriteSet};
use crate::{
    clock::Ambient,
    error::{Error, Result},
    store::Notice,
};

/// Mails that a person gets in 24 hours. Nobody confirmed their address, so that it may be anybody's.
const MAILS_A_DAY: i64 = 50;
/// In milliseconds.
const DAY_MS: i64 = 86_400_000;

/// A mail to keep until it is sent.
#[derive(Clone, Debug, Serialize)]
pub struct MailRow {
    /// Its id, and the better part of its Message-ID.
    pub id: Uuid,
    /// To whom.
    pub user_id: UserId,
    /// What it is about.
    pub kind: Option<Kind>,
    /// The task that it is about.
    pub task_id: Option<TaskId>,
    /// Its subject.
    pub subject: String,
    /// Its text, without greeting or footer.
    pub body: String,
    /// A path of ours where it goes on.
    pub link: String,
    /// What the link says.
    pub link_text: &'static str,
    /// When.
    pub created_at: i64,
}

/// A notification that is to be pushed to the browsers that somebody subscribed.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct PushRow {
    /// To whom.
    pub user_id: UserId,
    /// The notification.
    pub notification: Uuid,
    /// What it is about.
    pub kind: Kind,
    /// When.
    pub created_at: i64,
}

/// What notices come to.
#[derive(Debug, Default)]
pub struct Told {
    /// Events, and the feeds that moved.
    pub set: WriteSet,
    /// Notifications.
    pub notifications: Vec<(UserId, Notification)>,
    /// Those of them that go to browsers.
    pub pushes: Vec<PushRow>,
    /// Mail.
    pub mails: Vec<MailRow>,
    /// What mail people got of late, where that is new.
    pub mailed: Vec<(UserId, Mailed)>,
}

/// What notices touch: the feeds and tasks of those that they are for.
pub fn touched(notices: &[Notice]) -> Keys {
    let mut keys = Keys::default();
    for notice in notices {
        keys.users.push(notice.user_id);
        keys.tasks
            .extend(notice.task_id.map(|task| (notice.user_id, task)));
    }
    keys.users.sort_unstable();
    keys.users.dedup();
    keys.tasks.sort_unstable();
    keys.tasks.dedup();
    keys
}

/// Turns notices into rows. Nothing is told of a task that is gone, nor anybody who is, and no
/// reminder that was moved or whose task is done.
///
/// # Errors
/// Internal, where an event cannot be written as JSON.
pub fn tell<'a>(
    notices: impl Iterator<Item = &'a Notice>,
    mut loaded: Loaded,
    ambient: &Ambient,
) -> Result<Told> {
    let mut told = Told::default();
    let mut moved = Vec::new();
    let mut mailed = HashMap::new();
    for notice in notices {
        let user = notice.user_id;
        let Some(feed) = loaded.feeds.get_mut(&user) else {
            continue;
        };
        if let Some(task) = notice.task_id {
            let task = loaded.tasks.get(&(user, task));
            let due = |task: &Task| task.is_open() && task.remind_at == notice.remind_at;
            if !task.is_some_and(|task| notice.remind_at.is_none() || due(task)) {
                continue;
            }
        }
        let now = ambient.clock.now().max(feed.at);
        if notice.channels.shows() {
            let notification = Notification {
                id: ambient.ids.next(),
                kind: notice.kind,
                title: notice.title.clone(),
                body: notice.body.clone(),
                task_id: notice.task_id,
                created_at: now,
                // Who wants it from the browser alone has it there.
                read_at: (!notice.channels.app).then_some(now),
            };
            feed.seq += 1;
            feed.at = now;
            let event_id = EventId(ambient.ids.next());
            let row = event_row(event_id, notice, &notification, feed.seq)?;
            told.set.events.push(row);
            if notice.channels.browser {
                told.pushes.push(PushRow {
                    user_id: user,
                    notification: notification.id,
                    kind: notice.kind,
                    created_at: now.0,
                });
            }
            told.notifications.push((user, notification));
            moved.push(user);
        }
        if notice.channels.mail {
            let before = loaded.mailed.get(&user).copied().unwrap_or_default();
            let mailed = mailed.entry(user).or_insert(before);
            if !allows(mailed, user, now) {
                continue;
            }
            told.mails.push(mail(ambient.ids.next(), notice, now));
        }
    }
    moved.sort_unstable();
    moved.dedup();
    let feeds = moved.into_iter();
    let feeds = feeds.filter_map(|user| Some((user, loaded.feeds.remove(&user)?)));
    told.set.feeds = feeds.collect();
    told.mailed = mailed.into_iter().collect();
    // In one order, whoever else writes.
    told.mailed.sort_unstable_by_key(|(user, _)| *user);
    Ok(told)
}

/// Counts a mail to somebody; whether they may get it. The first that they may not is noted.
fn allows(mailed: &mut Mailed, user: UserId, now: Timestamp) -> bool {
    if !(0..DAY_MS).contains(&(now.0 - mailed.since.0)) {
        *mailed = Mailed {
            since: now,
            mails: 0,
        };
    }
    if mailed.mails == MAILS_A_DAY {
        tracing::warn!(user_id = %user, "somebody gets no more mail within 24 hours");
    }
    mailed.mails = (mailed.mails + 1).min(MAILS_A_DAY + 1);
    mailed.mails <= MAILS_A_DAY
}

fn event_row(
    event_id: EventId,
    notice: &Notice,
    notification: &Notification,
    seq: i64,
) -> Result<EventRow> {
    let at = notification.created_at;
    let event_type = EventType::NotificationCreated;
    let data = json!({
        "id": notification.id,
        "kind": notification.kind,
        "title": notification.title,
        "body": notification.body,
        "task_id": notification.task_id,
    });
    let metadata = Metadata {
        traceparent: notice.traceparent.clone(),
        ..Metadata::default()
    };
    let wire = Wire {
        event_id,
        event_type,
        version: event::VERSION,
        timestamp: at,
        user_id: Some(notice.user_id),
        task_id: notice.task_id,
        seq: Some(seq),
        task_data: None,
        data: &data,
        metadata: &metadata,
    };
    Ok(EventRow {
        event_id,
        event_type,
        user_id: Some(notice.user_id),
        seq: Some(seq),
        task_id: notice.task_id,
        version: notice.task_id.map(|_| 0),
        at,
        json: serde_json::to_string(&wire).map_err(Error::internal)?,
    })
}

fn mail(id: Uuid, notice: &Notice, now: Timestamp) -> MailRow {
    let (link, link_text) = match notice.task_id {
        Some(task) => (format!("/tasks/{task}"), "Open the task"),
        None => ("/".into(), "Open Tidings"),
    };
    MailRow {
        id,
        user_id: notice.user_id,
        kind: Some(notice.kind),
        task_id: notice.task_id,
        subject: notice.subject.clone(),
        body: notice.body.clone(),
        link,
        link_text,
        created_at: now.0,
    }
}
