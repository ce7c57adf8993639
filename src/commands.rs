//! What operators do beside a running server: look at what was set aside, try it again, drop it.

mod backup;
mod doctor;
mod replay;
mod unsent;
mod verify;

use std::io::{self, Write};

use tidings_domain::{id::UserId, time::Timestamp};

use crate::{
    consumers::{Consumers, Delivery, Verdict, Why},
    store::{DeadLetter, DeadLetters, OutboxAside},
};

pub use self::{
    backup::{backup, restore},
    doctor::{Nobody, doctor},
    replay::{Replayed, replay},
    unsent::{Queue, drop_unsent, list_unsent, retry_unsent},
    verify::verify,
};

/// Rows read at once.
const PAGE: usize = 100;
/// Characters of an error that are shown.
const SHOWN: usize = 200;

/// Which of the things that were set aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// All.
    All,
    /// These.
    These(Vec<i64>),
}

impl Which {
    /// The arguments for a store, one a call.
    fn ids(&self) -> Vec<Option<i64>> {
        match self {
            Self::All => vec![None],
            Self::These(ids) => ids.iter().copied().map(Some).collect(),
        }
    }
}

/// Why a command ended badly.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store does not answer.
    #[error(transparent)]
    Store(#[from] crate::error::Error),
    /// There is no backup, or it is not restored.
    #[error(transparent)]
    Backup(#[from] crate::store::BackupError),
    /// There is nobody to tell.
    #[error(transparent)]
    Output(#[from] io::Error),
    /// Part of it could not be done.
    #[error("{0}")]
    Partly(String),
}

/// Tells of each row of the outbox that was set aside, a line a row.
///
/// # Errors
/// Where they cannot be read or told.
pub async fn list_outbox(store: &dyn OutboxAside, out: &mut dyn Write) -> Result<(), Error> {
    let mut after = 0;
    loop {
        let rows = store.aside(after, PAGE).await?;
        for row in &rows {
            let user = owner(row.user_id);
            let (topic, error) = (row.topic.as_str(), line(&row.error));
            writeln!(
                out,
                "{}\t{topic}\t{}\t{}\t{user}\t{} failures\t{error}",
                row.id, row.event_type, row.event_id, row.attempts
            )?;
        }
        match rows.last() {
            Some(last) => after = last.id,
            None => return Ok(()),
        }
    }
}

/// Puts rows back in their places in the outbox.
///
/// # Errors
/// Where that cannot be done, or one is not there.
pub async fn retry_outbox(
    store: &dyn OutboxAside,
    which: &Which,
    out: &mut dyn Write,
) -> Result<(), Error> {
    let mut count = Count::default();
    for id in which.ids() {
        count.add(id, store.put_back(id).await?);
    }
    count.tell("rows go again", out)
}

/// Removes rows from the outbox for good.
///
/// # Errors
/// As [`retry_outbox`].
pub async fn drop_outbox(
    store: &dyn OutboxAside,
    which: &Which,
    out: &mut dyn Write,
) -> Result<(), Error> {
    let mut count = Count::default();
    for id in which.ids() {
        count.add(id, store.drop_aside(id).await?);
    }
    count.tell("rows were dropped", out)
}

/// Tells of each dead letter, a line a letter.
///
/// # Errors
/// Where they cannot be read or told.
pub async fn list_letters(store: &dyn DeadLetters, out: &mut dyn Write) -> Result<(), Error> {
    let mut after = 0;
    loop {
        let letters = store.letters(after, PAGE).await?;
        for letter in &letters {
            let consumer = letter.consumer.as_deref().unwrap_or("-");
            let error = line(letter.error.as_deref().unwrap_or("-"));
            writeln!(
                out,
                "{}\t{}\t{}\t{}\t{consumer}\t{error}",
                letter.id,
                letter.topic.as_str(),
                line(&letter.event_id),
                stamp(letter.received_at)
            )?;
        }
        match letters.last() {
            Some(last) => after = last.id,
            None => return Ok(()),
        }
    }
}

/// Hands dead letters to the consumers again; what they handle is no dead letter any more.
///
/// # Errors
/// Where one is not there, or is not handled.
pub async fn retry_letters(
    store: &dyn DeadLetters,
    consumers: &Consumers,
    which: &Which,
    out: &mut dyn Write,
) -> Result<(), Error> {
    let mut after = 0;
    let mut count = Count::default();
    let mut waiting = match which {
        Which::All => None,
        Which::These(ids) => Some(ids.clone()),
    };
    loop {
        let letters = store.letters(after, PAGE).await?;
        let Some(last) = letters.last() else {
            break;
        };
        after = last.id;
        for letter in &letters {
            if let Some(ids) = &mut waiting {
                let before = ids.len();
                ids.retain(|id| *id != letter.id);
                if ids.len() == before {
                    continue;
                }
            }
            match hand_over(consumers, letter).await {
                Verdict::Success => count.add(None, store.drop_letters(Some(letter.id)).await?),
                Verdict::Retry(why) | Verdict::Drop(why) => {
                    store
                        .letter_failed(letter.id, why.consumer, &why.error)
                        .await?;
                    count.failed.push(format!("{}: {why}", letter.id));
                }
            }
        }
    }
    for id in waiting.unwrap_or_default() {
        count.add(Some(id), 0);
    }
    count.tell("letters were handled", out)
}

/// Removes dead letters for good.
///
/// # Errors
/// Where that cannot be done, or one is not there.
pub async fn drop_letters(
    store: &dyn DeadLetters,
    which: &Which,
    out: &mut dyn Write,
) -> Result<(), Error> {
    let mut count = Count::default();
    for id in which.ids() {
        count.add(id, store.drop_letters(id).await?);
    }
    count.tell("letters were dropped", out)
}

async fn hand_over(consumers: &Consumers, letter: &DeadLetter) -> Verdict {
    match Delivery::read_cloud_event(letter.payload.as_bytes()) {
        Ok(delivery) => {
            let verdicts = consumers.deliver(letter.topic, &[delivery]).await;
            verdicts.into_iter().next().unwrap_or(Verdict::Success)
        }
        Err(error) => Verdict::Drop(Why::unread(format!("no event: {error}"))),
    }
}

/// What was done.
#[derive(Default)]
struct Count {
    done: u64,
    failed: Vec<String>,
}

impl Count {
    fn add(&mut self, id: Option<i64>, done: u64) {
        self.done += done;
        if let (Some(id), 0) = (id, done) {
            self.failed.push(format!("{id}: there is no such"));
        }
    }

    fn tell(self, words: &str, out: &mut dyn Write) -> Result<(), Error> {
        writeln!(out, "{} {words}", self.done)?;
        if self.failed.is_empty() {
            Ok(())
        } else {
            Err(Error::Partly(self.failed.join("\n")))
        }
    }
}

fn owner(user: Option<UserId>) -> String {
    user.map_or_else(|| "-".into(), |user| user.to_string())
}

fn stamp(at: Timestamp) -> String {
    at.to_string()
}

/// In one line, and not without end.
fn line(text: &str) -> String {
    let visible = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().take(SHOWN).map(visible).collect()
}
