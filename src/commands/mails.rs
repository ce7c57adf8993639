//! Mail that was set aside.

use std::io::Write;

use tidings_domain::{notice::Kind, time::Timestamp};

use super::{Count, Error, PAGE, Which, line, stamp};
use crate::store::Mails;

/// Tells of each mail that was set aside, a line a mail.
///
/// # Errors
/// Where they cannot be read or told.
pub async fn list_mails(store: &dyn Mails, out: &mut dyn Write) -> Result<(), Error> {
    let mut after = 0;
    loop {
        let mails = store.mails_aside(after, PAGE).await?;
        for mail in &mails {
            let kind = mail.kind.map_or("-", Kind::as_str);
            let (at, error) = (stamp(mail.created_at), line(&mail.error));
            writeln!(
                out,
                "{}\t{kind}\t{}\t{at}\t{} failures\t{error}",
                mail.n, mail.user_id, mail.attempts
            )?;
        }
        match mails.last() {
            Some(last) => after = last.n,
            None => return Ok(()),
        }
    }
}

/// Has mail sent again.
///
/// # Errors
/// Where that cannot be done, or one is not there.
pub async fn retry_mails(
    store: &dyn Mails,
    which: &Which,
    now: Timestamp,
    out: &mut dyn Write,
) -> Result<(), Error> {
    let mut count = Count::default();
    for id in which.ids() {
        count.add(id, store.put_mails_back(id, now).await?);
    }
    count.tell("mails go again", out)
}

/// Removes mail for good.
///
/// # Errors
/// As [`retry_mails`].
pub async fn drop_mails(
    store: &dyn Mails,
    which: &Which,
    out: &mut dyn Write,
) -> Result<(), Error> {
    let mut count = Count::default();
    for id in which.ids() {
        count.add(id, store.drop_mails(id).await?);
    }
    count.tell("mails were dropped", out)
}
