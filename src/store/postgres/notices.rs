//! Notifications.

use std::{
    collections::{HashMap, HashSet},
    ops::RangeInclusive,
};

use async_trait::async_trait;
use chrono::NaiveDate;
use sqlx::{PgConnection, PgExecutor, Row, postgres::PgRow};
use tidings_domain::{
    error::Code,
    id::{TaskId, UserId},
    notice::{Kind, Notification, Settings},
    time::Timestamp,
};
use uuid::Uuid;

use super::{PostgresStore, db, from_json, job::News, load, write};
use crate::{
    error::{Error, Result},
    store::{
        Notice, NoticePlace, Notices, Recipient,
        notices::{KEPT, earliest, streaks},
        plan::{Keys, Mailed, Told, tell, touched},
        pushes::WAITING_MAX,
    },
};

pub(super) const RECIPIENTS: &str = "SELECT u.id, u.time_zone, s.settings FROM users u \
     LEFT JOIN notification_settings s ON s.user_id = u.id WHERE u.id = ANY ($1::uuid[])";
/// The days before and after some of people, and those themselves where they were noted.
pub(super) const DAYS: &str = "SELECT j.nth, d.day \
     FROM unnest($1::uuid[], $2::text[]) WITH ORDINALITY j (user_id, first, nth) \
     JOIN done_days d ON d.user_id = j.user_id AND d.day >= j.first";
pub(super) const INBOX: &str = "INSERT INTO inbox (consumer, event_id, at) \
     SELECT 'notifications', id, $2 FROM unnest($1::uuid[]) id ORDER BY id \
     ON CONFLICT DO NOTHING RETURNING event_id";
/// What was done on days, and what is kept no longer. Whoever goes meanwhile has no days.
pub(super) const DONE: &str = "\
WITH j AS (SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[]) j (user_id, day, first)), \
o AS (DELETE FROM done_days d USING j WHERE d.user_id = j.user_id AND d.day < j.first) \
INSERT INTO done_days (user_id, day) SELECT j.user_id, j.day FROM j \
    JOIN feeds f ON f.user_id = j.user_id ORDER BY 1, 2 ON CONFLICT DO NOTHING";
pub(super) const TELL: &str = "\
INSERT INTO notifications (user_id, id, kind, title, body, task_id, created_at, read_at) \
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::uuid[], \
    $7::int8[], $8::int8[])";
/// Notifications that are kept no longer. The last that is kept is looked for once a person.
pub(super) const CUT: &str = "\
DELETE FROM notifications n USING unnest($1::uuid[]) j (user_id) \
    CROSS JOIN LATERAL (SELECT k.created_at, k.id FROM notifications k \
    WHERE k.user_id = j.user_id ORDER BY k.created_at DESC, k.id DESC LIMIT 1 OFFSET $2) last \
    WHERE n.user_id = j.user_id AND (n.created_at, n.id) < (last.created_at, last.id)";
pub(super) const MAIL: &str = "\
INSERT INTO mails (id, user_id, kind, task_id, subject, body, link, link_text, created_at, due_at) \
    SELECT m.*, m.created_at FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[], \
    $5::text[], $6::text[], $7::text[], $8::text[], $9::int8[]) \
    m (id, user_id, kind, task_id, subject, body, link, link_text, created_at)";
/// To each browser of theirs that stays, where not too much waits for it already.
pub(super) const PUSH: &str = "\
INSERT INTO pushes (user_id, subscription, notification, kind, created_at, due_at) \
    SELECT s.user_id, s.id, j.notification, j.kind, j.at, j.at \
    FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::int8[]) j (user_id, notification, kind, at) \
    JOIN push_subscriptions s ON s.user_id = j.user_id \
    WHERE (SELECT count(*) FROM pushes p WHERE p.subscription = s.id AND NOT p.aside) < $5 FOR KEY SHARE OF s";
/// What mail people got of late.
pub(super) const MAILED: &str =
    "SELECT user_id, since, mails FROM mail_allowances WHERE user_id = ANY ($1::uuid[])";
pub(super) const ALLOW: &str = "\
INSERT INTO mail_allowances (user_id, since, mails) \
    SELECT * FROM unnest($1::uuid[], $2::int8[], $3::int8[]) \
    ON CONFLICT (user_id) DO UPDATE SET since = excluded.since, mails = excluded.mails";
pub(super) const LIST: &str = "SELECT id, kind, title, body, task_id, created_at, read_at \
     FROM notifications WHERE user_id = $1 AND (created_at, id) < ($2, $3) \
     ORDER BY created_at DESC, id DESC LIMIT $4";
pub(super) const UNREAD: &str = "SELECT id, kind, title, body, task_id, created_at, read_at \
     FROM notifications WHERE user_id = $1 AND (created_at, id) < ($2, $3) AND read_at IS NULL \
     ORDER BY created_at DESC, id DESC LIMIT $4";

#[async_trait]
impl Notices for PostgresStore {
    async fn recipients(&self, users: &[UserId]) -> Result<HashMap<UserId, Recipient>> {
        let users: Vec<_> = users.iter().map(|user| user.0).collect();
        let rows = sqlx::query(RECIPIENTS).bind(users);
        let rows = rows.fetch_all(&self.pool).await.map_err(db)?;
        let recipient = |row: &PgRow| {
            let settings: Option<&str> = row.try_get(2).map_err(db)?;
            let recipient = Recipient {
                time_zone: row.try_get(1).map_err(db)?,
                settings: settings.map(from_json).transpose()?.unwrap_or_default(),
            };
            Ok((UserId(row.try_get(0).map_err(db)?), recipient))
        };
        rows.iter().map(recipient).collect()
    }

    async fn streaks(&self, days: &[(UserId, NaiveDate)]) -> Result<Vec<RangeInclusive<i64>>> {
        let (users, [_, first]) = bounded(days);
        let rows = sqlx::query(DAYS).bind(users).bind(first);
        let rows = rows.fetch_all(&self.pool).await.map_err(db)?;
        let mut noted = vec![HashSet::new(); days.len()];
        for row in &rows {
            // Counted from 1.
            let nth: i64 = row.try_get(0).map_err(db)?;
            let day: &str = row.try_get(1).map_err(db)?;
            let at = usize::try_from(nth - 1).ok();
            if let Some(noted) = at.and_then(|at| noted.get_mut(at)) {
                noted.insert(day.parse::<NaiveDate>().map_err(Error::internal)?);
            }
        }
        Ok(streaks(days, noted))
    }

    async fn notify(&self, notices: &[Notice], days: &[(UserId, NaiveDate)]) -> Result<()> {
        let mut keys = touched(notices);
        let news = News::Feeds(keys.users.as_slice().into());
        // Their feeds are locked too, so that their days go with them.
        keys.users.extend(days.iter().map(|(user, _)| *user));
        let notices = notices.to_vec();
        let days = bounded(days);
        let ambient = self.ambient.clone();
        self.jobs
            .write(news, move |connection| {
                Box::pin(async move {
                    let mut loaded = load::load(connection, &keys).await?;
                    if notices.iter().any(|notice| notice.channels.mail) {
                        loaded.mailed = mailed(connection, &keys).await?;
                    }
                    let (users, [last, first]) = days;
                    sqlx::query(DONE)
                        .bind(users)
                        .bind(last)
                        .bind(first)
                        .execute(&mut *connection)
                        .await
                        .map_err(db)?;
                    let ids: Vec<_> = notices.iter().map(|notice| notice.event_id.0).collect();
                    let fresh = sqlx::query_scalar(INBOX).bind(ids);
                    let fresh = fresh.bind(ambient.clock.now().0);
                    let fresh = fresh.fetch_all(&mut *connection).await.map_err(db)?;
                    let mut fresh: HashSet<Uuid> = fresh.into_iter().collect();
                    let fresh = notices.iter().filter(|n| fresh.remove(&n.event_id.0));
                    let told = tell(fresh, loaded, &ambient)?;
                    write::store(&mut *connection, &told.set).await?;
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
            .bind(user.0)
            .bind(at.0)
            .bind(last)
            .bind(limit as i64)
            .fetch_all(&self.pool)
            .await
            .map_err(db)?;
        rows.iter().map(notification).collect()
    }

    async fn notification(&self, user: UserId, id: Uuid) -> Result<Option<Notification>> {
        let one = "SELECT id, kind, title, body, task_id, created_at, read_at \
                   FROM notifications WHERE user_id = $1 AND id = $2";
        let one = sqlx::query(one).bind(user.0).bind(id);
        let row = one.fetch_optional(&self.pool).await.map_err(db)?;
        row.as_ref().map(notification).transpose()
    }

    async fn mark_read(
        &self,
        user: UserId,
        id: Uuid,
        now: Timestamp,
    ) -> Result<Option<Notification>> {
        self.jobs
            .write(News::Feeds([user].into()), move |connection| {
                Box::pin(async move {
                    let update = sqlx::query(
                        "UPDATE notifications SET read_at = coalesce(read_at, $3) \
                         WHERE user_id = $1 AND id = $2 \
                         RETURNING id, kind, title, body, task_id, created_at, read_at",
                    );
                    let update = update.bind(user.0).bind(id).bind(now.0);
                    let row = update.fetch_optional(connection).await.map_err(db)?;
                    row.as_ref().map(notification).transpose()
                })
            })
            .await
    }

    async fn mark_all_read(&self, user: UserId, now: Timestamp) -> Result<u64> {
        self.jobs
            .write(News::Feeds([user].into()), move |connection| {
                Box::pin(async move {
                    let update = sqlx::query(
                        "UPDATE notifications SET read_at = $2 \
                         WHERE user_id = $1 AND read_at IS NULL",
                    );
                    let update = update.bind(user.0).bind(now.0);
                    let done = update.execute(connection).await.map_err(db)?;
                    Ok(done.rows_affected())
                })
            })
            .await
    }

    async fn notice_settings(&self, user: UserId) -> Result<Settings> {
        settings(&self.pool, user).await
    }

    async fn set_notice_settings(&self, user: UserId, settings: &Settings) -> Result<()> {
        let settings = *settings;
        self.jobs
            .write(News::None, move |connection| {
                Box::pin(async move { set(connection, user, &settings).await })
            })
            .await
    }

    async fn unsubscribe(&self, user: UserId, kind: Kind) -> Result<()> {
        self.jobs
            .write(News::None, move |connection| {
                Box::pin(async move {
                    // What is read after it is what nobody else changes meanwhile.
                    let lock = "SELECT FROM users WHERE id = $1 FOR NO KEY UPDATE";
                    let lock = sqlx::query(lock).bind(user.0);
                    lock.execute(&mut *connection).await.map_err(db)?;
                    let mut chosen = settings(&mut *connection, user).await?;
                    chosen.of_mut(kind).mail = false;
                    set(connection, user, &chosen).await
                })
            })
            .await
    }
}

async fn settings(database: impl PgExecutor<'_>, user: UserId) -> Result<Settings> {
    let sql = "SELECT settings FROM notification_settings WHERE user_id = $1";
    let settings = sqlx::query_scalar(sql).bind(user.0);
    let settings = settings.fetch_optional(database).await.map_err(db)?;
    let settings = settings.map(|json: String| from_json(&json)).transpose()?;
    Ok(settings.unwrap_or_default())
}

/// Locks the person, so that who reads before they write waits.
async fn set(connection: &mut PgConnection, user: UserId, settings: &Settings) -> Result<()> {
    let set = sqlx::query(
        "INSERT INTO notification_settings (user_id, settings) \
         SELECT id, $2 FROM users WHERE id = $1 FOR NO KEY UPDATE \
         ON CONFLICT (user_id) DO UPDATE SET settings = excluded.settings",
    )
    .bind(user.0)
    .bind(serde_json::to_string(settings).map_err(Error::internal)?);
    match set.execute(connection).await.map_err(db)?.rows_affected() {
        0 => Err(Code::NotFound.into()),
        _ => Ok(()),
    }
}

/// People, their days, and the earliest that are kept beside those.
fn bounded(days: &[(UserId, NaiveDate)]) -> (Vec<Uuid>, [Vec<String>; 2]) {
    let last = days.iter().map(|(_, day)| day.to_string()).collect();
    let first = days.iter().map(|(_, day)| earliest(*day).to_string());
    let users = days.iter().map(|(user, _)| user.0).collect();
    (users, [last, first.collect()])
}

/// Writes notifications, pushes and mail.
pub(super) async fn keep(connection: &mut PgConnection, told: &Told) -> Result<()> {
    let rows = &told.notifications;
    if !rows.is_empty() {
        sqlx::query(TELL)
            .bind(Vec::from_iter(rows.iter().map(|(user, _)| user.0)))
            .bind(Vec::from_iter(rows.iter().map(|(_, n)| n.id)))
            .bind(Vec::from_iter(rows.iter().map(|(_, n)| n.kind.as_str())))
            .bind(Vec::from_iter(rows.iter().map(|(_, n)| n.title.as_str())))
            .bind(Vec::from_iter(rows.iter().map(|(_, n)| n.body.as_str())))
            .bind(Vec::from_iter(
                rows.iter().map(|(_, n)| n.task_id.map(|task| task.0)),
            ))
            .bind(Vec::from_iter(rows.iter().map(|(_, n)| n.created_at.0)))
            .bind(Vec::from_iter(
                rows.iter().map(|(_, n)| n.read_at.map(|at| at.0)),
            ))
            .execute(&mut *connection)
            .await
            .map_err(db)?;
        let users = told.set.feeds.iter().map(|(user, _)| user.0);
        sqlx::query(CUT)
            .bind(Vec::from_iter(users))
            .bind(KEPT as i64 - 1)
            .execute(&mut *connection)
            .await
            .map_err(db)?;
    }
    let pushes = &told.pushes;
    if !pushes.is_empty() {
        sqlx::query(PUSH)
            .bind(Vec::from_iter(pushes.iter().map(|p| p.user_id.0)))
            .bind(Vec::from_iter(pushes.iter().map(|p| p.notification)))
            .bind(Vec::from_iter(pushes.iter().map(|p| p.kind.as_str())))
            .bind(Vec::from_iter(pushes.iter().map(|p| p.created_at)))
            .bind(WAITING_MAX as i64)
            .execute(&mut *connection)
            .await
            .map_err(db)?;
    }
    let mails = &told.mails;
    if !mails.is_empty() {
        sqlx::query(MAIL)
            .bind(Vec::from_iter(mails.iter().map(|m| m.id)))
            .bind(Vec::from_iter(mails.iter().map(|m| m.user_id.0)))
            .bind(Vec::from_iter(
                mails.iter().map(|m| m.kind.map(Kind::as_str)),
            ))
            .bind(Vec::from_iter(
                mails.iter().map(|m| m.task_id.map(|task| task.0)),
            ))
            .bind(Vec::from_iter(mails.iter().map(|m| m.subject.as_str())))
            .bind(Vec::from_iter(mails.iter().map(|m| m.body.as_str())))
            .bind(Vec::from_iter(mails.iter().map(|m| m.link.as_str())))
            .bind(Vec::from_iter(mails.iter().map(|m| m.link_text)))
            .bind(Vec::from_iter(mails.iter().map(|m| m.created_at)))
            .execute(&mut *connection)
            .await
            .map_err(db)?;
    }
    let mailed = &told.mailed;
    if !mailed.is_empty() {
        sqlx::query(ALLOW)
            .bind(Vec::from_iter(mailed.iter().map(|(user, _)| user.0)))
            .bind(Vec::from_iter(mailed.iter().map(|(_, m)| m.since.0)))
            .bind(Vec::from_iter(mailed.iter().map(|(_, m)| m.mails)))
            .execute(connection)
            .await
            .map_err(db)?;
    }
    Ok(())
}

/// What mail these people got of late.
async fn mailed(connection: &mut PgConnection, keys: &Keys) -> Result<HashMap<UserId, Mailed>> {
    let users = Vec::from_iter(keys.users.iter().map(|user| user.0));
    let rows = sqlx::query(MAILED).bind(users).fetch_all(connection);
    let mailed = |row: &PgRow| {
        let mailed = Mailed {
            since: Timestamp(row.try_get(1).map_err(db)?),
            mails: row.try_get(2).map_err(db)?,
        };
        Ok((UserId(row.try_get(0).map_err(db)?), mailed))
    };
    rows.await.map_err(db)?.iter().map(mailed).collect()
}

/// Reads `id, kind, title, body, task_id, created_at, read_at`.
fn notification(row: &PgRow) -> Result<Notification> {
    let kind: &str = row.try_get(1).map_err(db)?;
    let task: Option<Uuid> = row.try_get(4).map_err(db)?;
    let read_at: Option<i64> = row.try_get(6).map_err(db)?;
    Ok(Notification {
        id: row.try_get(0).map_err(db)?,
        kind: Kind::parse(kind).ok_or_else(|| Error::internal("an unknown kind"))?,
        title: row.try_get(2).map_err(db)?,
        body: row.try_get(3).map_err(db)?,
        task_id: task.map(TaskId),
        created_at: Timestamp(row.try_get(5).map_err(db)?),
        read_at: read_at.map(Timestamp),
    })
}
