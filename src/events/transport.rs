//! What carries events to consumers.

use async_trait::async_trait;
use tidings_domain::event::Topic;

use crate::store::OutboxRow;

/// What became of one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Published {
    /// It is safe with the other side.
    Taken,
    /// It failed for now, or an earlier one of the same person did; the same call may succeed later.
    Passing(String),
    /// It was not tried, and that is not its fault: there was no use or no time. It stays as it is.
    Untried,
    /// The other side does not take messages like this at all as it is set up: a wrong component,
    /// scope or topic. Tried again later, since people mend what they set up.
    Refused(String),
    /// It can never be taken, whatever is tried: too large, or dropped by its consumer.
    Unfit(String),
}

/// Carries events, at least once. Each row becomes a CloudEvent: its id is the event's, its source
/// [`tidings_domain::event::SOURCE`], and type, subject, time and data are the row's; the partition
/// is the person.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Whether one call takes a person's rows in the order given and none of them after one that
    /// failed. Where not, a call is given at most one row a person.
    fn keeps_order(&self) -> bool;

    /// Whether there is any use in calling it. Where not, rows stay as they are: nothing counts as a
    /// failure of theirs, and they go as soon as it opens.
    fn is_open(&self) -> bool {
        true
    }

    /// Publishes rows of one topic and says what became of each, in the order given. A call that
    /// failed as a whole says so of every row. It ends in well under the relay's lease.
    async fn publish(&self, topic: Topic, rows: &[OutboxRow]) -> Vec<Published>;
}
