//! Mail on its way out.

use async_trait::async_trait;
use tidings_domain::{id::UserId, notice::Kind, time::Timestamp};
use uuid::Uuid;

use super::{MailRow, Posted, QueueDepth, Receipt, Unsent};
use crate::error::Result;

/// A mail that is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// The row.
    pub n: i64,
    /// The same however often it is sent.
    pub id: Uuid,
    /// To whom.
    pub user_id: UserId,
    /// What it is about, and may be unsubscribed from.
    pub kind: Option<Kind>,
    /// Their address.
    pub email: String,
    /// Their name.
    pub name: String,
    /// Its subject.
    pub subject: String,
    /// Its text, without greeting or footer.
    pub body: String,
    /// A path of ours where it goes on.
    pub link: String,
    /// What the link says.
    pub link_text: String,
    /// When it was written, or put back.
    pub created_at: Timestamp,
    /// How often it could not be sent.
    pub attempts: i64,
    /// Whether it reminds of a task that is not open any more: nobody needs it.
    pub moot: bool,
}

/// Mail.
#[async_trait]
pub trait Mails: Send + Sync {
    /// Keeps a mail until it is sent. With a receipt, once: it is noted in the inbox in the same
    /// transaction, and what is noted there already writes nothing. Nor does what is for somebody who
    /// is gone.
    async fn write_mail(&self, mail: &MailRow, receipt: Option<Receipt>) -> Result<()>;
    /// Mail that is due at `now`, the longest first, at most `limit`. Nobody else gets it before
    /// `until`, nor after that if it was settled.
    async fn claim_mails(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<Mail>>;
    /// Writes down what became of mail.
    async fn settle_mails(&self, mails: &[Posted]) -> Result<()>;
    /// How much there is.
    async fn mail_depth(&self) -> Result<QueueDepth>;
    /// Mail that could not be sent, after a row: what waits to be tried again, and what was set aside.
    async fn mails_unsent(&self, after: i64, limit: usize) -> Result<Vec<Unsent>>;
    /// Has mail that was set aside sent again (`None`: all), as if it were written now, so that it is
    /// tried for as long as any; how many.
    async fn put_mails_back(&self, n: Option<i64>, now: Timestamp) -> Result<u64>;
    /// Removes mail that was set aside for good (`None`: all); how many.
    async fn drop_mails(&self, n: Option<i64>) -> Result<u64>;
    /// The secret that links in mail are signed with: `fresh`, the first time, and then the same.
    async fn mail_secret(&self, fresh: &str) -> Result<String>;
}
