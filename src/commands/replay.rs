//! Makes a consumer's rows anew from the log, beside a running server.

use std::io::Write;

use clap::ValueEnum;
use tidings_domain::{event::EventType, id::UserId};

use super::Error;
use crate::{
    clock::Clock,
    consumers::{Delivery, Role, analytics, audit},
    error::{Error as Fault, Result as Done},
    store::Store,
};

/// Events that are handled at once.
const PAGE: usize = 256;

/// The consumers whose rows can be made anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Replayed {
    /// What statistics are counted from.
    Analytics,
    /// The audit trail: what it lacks is added, what it has stays.
    Audit,
}

impl Replayed {
    fn role(self) -> Role {
        match self {
            Self::Analytics => Role::Analytics,
            Self::Audit => Role::Audit,
        }
    }

    /// Whether it would have been delivered an event of this type.
    fn takes(self, event_type: &str) -> bool {
        let topics = EventType::parse(event_type).map_or(&[][..], EventType::topics);
        topics
            .iter()
            .any(|topic| self.role().topics().contains(topic))
    }
}

/// Hands the log to a consumer again, of everybody or of one person, a bounded part at a time. What is
/// delivered meanwhile has its effect once, before or after: which came first makes no difference.
///
/// # Errors
/// Where the store does not answer, or there is nobody to tell.
pub async fn replay(
    store: &dyn Store,
    clock: &dyn Clock,
    consumer: Replayed,
    user: Option<UserId>,
    out: &mut dyn Write,
) -> Result<(), Error> {
    make_way(store, consumer, user).await?;
    let (mut after, mut events) = (0, 0);
    loop {
        let page = store.log(user, after, PAGE).await?;
        let Some((last, _)) = page.last() else {
            break;
        };
        after = *last;
        let read = page.into_iter().map(|(_, json)| Delivery::read(json));
        let read: Vec<_> = read.collect::<Result<_, _>>().map_err(Fault::internal)?;
        let taken: Vec<_> = read
            .into_iter()
            .filter(|d| consumer.takes(&d.event_type))
            .collect();
        events += taken.len();
        match consumer {
            Replayed::Analytics => {
                let tallies = taken
                    .iter()
                    .map(analytics::tally)
                    .collect::<Done<Vec<_>>>()?;
                store.tally(&tallies, true).await?;
            }
            Replayed::Audit => {
                let recorded_at = clock.now();
                let entries = taken.iter().map(|d| audit::entry(d, recorded_at));
                store.record_audit(&Vec::from_iter(entries), true).await?;
            }
        }
    }
    writeln!(out, "{events} events were replayed")?;
    Ok(())
}

/// Removes what is in the way of a replay, a bounded part at a time.
async fn make_way(store: &dyn Store, consumer: Replayed, user: Option<UserId>) -> Done<()> {
    match consumer {
        Replayed::Analytics => {
            let mut last = None;
            while let Some(next) = store.mend_statistics(user, last, PAGE).await? {
                last = Some(next);
            }
        }
        Replayed::Audit => {
            let mut last = 0;
            while let Some(next) = store.mend_audit(user, last, PAGE).await? {
                last = next;
            }
        }
    }
    Ok(())
}
