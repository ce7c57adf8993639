//! Browsers that are to be told with every tab closed, and what is on its way to them.

use async_trait::async_trait;
use sqlx::{Row, postgres::PgRow};
use tidings_domain::{
    error::Code,
    id::{TaskId, UserId},
    time::Timestamp,
};
use uuid::Uuid;

use super::{
    PostgresStore, db,
    job::News,
    queue::{PUSHES, kind},
};
use crate::{
    error::{Error, Result},
    store::{
        Posted, Push, PushMessage, Pushes, QueueDepth, SUBSCRIPTIONS_MAX, Subscription, Unsent,
    },
};

/// Of each subscription the first that waits, where nobody else has it in hand; without a notification
/// where nobody needs it any more.
pub(super) const CLAIM: &str = "\
WITH d AS (SELECT n FROM pushes p WHERE due_at <= $1 AND NOT aside AND NOT EXISTS (SELECT \
    FROM pushes o WHERE o.subscription = p.subscription AND o.n < p.n AND NOT o.aside) \
    ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED), \
m AS (UPDATE pushes SET due_at = $2 FROM d WHERE pushes.n = d.n RETURNING pushes.*) \
SELECT m.n, m.user_id, m.kind, m.created_at, m.attempts, s.id, s.endpoint, s.p256dh, s.auth, n.id, \
    n.title, n.body, n.task_id FROM m \
    JOIN push_subscriptions s ON s.id = m.subscription AND s.user_id = m.user_id \
    LEFT JOIN notifications n ON n.id = m.notification AND n.user_id = m.user_id \
    AND (n.read_at IS NULL OR n.read_at <= n.created_at) AND (n.kind <> 'reminder' OR EXISTS \
    (SELECT FROM tasks t WHERE t.user_id = n.user_id AND t.id = n.task_id \
    AND t.completed_at IS NULL AND t.deleted_at IS NULL)) ORDER BY m.n";
/// $1 user, $2 session. A person subscribes in one place at a time, and stays until it is kept.
pub(super) const SESSION: &str = "SELECT 1 FROM users u JOIN sessions s ON s.user_id = u.id \
     WHERE u.id = $1 AND s.token_hash = $2 FOR NO KEY UPDATE OF u FOR KEY SHARE OF s";
pub(super) const TAKE: &str =
    "DELETE FROM push_subscriptions WHERE endpoint = $2 AND user_id <> $1";
pub(super) const SUBSCRIBE: &str = "\
INSERT INTO push_subscriptions (user_id, session, endpoint, id, p256dh, auth, created_at) \
    VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (endpoint) DO UPDATE \
    SET session = excluded.session, p256dh = excluded.p256dh, auth = excluded.auth, \
    created_at = excluded.created_at WHERE push_subscriptions.user_id = excluded.user_id";
/// Those that are kept no longer.
pub(super) const CUT: &str = "DELETE FROM push_subscriptions WHERE id IN (SELECT id \
     FROM push_subscriptions WHERE user_id = $1 ORDER BY created_at DESC, id DESC OFFSET $2)";
pub(super) const FORGET: &str = "DELETE FROM push_subscriptions WHERE user_id = $1 AND id = $2";

#[async_trait]
impl Pushes for PostgresStore {
    async fn subscribe(&self, subscription: &Subscription) -> Result<()> {
        let s = subscription.clone();
        self.jobs
            .write(News::None, move |connection| {
                Box::pin(async move {
                    let user = s.user_id.0;
                    let there = sqlx::query(SESSION).bind(user).bind(s.session.as_slice());
                    let there = there.fetch_optional(&mut *connection).await.map_err(db)?;
                    there.ok_or(Code::Unauthenticated)?;
                    let take = sqlx::query(TAKE).bind(user).bind(&s.endpoint);
                    take.execute(&mut *connection).await.map_err(db)?;
                    sqlx::query(SUBSCRIBE)
                        .bind(user)
                        .bind(s.session.as_slice())
                        .bind(&s.endpoint)
                        .bind(s.id)
                        .bind(&s.p256dh)
                        .bind(&s.auth)
                        .bind(s.created_at.0)
                        .execute(&mut *connection)
                        .await
                        .map_err(db)?;
                    let cut = sqlx::query(CUT).bind(user).bind(SUBSCRIPTIONS_MAX as i64);
                    cut.execute(connection).await.map_err(db)?;
                    Ok(())
                })
            })
            .await
    }

    async fn unsubscribe_endpoint(&self, user: UserId, endpoint: &str) -> Result<bool> {
        let endpoint = endpoint.to_owned();
        self.jobs
            .write(News::None, move |connection| {
                Box::pin(async move {
                    let forget =
                        "DELETE FROM push_subscriptions WHERE user_id = $1 AND endpoint = $2";
                    let forget = sqlx::query(forget).bind(user.0).bind(endpoint);
                    let done = forget.execute(connection).await.map_err(db)?;
                    Ok(done.rows_affected() > 0)
                })
            })
            .await
    }

    async fn forget_subscription(&self, user: UserId, id: Uuid) -> Result<()> {
        self.jobs
            .write(News::None, move |connection| {
                Box::pin(async move {
                    let forget = sqlx::query(FORGET).bind(user.0).bind(id);
                    forget.execute(connection).await.map_err(db)?;
                    Ok(())
                })
            })
            .await
    }

    async fn claim_pushes(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<Push>> {
        self.jobs
            .write(News::None, move |connection| {
                Box::pin(async move {
                    let due = sqlx::query(CLAIM).bind(now.0).bind(until.0);
                    let due = due.bind(limit as i64).fetch_all(connection).await;
                    due.map_err(db)?.iter().map(push).collect()
                })
            })
            .await
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

/// Reads what [`CLAIM`] selects.
fn push(row: &PgRow) -> Result<Push> {
    let notification: Option<Uuid> = row.try_get(9).map_err(db)?;
    let message = |notification: Uuid| {
        let task: Option<Uuid> = row.try_get(12).map_err(db)?;
        Ok::<_, Error>(PushMessage {
            subscription: row.try_get(5).map_err(db)?,
            endpoint: row.try_get(6).map_err(db)?,
            p256dh: row.try_get(7).map_err(db)?,
            auth: row.try_get(8).map_err(db)?,
            notification,
            title: row.try_get(10).map_err(db)?,
            body: row.try_get(11).map_err(db)?,
            task_id: task.map(TaskId),
        })
    };
    Ok(Push {
        n: row.try_get(0).map_err(db)?,
        user_id: UserId(row.try_get(1).map_err(db)?),
        kind: kind(row, 2)?.ok_or_else(|| Error::internal("an unknown kind"))?,
        created_at: Timestamp(row.try_get(3).map_err(db)?),
        attempts: row.try_get(4).map_err(db)?,
        message: notification.map(message).transpose()?,
    })
}
