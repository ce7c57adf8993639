//! Mail on its way out.

use async_trait::async_trait;
use sqlx::{Row, sqlite::SqliteRow};
use tidings_domain::{id::UserId, notice::Kind, time::Timestamp};

use super::{SqliteStore, db, id, job::News, notices::keep, to_json};
use crate::{
    error::Result,
    store::{AsideMail, Mail, MailDepth, MailRow, Mails, Posted, Receipt, plan::Told},
};

pub(super) const DUE: &str = "SELECT m.n, m.id, m.user_id, m.kind, u.email, u.name, m.subject, \
     m.body, m.link, m.link_text, m.created_at, m.attempts, \
     m.kind IS 'reminder' AND t.id IS NULL FROM mails m \
     CROSS JOIN users u ON u.id = m.user_id \
     LEFT JOIN tasks t ON t.user_id = m.user_id AND t.id = m.task_id \
     AND t.completed_at IS NULL AND t.deleted_at IS NULL WHERE m.due_at <= ?1 AND m.aside = 0 \
     ORDER BY m.due_at LIMIT ?2";
pub(super) const CLAIM: &str =
    "UPDATE mails SET due_at = ?2 WHERE n IN (SELECT value FROM json_each(?1))";
/// Mail that is done, and mail that is not, with when it is due again or null.
pub(super) const SETTLE: &str = "\
DELETE FROM mails WHERE n IN (SELECT value FROM json_each(?)); \
UPDATE mails SET attempts = attempts + 1, error = j.value->>2, aside = j.value->>1 IS NULL, \
    due_at = coalesce(j.value->>1, due_at) FROM json_each(?) j WHERE mails.n = j.value->>0";
/// Whether somebody is there.
pub(super) const PERSON: &str = "SELECT 1 FROM users WHERE id = ?1";
pub(super) const NOTE: &str = "INSERT INTO inbox (consumer, event_id, at) VALUES (?1, ?2, ?3) \
     ON CONFLICT DO NOTHING";

#[async_trait]
impl Mails for SqliteStore {
    async fn write_mail(&self, mail: &MailRow, receipt: Option<Receipt>) -> Result<()> {
        let (user, mail) = (mail.user_id, mail.clone());
        let now = self.ambient.clock.now();
        self.writer
            .write(News::None, move |connection| {
                Box::pin(async move {
                    let there = sqlx::query(PERSON).bind(user.to_string());
                    let there = there.fetch_optional(&mut *connection).await.map_err(db)?;
                    if there.is_none() {
                        return Ok(());
                    }
                    if let Some(receipt) = receipt {
                        let note = sqlx::query(NOTE).bind(receipt.consumer);
                        let note = note.bind(receipt.event_id.to_string()).bind(now.0);
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
        // Most often there is nothing, and then nothing need be written.
        let due = sqlx::query(DUE).bind(now.0).bind(1);
        let due = due.fetch_optional(&self.readers).await.map_err(db)?;
        if due.is_none() {
            return Ok(Vec::new());
        }
        self.writer
            .write(News::None, move |connection| {
                Box::pin(async move {
                    let due = sqlx::query(DUE).bind(now.0).bind(limit as i64);
                    let due = due.fetch_all(&mut *connection).await.map_err(db)?;
                    let mails = due.iter().map(mail).collect::<Result<Vec<_>>>()?;
                    let rows: Vec<_> = mails.iter().map(|mail| mail.n).collect();
                    let claim = sqlx::query(CLAIM).bind(to_json(&rows)?).bind(until.0);
                    claim.execute(connection).await.map_err(db)?;
                    Ok(mails)
                })
            })
            .await
    }

    async fn settle_mails(&self, mails: &[Posted]) -> Result<()> {
        let mut done = Vec::new();
        let mut left = Vec::new();
        for posted in mails {
            match posted {
                Posted::Done(n) => done.push(n),
                Posted::Retry { n, at, error } => left.push((n, Some(at.0), error)),
                Posted::Aside { n, error } => left.push((n, None, error)),
            }
        }
        let settle = sqlx::query(SETTLE)
            .bind(to_json(&done)?)
            .bind(to_json(&left)?);
        self.writer.execute(News::None, settle).await.map(drop)
    }

    async fn mail_depth(&self) -> Result<MailDepth> {
        let depth = "SELECT count(*), coalesce(sum(aside), 0) FROM mails";
        let row = sqlx::query(depth).fetch_one(&self.readers).await;
        let row = row.map_err(db)?;
        let (all, aside): (i64, i64) = (row.try_get(0).map_err(db)?, row.try_get(1).map_err(db)?);
        Ok(MailDepth {
            waiting: all - aside,
            aside,
        })
    }

    async fn mails_aside(&self, after: i64, limit: usize) -> Result<Vec<AsideMail>> {
        let rows = sqlx::query(
            "SELECT n, user_id, kind, created_at, attempts, coalesce(error, '') FROM mails \
             WHERE aside = 1 AND n > ?1 ORDER BY n LIMIT ?2",
        )
        .bind(after)
        .bind(limit as i64)
        .fetch_all(&self.readers)
        .await
        .map_err(db)?;
        let aside = |row: &SqliteRow| {
            Ok(AsideMail {
                n: row.try_get(0).map_err(db)?,
                user_id: UserId(id(row.try_get(1).map_err(db)?)?),
                kind: kind(row, 2)?,
                created_at: Timestamp(row.try_get(3).map_err(db)?),
                attempts: row.try_get(4).map_err(db)?,
                error: row.try_get(5).map_err(db)?,
            })
        };
        rows.iter().map(aside).collect()
    }

    async fn put_mails_back(&self, n: Option<i64>, now: Timestamp) -> Result<u64> {
        let back = "UPDATE mails SET aside = 0, attempts = 0, created_at = ?2, due_at = ?2 \
                    WHERE aside = 1 AND n = coalesce(?1, n)";
        let back = sqlx::query(back).bind(n).bind(now.0);
        self.writer.execute(News::None, back).await
    }

    async fn drop_mails(&self, n: Option<i64>) -> Result<u64> {
        let drop = "DELETE FROM mails WHERE aside = 1 AND n = coalesce(?1, n)";
        let drop = sqlx::query(drop).bind(n);
        self.writer.execute(News::None, drop).await
    }

    async fn mail_secret(&self, fresh: &str) -> Result<String> {
        let make =
            "INSERT INTO meta (key, value) VALUES ('mail_secret', ?1) ON CONFLICT DO NOTHING";
        let make = sqlx::query(make).bind(fresh.to_owned());
        self.writer
            .write(News::None, move |connection| {
                Box::pin(async move {
                    make.execute(&mut *connection).await.map_err(db)?;
                    let kept = "SELECT value FROM meta WHERE key = 'mail_secret'";
                    let kept = sqlx::query_scalar(kept).fetch_one(connection).await;
                    kept.map_err(db)
                })
            })
            .await
    }
}

fn kind(row: &SqliteRow, at: usize) -> Result<Option<Kind>> {
    let kind: Option<&str> = row.try_get(at).map_err(db)?;
    Ok(kind.and_then(Kind::parse))
}

/// Reads what [`DUE`] selects.
fn mail(row: &SqliteRow) -> Result<Mail> {
    Ok(Mail {
        n: row.try_get(0).map_err(db)?,
        id: id(row.try_get(1).map_err(db)?)?,
        user_id: UserId(id(row.try_get(2).map_err(db)?)?),
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
