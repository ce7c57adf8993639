//! Mail on its way out.

use async_trait::async_trait;
use sqlx::{Row, sqlite::SqliteRow};
use tidings_domain::{id::UserId, time::Timestamp};

use super::{
    SqliteStore, db, id,
    job::News,
    notices::keep,
    queue::{MAILS, kind},
};
use crate::{
    error::Result,
    store::{Mail, MailRow, Mails, Posted, QueueDepth, Receipt, Unsent, plan::Told},
};

pub(super) const DUE: &str = "SELECT m.n, m.id, m.user_id, m.kind, u.email, u.name, m.subject, \
     m.body, m.link, m.link_text, m.created_at, m.attempts, \
     m.kind IS 'reminder' AND t.id IS NULL FROM mails m \
     CROSS JOIN users u ON u.id = m.user_id \
     LEFT JOIN tasks t ON t.user_id = m.user_id AND t.id = m.task_id \
     AND t.completed_at IS NULL AND t.deleted_at IS NULL WHERE m.due_at <= ?1 AND m.aside = 0 \
     ORDER BY m.due_at LIMIT +?2";
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
        self.claim_due(&MAILS, DUE, now, until, limit, mail).await
    }

    async fn settle_mails(&self, mails: &[Posted]) -> Result<()> {
        self.settle(&MAILS, mails).await
    }

    async fn mail_depth(&self) -> Result<QueueDepth> {
        self.queue_depth(&MAILS).await
    }

    async fn mails_unsent(&self, after: i64, limit: usize) -> Result<Vec<Unsent>> {
        self.unsent(&MAILS, after, limit).await
    }

    async fn put_mails_back(&self, n: Option<i64>, now: Timestamp) -> Result<u64> {
        self.put_back(&MAILS, n, now).await
    }

    async fn drop_mails(&self, n: Option<i64>) -> Result<u64> {
        self.drop_unsent(&MAILS, n).await
    }

    async fn mail_secret(&self, fresh: &str) -> Result<String> {
        self.secret("mail_secret", fresh).await
    }
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
