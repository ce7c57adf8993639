//! Mail on its way out.

use async_trait::async_trait;
use sqlx::{Row, postgres::PgRow};
use tidings_domain::{id::UserId, notice::Kind, time::Timestamp};

use super::{PostgresStore, db, job::News, notices::keep, storable};
use crate::{
    error::Result,
    store::{AsideMail, Mail, MailDepth, MailRow, Mails, Posted, Receipt, plan::Told},
};

/// Of what is due, that which nobody else has in hand.
pub(super) const CLAIM: &str = "\
WITH d AS (SELECT n FROM mails WHERE due_at <= $1 AND NOT aside ORDER BY due_at LIMIT $3 \
    FOR UPDATE SKIP LOCKED), \
m AS (UPDATE mails SET due_at = $2 FROM d WHERE mails.n = d.n RETURNING mails.*) \
SELECT m.n, m.id, m.user_id, m.kind, u.email, u.name, m.subject, m.body, m.link, m.link_text, \
    m.created_at, m.attempts, m.kind IS NOT DISTINCT FROM 'reminder' AND t.id IS NULL \
    FROM m JOIN users u ON u.id = m.user_id \
    LEFT JOIN tasks t ON t.user_id = m.user_id AND t.id = m.task_id \
    AND t.completed_at IS NULL AND t.deleted_at IS NULL ORDER BY m.n";
/// $1 mail that is done, $2 to $4 mail that is not, with when it is due again or null.
pub(super) const SETTLE: &str = "\
WITH d AS (DELETE FROM mails WHERE n = ANY ($1::int8[])) \
UPDATE mails SET attempts = attempts + 1, error = j.error, aside = j.due_at IS NULL, \
    due_at = coalesce(j.due_at, mails.due_at) \
    FROM unnest($2::int8[], $3::int8[], $4::text[]) j (n, due_at, error) WHERE mails.n = j.n";
/// Whether somebody is there, who stays until the mail is kept.
pub(super) const PERSON: &str = "SELECT 1 FROM users WHERE id = $1 FOR KEY SHARE";
pub(super) const NOTE: &str = "INSERT INTO inbox (consumer, event_id, at) VALUES ($1, $2, $3) \
     ON CONFLICT DO NOTHING";

#[async_trait]
impl Mails for PostgresStore {
    async fn write_mail(&self, mail: &MailRow, receipt: Option<Receipt>) -> Result<()> {
        let (user, mail) = (mail.user_id, mail.clone());
        let now = self.ambient.clock.now();
        self.jobs
            .write(News::None, move |connection| {
                Box::pin(async move {
                    let there = sqlx::query(PERSON).bind(user.0);
                    let there = there.fetch_optional(&mut *connection).await.map_err(db)?;
                    if there.is_none() {
                        return Ok(());
                    }
                    if let Some(receipt) = receipt {
                        let note = sqlx::query(NOTE).bind(receipt.consumer);
                        let note = note.bind(receipt.event_id.0).bind(now.0);
                        let noted = note.execute(&mut *connection).await.map_err(db)?;
                        if noted.rows_affected() == 0 {
                            return Ok(());
                        }
                    }
                    let told = Told {
                        mails: vec![mail],
                        ..Told::default()
                    };
                    keep(connection, &told).await
                })
            })
            .await
    }

    async fn claim_mails(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<Mail>> {
        self.jobs
            .write(News::None, move |connection| {
                Box::pin(async move {
                    let due = sqlx::query(CLAIM).bind(now.0).bind(until.0);
                    let due = due.bind(limit as i64).fetch_all(connection).await;
                    due.map_err(db)?.iter().map(mail).collect()
                })
            })
            .await
    }

    async fn settle_mails(&self, mails: &[Posted]) -> Result<()> {
        let mut done = Vec::new();
        let (mut left, mut due, mut errors) = (Vec::new(), Vec::new(), Vec::new());
        for posted in mails {
            let (n, at, error) = match posted {
                Posted::Done(n) => {
                    done.push(*n);
                    continue;
                }
                Posted::Retry { n, at, error } => (*n, Some(at.0), error),
                Posted::Aside { n, error } => (*n, None, error),
            };
            left.push(n);
            due.push(at);
            errors.push(storable(error));
        }
        self.jobs
            .write(News::None, move |connection| {
                Box::pin(async move {
                    let settle = sqlx::query(SETTLE).bind(done).bind(left);
                    let settle = settle.bind(due).bind(errors).execute(connection).await;
                    settle.map_err(db)?;
                    Ok(())
                })
            })
            .await
    }

    async fn mail_depth(&self) -> Result<MailDepth> {
        let depth = "SELECT count(*) FILTER (WHERE NOT aside), count(*) FILTER (WHERE aside) \
                     FROM mails";
        let row = sqlx::query(depth).fetch_one(&self.pool).await;
        let row = row.map_err(db)?;
        Ok(MailDepth {
            waiting: row.try_get(0).map_err(db)?,
            aside: row.try_get(1).map_err(db)?,
        })
    }

    async fn mails_aside(&self, after: i64, limit: usize) -> Result<Vec<AsideMail>> {
        let rows = sqlx::query(
            "SELECT n, user_id, kind, created_at, attempts, coalesce(error, '') FROM mails \
             WHERE aside AND n > $1 ORDER BY n LIMIT $2",
        )
        .bind(after)
        .bind(limit as i64)
        .fetch_all(&self.pool)
        .await
        .map_err(db)?;
        let aside = |row: &PgRow| {
            Ok(AsideMail {
                n: row.try_get(0).map_err(db)?,
                user_id: UserId(row.try_get(1).map_err(db)?),
                kind: kind(row, 2)?,
                created_at: Timestamp(row.try_get(3).map_err(db)?),
                attempts: row.try_get(4).map_err(db)?,
                error: row.try_get(5).map_err(db)?,
            })
        };
        rows.iter().map(aside).collect()
    }

    async fn put_mails_back(&self, n: Option<i64>, now: Timestamp) -> Result<u64> {
        self.jobs
            .write(News::None, move |connection| {
                Box::pin(async move {
                    let back = "UPDATE mails SET aside = false, attempts = 0, created_at = $2, due_at = $2 \
                                WHERE aside AND n = coalesce($1, n)";
                    let back = sqlx::query(back).bind(n).bind(now.0);
                    let done = back.execute(connection).await.map_err(db)?;
                    Ok(done.rows_affected())
                })
            })
            .await
    }

    async fn drop_mails(&self, n: Option<i64>) -> Result<u64> {
        self.jobs
            .write(News::None, move |connection| {
                Box::pin(async move {
                    let drop = "DELETE FROM mails WHERE aside AND n = coalesce($1, n)";
                    let done = sqlx::query(drop).bind(n).execute(connection).await;
                    Ok(done.map_err(db)?.rows_affected())
                })
            })
            .await
    }

    async fn mail_secret(&self, fresh: &str) -> Result<String> {
        let fresh = fresh.to_owned();
        self.jobs
            .write(News::None, move |connection| {
                Box::pin(async move {
                    let make = "INSERT INTO meta (key, value) VALUES ('mail_secret', $1) \
                                ON CONFLICT DO NOTHING";
                    let make = sqlx::query(make).bind(fresh).execute(&mut *connection);
                    make.await.map_err(db)?;
                    let kept = "SELECT value FROM meta WHERE key = 'mail_secret'";
                    let kept = sqlx::query_scalar(kept).fetch_one(connection).await;
                    kept.map_err(db)
                })
            })
            .await
    }
}

fn kind(row: &PgRow, at: usize) -> Result<Option<Kind>> {
    let kind: Option<&str> = row.try_get(at).map_err(db)?;
    Ok(kind.and_then(Kind::parse))
}

/// Reads what [`CLAIM`] selects.
fn mail(row: &PgRow) -> Result<Mail> {
    Ok(Mail {
        n: row.try_get(0).map_err(db)?,
        id: row.try_get(1).map_err(db)?,
        user_id: UserId(row.try_get(2).map_err(db)?),
        kind: kind(row, 3)?,
        email: row.try_get(4).map_err(db)?,
        name: row.try_get(5).map_err(db)?,
        subject: row.try_get(6).map_err(db)?,
        body: row.try_get(7).map_err(db)?,
        link: row.try_get(8).map_err(db)?,
        link_text: row.try_get(9).map_err(db)?,
        created_at: Timestamp(row.try_get(10).map_err(db)?),
        attempts: row.try_get(11).map_err(db)?,
        moot: row.try_get(12).map_err(db)?,
    })
}
