//! Browsers that are to be told with every tab closed, and what is on its way to them.

use async_trait::async_trait;
use sqlx::{Row, sqlite::SqliteRow};
use tidings_domain::{
    error::Code,
    id::{TaskId, UserId},
    time::Timestamp,
};
use uuid::Uuid;

use super::{
    SqliteStore, db, id,
    job::News,
    queue::{PUSHES, kind},
};
use crate::{
    error::{Error, Result},
    store::{
        Posted, Push, PushMessage, Pushes, QueueDepth, SUBSCRIPTIONS_MAX, Subscription, Unsent,
    },
};

/// Of each subscription the first that waits; without a notification where nobody needs it any more.
pub(super) const DUE: &str = "SELECT p.n, p.user_id, p.kind, p.created_at, p.attempts, \
     s.id, s.endpoint, s.p256dh, s.auth, n.id, n.title, n.body, n.task_id FROM pushes p \
     CROSS JOIN push_subscriptions s ON s.id = p.subscription AND s.user_id = p.user_id \
     LEFT JOIN notifications n ON n.id = p.notification AND n.user_id = p.user_id \
     AND (n.read_at IS NULL OR n.read_at <= n.created_at) AND (n.kind <> 'reminder' OR EXISTS \
     (SELECT 1 FROM tasks t WHERE t.user_id = n.user_id AND t.id = n.task_id \
     AND t.completed_at IS NULL AND t.deleted_at IS NULL)) WHERE p.due_at <= ?1 AND p.aside = 0 \
     AND NOT EXISTS (SELECT 1 FROM pushes o WHERE o.subscription = p.subscription AND o.n < p.n \
     AND o.aside = 0) ORDER BY p.due_at LIMIT +?2";
/// ?1 user, ?2 session.
pub(super) const SESSION: &str = "SELECT 1 FROM sessions WHERE user_id = ?1 AND token_hash = ?2";
/// ?1 user, ?2 session, ?3 endpoint, ?4 id, ?5 and ?6 keys, ?7 when, ?8 how many are kept.
pub(super) const SUBSCRIBE: &str = "\
DELETE FROM push_subscriptions WHERE endpoint = ?3 AND user_id <> ?1; \
INSERT INTO push_subscriptions (user_id, session, endpoint, id, p256dh, auth, created_at) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (endpoint) DO UPDATE \
    SET session = excluded.session, p256dh = excluded.p256dh, auth = excluded.auth, \
    created_at = excluded.created_at; \
DELETE FROM push_subscriptions WHERE id IN (SELECT id FROM push_subscriptions WHERE user_id = ?1 \
    ORDER BY created_at DESC, id DESC LIMIT -1 OFFSET ?8)";
pub(super) const FORGET: &str = "DELETE FROM push_subscriptions WHERE user_id = ?1 AND id = ?2";

#[async_trait]
impl Pushes for SqliteStore {
    async fn subscribe(&self, subscription: &Subscription) -> Result<()> {
        let s = subscription.clone();
        self.writer
            .write(News::None, move |connection| {
                Box::pin(async move {
                    let (user, session) = (s.user_id.to_string(), s.session.as_slice());
                    let there = sqlx::query(SESSION).bind(&user).bind(session);
                    let there = there.fetch_optional(&mut *connection).await.map_err(db)?;
                    there.ok_or(Code::Unauthenticated)?;
                    sqlx::query(SUBSCRIBE)
                        .bind(user)
                        .bind(session)
                        .bind(s.endpoint)
                        .bind(s.id.to_string())
                        .bind(s.p256dh)
                        .bind(s.auth)
                        .bind(s.created_at.0)
                        .bind(SUBSCRIPTIONS_MAX as i64)
                        .execute(connection)
                        .await
                        .map_err(db)?;
                    Ok(())
                })
            })
            .await
    }

    async fn unsubscribe_endpoint(&self, user: UserId, endpoint: &str) -> Result<bool> {
        let forget = "DELETE FROM push_subscriptions WHERE user_id = ?1 AND endpoint = ?2";
        let forget = sqlx::query(forget).bind(user.to_string());
        let forget = forget.bind(endpoint.to_owned());
        Ok(self.writer.execute(News::None, forget).await? > 0)
    }

    async fn forget_subscription(&self, user: UserId, id: Uuid) -> Result<()> {
        let forget = sqlx::query(FORGET).bind(user.to_string());
        let forget = forget.bind(id.to_string());
        self.writer.execute(News::None, forget).await.map(drop)
    }

    async fn claim_pushes(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<Push>> {
        self.claim_due(&PUSHES, DUE, now, until, limit, push).await
    }

    async fn settle_pushes(&self, pushes: &[Posted]) -> Result<()> {
        self.settle(&PUSHES, pushes).await
    }

    async fn push_depth(&self) -> Result<QueueDepth> {
        self.queue_depth(&PUSHES).await
    }

    async fn pushes_unsent(&self, after: i64, limit: usize) -> Result<Vec<Unsent>> {
        self.unsent(&PUSHES, after, limit).await
    }

    async fn put_pushes_back(&self, n: Option<i64>, now: Timestamp) -> Result<u64> {
        self.put_back(&PUSHES, n, now).await
    }

    async fn drop_pushes(&self, n: Option<i64>) -> Result<u64> {
        self.drop_unsent(&PUSHES, n).await
    }

    async fn push_key(&self, fresh: &str) -> Result<String> {
        self.secret("push_key", fresh).await
    }
}

/// Reads what [`DUE`] selects.
fn push(row: &SqliteRow) -> Result<Push> {
    let notification: Option<&str> = row.try_get(9).map_err(db)?;
    let message = |notification: &str| {
        let task: Option<&str> = row.try_get(12).map_err(db)?;
        Ok::<_, Error>(PushMessage {
            subscription: id(row.try_get(5).map_err(db)?)?,
            endpoint: row.try_get(6).map_err(db)?,
            p256dh: row.try_get(7).map_err(db)?,
            auth: row.try_get(8).map_err(db)?,
            notification: id(notification)?,
            title: row.try_get(10).map_err(db)?,
            body: row.try_get(11).map_err(db)?,
            task_id: task.map(id).transpose()?.map(TaskId),
        })
    };
    Ok(Push {
        n: row.try_get(0).map_err(db)?,
        user_id: UserId(id(row.try_get(1).map_err(db)?)?),
        kind: kind(row, 2)?.ok_or_else(|| Error::internal("an unknown kind"))?,
        created_at: Timestamp(row.try_get(3).map_err(db)?),
        attempts: row.try_get(4).map_err(db)?,
        message: notification.map(message).transpose()?,
    })
}
