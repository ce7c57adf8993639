//! Notifications.

use std::{
    collections::{HashMap, HashSet},
    ops::RangeInclusive,
};

use async_trait::async_trait;
use chrono::NaiveDate;
use sqlx::{Row, SqliteConnection, SqliteExecutor, sqlite::SqliteRow};
use tidings_domain::{
    error::Code,
    id::{TaskId, UserId},
    notice::{Kind, Notification, Settings},
    time::Timestamp,
};
use uuid::Uuid;

use super::{SqliteStore, db, from_json, id, job::News, load, to_json, write};
use crate::{
    error::{Error, Result},
    store::{
        Notice, NoticePlace, Notices, Recipient,
        notices::{KEPT, earliest, streaks},
        plan::{Keys, Mailed, Told, tell, touched},
        pushes::WAITING_MAX,
    },
};

pub(super) const RECIPIENTS: &str = "SELECT u.id, u.time_zone, s.settings FROM jsonb_each(?1) j \
     CROSS JOIN users u ON u.id = j.value LEFT JOIN notification_settings s ON s.user_id = u.id";
/// The days before and after some of people, and those themselves where they were noted.
pub(super) const DAYS: &str = "SELECT j.key, d.day FROM jsonb_each(?1) j \
     CROSS JOIN done_days d ON d.user_id = j.value->>0 AND d.day >= j.value->>2";
pub(super) const INBOX: &str = "INSERT INTO inbox (consumer, event_id, at) \
     SELECT 'notifications', value, ?2 FROM jsonb_each(?1) WHERE true \
     ON CONFLICT DO NOTHING RETURNING event_id";
/// What was done on days, and what is kept no longer.
pub(super) const DONE: &str = "\
INSERT INTO done_days (user_id, day) SELECT value->>0, value->>1 FROM jsonb_each(?) \
    WHERE value->>0 IN (SELECT id FROM users) ON CONFLICT DO NOTHING; \
DELETE FROM done_days WHERE (user_id, day) IN (SELECT d.user_id, d.day FROM jsonb_each(?) j \
    CROSS JOIN done_days d ON d.user_id = j.value->>0 AND d.day < j.value->>2)";
/// New notifications, and those that are kept no longer.
pub(super) const TELL: &str = "\
INSERT INTO notifications (user_id, id, kind, title, body, task_id, created_at, read_at) \
    SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, value->>7 \
    FROM jsonb_each(?) WHERE true; \
DELETE FROM notifications WHERE id IN (SELECT n.id FROM jsonb_each(?) j \
    CROSS JOIN notifications n ON n.user_id = j.value AND (n.created_at, n.id) < \
    (SELECT created_at, id FROM notifications WHERE user_id = j.value \
    ORDER BY created_at DESC, id DESC LIMIT 1 OFFSET ?))";
pub(super) const MAIL: &str = "\
INSERT INTO mails (id, user_id, kind, task_id, subject, body, link, link_text, created_at, due_at) \
    SELECT value->>'id', value->>'user_id', value->>'kind', value->>'task_id', value->>'subject', \
    value->>'body', value->>'link', value->>'link_text', value->>'created_at', \
    value->>'created_at' FROM jsonb_each(?1) WHERE true";
/// To each browser of theirs, where not too much waits for it already.
pub(super) const PUSH: &str = "\
INSERT INTO pushes (user_id, subscription, notification, kind, created_at, due_at) \
    SELECT s.user_id, s.id, j.value->>'notification', j.value->>'kind', j.value->>'created_at', \
    j.value->>'created_at' FROM jsonb_each(?1) j \
    CROSS JOIN push_subscriptions s ON s.user_id = j.value->>'user_id' \
    WHERE (SELECT count(*) FROM pushes p WHERE p.subscription = s.id AND p.aside = 0) < ?2";
/// What mail people got of late.
pub(super) const MAILED: &str = "SELECT a.user_id, a.since, a.mails FROM jsonb_each(?1) j \
     CROSS JOIN mail_allowances a ON a.user_id = j.value";
pub(super) const ALLOW: &str = "INSERT INTO mail_allowances (user_id, since, mails) \
     SELECT value->>0, value->>1, value->>2 FROM jsonb_each(?1) WHERE true \
     ON CONFLICT (user_id) DO UPDATE SET since = excluded.since, mails = excluded.mails";
pub(super) const LIST: &str = "SELECT id, kind, title, body, task_id, created_at, read_at \
     FROM notifications WHERE user_id = ?1 AND (created_at, id) < (?2, ?3) \
     ORDER BY created_at DESC, id DESC LIMIT +?4";
pub(super) const UNREAD: &str = "SELECT id, kind, title, body, task_id, created_at, read_at \
     FROM notifications WHERE user_id = ?1 AND (created_at, id) < (?2, ?3) AND read_at IS NULL \
     ORDER BY created_at DESC, id DESC LIMIT +?4";

#[async_trait]
impl Notices for SqliteStore {
    async fn recipients(&self, users: &[UserId]) -> Result<HashMap<UserId, Recipient>> {
        let rows = sqlx::query(RECIPIENTS).bind(to_json(users)?);
        let rows = rows.fetch_all(&self.readers).await.map_err(db)?;
        let recipient = |row: &SqliteRow| {
            let settings: Option<&str> = row.try_get(2).map_err(db)?;
            let recipient = Recipient {
                time_zone: row.try_get(1).map_err(db)?,
                settings: settings.map(from_json).transpose()?.unwrap_or_default(),
            };
            Ok((UserId(id(row.try_get(0).map_err(db)?)?), recipient))
        };
        rows.iter().map(recipient).collect()
    }

    async fn streaks(&self, days: &[(UserId, NaiveDate)]) -> Result<Vec<RangeInclusive<i64>>> {
        let rows = sqlx::query(DAYS).bind(bounded(days)?);
        let rows = rows.fetch_all(&self.readers).await.map_err(db)?;
        let mut noted = vec![HashSet::new(); days.len()];
        for row in &rows {
            let at: i64 = row.try_get(0).map_err(db)?;
            let day: &str = row.try_get(1).map_err(db)?;
            if let Some(noted) = usize::try_from(at).ok().and_then(|at| noted.get_mut(at)) {
                noted.insert(day.parse::<NaiveDate>().map_err(Error::internal)?);
            }
        }
        Ok(streaks(days, noted))
    }

    async fn notify(&self, notices: &[Notice], days: &[(UserId, NaiveDate)]) -> Result<()> {
        let keys = touched(notices);
        let news = News::Feeds(keys.users.as_slice().into());
        let notices = notices.to_vec();
        let days = bounded(days)?;
        let ambient = self.ambient.clone();
        self.writer
            .write(news, move |connection| {
                Box::pin(async move {
                    sqlx::query(DONE)
                        .bind(days.clone())
                        .bind(days)
                        .execute(&mut *connection)
                        .await
                        .map_err(db)?;
                    let ids: Vec<_> = notices.iter().map(|notice| notice.event_id).collect();
                    let fresh = sqlx::query_scalar(INBOX).bind(to_json(&ids)?);
                    let fresh = fresh.bind(ambient.clock.now().0);
                    let fresh = fresh.fetch_all(&mut *connection).await.map_err(db)?;
                    let mut fresh: HashSet<String> = fresh.into_iter().collect();
                    let (mut loaded, last) = load::load(connection, &keys).await?;
                    if notices.iter().any(|notice| notice.channels.mail) {
                        loaded.mailed = mailed(connection, &keys).await?;
                    }
                    let fresh = notices
                        .iter()
                        .filter(|notice| fresh.remove(&notice.event_id.to_string()));
                    let told = tell(fresh, loaded, &ambient)?;
                    write::store(&mut *connection, &told.set, last).await?;
                    keep(connection, &told).await
                })
            })
            .await
    }

    async fn notifications(
        &self,
        user: UserId,
        unread: bool,
        after: Option<NoticePlace>,
        limit: usize,
    ) -> Result<Vec<Notification>> {
        let (at, last) = after.unwrap_or((Timestamp(i64::MAX), Uuid::max()));
        let rows = sqlx::query(if unread { UNREAD } else { LIST })
            .bind(user.to_string())
            .bind(at.0)
            .bind(last.to_string())
            .bind(limit as i64)
            .fetch_all(&self.readers)
            .await
            .map_err(db)?;
        rows.iter().map(notification).collect()
    }

    async fn notification(&self, user: UserId, id: Uuid) -> Result<Option<Notification>> {
        let one = "SELECT id, kind, title, body, task_id, created_at, read_at \
                   FROM notifications WHERE user_id = ?1 AND id = ?2";
        let one = sqlx::query(one).bind(user.to_string()).bind(id.to_string());
        let row = one.fetch_optional(&self.readers).await.map_err(db)?;
        row.as_ref().map(notification).transpose()
    }

    async fn mark_read(
        &self,
        user: UserId,
        id: Uuid,
        now: Timestamp,
    ) -> Result<Option<Notification>> {
        let update = sqlx::query(
            "UPDATE notifications SET read_at = coalesce(read_at, ?3) \
             WHERE user_id = ?1 AND id = ?2 \
             RETURNING id, kind, title, body, task_id, created_at, read_at",
        )
        .bind(user.to_string())
        .bind(id.to_string())
        .bind(now.0);
        self.writer
            .write(News::Feeds([user].into()), move |connection| {
                Box::pin(async move {
                    let row = update.fetch_optional(connection).await.map_err(db)?;
                    row.as_ref().map(notification).transpose()
                })
            })
            .await
    }

    async fn mark_all_read(&self, user: UserId, now: Timestamp) -> Result<u64> {
        let update = "UPDATE notifications SET read_at = ?2 WHERE user_id = ?1 AND read_at IS NULL";
        let update = sqlx::query(update).bind(user.to_string()).bind(now.0);
        self.writer
            .execute(News::Feeds([user].into()), update)
            .await
    }

    async fn notice_settings(&self, user: UserId) -> Result<Settings> {
        settings(&self.readers, user).await
    }

    async fn set_notice_settings(&self, user: UserId, settings: &Settings) -> Result<()> {
        let settings = *settings;
        self.writer
            .write(News::None, move |connection| {
                Box::pin(async move { set(connection, user, &settings).await })
            })
            .await
    }

    async fn unsubscribe(&self, user: UserId, kind: Kind) -> Result<()> {
        self.writer
            .write(News::None, move |connection| {
                Box::pin(async move {
                    let mut chosen = settings(&mut *connection, user).await?;
                    chosen.of_mut(kind).mail = false;
                    set(connection, user, &chosen).await
                })
            })
            .await
    }
}

async fn settings(database: impl SqliteExecutor<'_>, user: UserId) -> Result<Settings> {
    let sql = "SELECT settings FROM notification_settings WHERE user_id = ?1";
    let settings = sqlx::query_scalar(sql).bind(user.to_string());
    let settings = settings.fetch_optional(database).await.map_err(db)?;
    let settings = settings.map(|json: String| from_json(&json)).transpose()?;
    Ok(settings.unwrap_or_default())
}

async fn set(connection: &mut SqliteConnection, user: UserId, settings: &Settings) -> Result<()> {
    let set = sqlx::query(
        "INSERT INTO notification_settings (user_id, settings) \
         SELECT id, ?2 FROM users WHERE id = ?1 \
         ON CONFLICT (user_id) DO UPDATE SET settings = excluded.settings",
    )
    .bind(user.to_string())
    .bind(to_json(settings)?);
    match set.execute(connection).await.map_err(db)?.rows_affected() {
        0 => Err(Code::NotFound.into()),
        _ => Ok(()),
    }
}

/// Days, each with the earliest that is kept beside it.
fn bounded(days: &[(UserId, NaiveDate)]) -> Result<String> {
    let days = days.iter().map(|(user, day)| (user, day, earliest(*day)));
    to_json(&days.collect::<Vec<_>>())
}

/// Writes notifications, pushes and mail.
pub(super) async fn keep(connection: &mut SqliteConnection, told: &Told) -> Result<()> {
    if !told.notifications.is_empty() {
        let rows = told.notifications.iter().map(|(user, n)| {
            let (at, read_at) = (n.created_at.0, n.read_at.map(|at| at.0));
            (
                user, n.id, n.kind, &n.title, &n.body, n.task_id, at, read_at,
            )
        });
        let users = told.set.feeds.iter().map(|(user, _)| user);
        sqlx::query(TELL)
            .bind(to_json(&rows.collect::<Vec<_>>())?)
            .bind(to_json(&users.collect::<Vec<_>>())?)
            .bind(KEPT as i64 - 1)
            .execute(&mut *connection)
            .await
            .map_err(db)?;
    }
    if !told.pushes.is_empty() {
        sqlx::query(PUSH)
            .bind(to_json(&told.pushes)?)
            .bind(WAITING_MAX as i64)
            .execute(&mut *connection)
            .await
            .map_err(db)?;
    }
    if !told.mails.is_empty() {
        sqlx::query(MAIL)
            .bind(to_json(&told.mails)?)
            .execute(&mut *connection)
            .await
            .map_err(db)?;
    }
    if !told.mailed.is_empty() {
        let rows = told.mailed.iter();
        let rows = rows.map(|(user, mailed)| (user, mailed.since.0, mailed.mails));
        sqlx::query(ALLOW)
            .bind(to_json(&rows.collect::<Vec<_>>())?)
            .execute(connection)
            .await
            .map_err(db)?;
    }
    Ok(())
}

/// What mail these people got of late.
async fn mailed(connection: &mut SqliteConnection, keys: &Keys) -> Result<HashMap<UserId, Mailed>> {
    let rows = sqlx::query(MAILED).bind(to_json(&keys.users)?);
    let rows = rows.fetch_all(connection).await.map_err(db)?;
    let mailed = |row: &SqliteRow| {
        let mailed = Mailed {
            since: Timestamp(row.try_get(1).map_err(db)?),
            mails: row.try_get(2).map_err(db)?,
        };
        Ok((UserId(id(row.try_get(0).map_err(db)?)?), mailed))
    };
    rows.iter().map(mailed).collect()
}

/// Reads `id, kind, title, body, task_id, created_at, read_at`.
fn notification(row: &SqliteRow) -> Result<Notification> {
    let kind: &str = row.try_get(1).map_err(db)?;
    let task: Option<&str> = row.try_get(4).map_err(db)?;
    let read_at: Option<i64> = row.try_get(6).map_err(db)?;
    Ok(Notification {
        id: id(row.try_get(0).map_err(db)?)?,
        kind: Kind::parse(kind).ok_or_else(|| Error::internal("an unknown kind"))?,
        title: row.try_get(2).map_err(db)?,
        body: row.try_get(3).map_err(db)?,
        task_id: task.map(id).transpose()?.map(TaskId),
        created_at: Timestamp(row.try_get(5).map_err(db)?),
        read_at: read_at.map(Timestamp),
    })
}
