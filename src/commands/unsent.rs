//! Mail and pushes that could not be sent.

use std::io::Write;

use tidings_domain::{notice::Kind, time::Timestamp};

use super::{Count, Error, PAGE, Which, line, stamp};
use crate::store::Store;

/// What waits to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queue {
    /// By mail.
    Mails,
    /// To browsers.
    Pushes,
}

/// Tells of each row that could not be sent, whether it waits or was set aside, a line a row.
///
/// # Errors
/// Where they cannot be read or told.
pub async fn list_unsent(
    store: &dyn Store,
    queue: Queue,
    out: &mut dyn Write,
) -> Result<(), Error> {
    let mut after = 0;
    loop {
        let rows = match queue {
            Queue::Mails => store.mails_unsent(after, PAGE).await?,
            Queue::Pushes => store.pushes_unsent(after, PAGE).await?,
        };
        for row in &rows {
            let kind = row.kind.map_or("-", Kind::as_str);
            let (at, error) = (stamp(row.created_at), line(&row.error));
            let then = match row.again {
                Some(again) => format!("again {}", stamp(again)),
                None => "aside".into(),
            };
            writeln!(
                out,
                "{}\t{kind}\t{}\t{at}\t{} failures\t{then}\t{error}",
                row.n, row.user_id, row.attempts
            )?;
        }
        match rows.last() {
            Some(last) => after = last.n,
            None => return Ok(()),
        }
    }
}

/// Has rows that were set aside sent again.
///
/// # Errors
/// Where that cannot be done, or one is not there.
pub async fn retry_unsent(
    store: &dyn Store,
    queue: Queue,
    which: &Which,
    now: Timestamp,
    out: &mut dyn Write,
) -> Result<(), Error> {
    let mut count = Count::default();
    for id in which.ids() {
        let done = match queue {
            Queue::Mails => store.put_mails_back(id, now).await?,
            Queue::Pushes => store.put_pushes_back(id, now).await?,
        };
        count.add(id, done);
    }
    let words = match queue {
        Queue::Mails => "mails go again",
        Queue::Pushes => "pushes go again",
    };
    count.tell(words, out)
}

/// Removes rows that were set aside for good.
///
/// # Errors
/// As [`retry_unsent`].
pub async fn drop_unsent(
    store: &dyn Store,
    queue: Queue,
    which: &Which,
    out: &mut dyn Write,
) -> Result<(), Error> {
    let mut count = Count::default();
    for id in which.ids() {
        let done = match queue {
            Queue::Mails => store.drop_mails(id).await?,
            Queue::Pushes => store.drop_pushes(id).await?,
        };
        count.add(id, done);
    }
    let words = match queue {
        Queue::Mails => "mails were dropped",
        Queue::Pushes => "pushes were dropped",
    };
    count.tell(words, out)
}
