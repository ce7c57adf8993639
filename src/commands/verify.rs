//! Whether what is stored agrees with itself.

use std::io::Write;

use super::Error;
use crate::store::{Findings, Store};

/// Holds tasks, log, outbox, inbox, audit trail and the index of search against each other; tells of
/// what is wrong, a line each, and of how much was looked at. Repairs nothing.
///
/// # Errors
/// Where something is wrong, or cannot be read or told.
pub async fn verify(store: &dyn Store, out: &mut dyn Write) -> Result<(), Error> {
    let Findings {
        users,
        events,
        tasks,
        unrecorded,
        faults,
    } = store.check().await?;
    for fault in &faults {
        writeln!(out, "wrong\t{fault}")?;
    }
    writeln!(
        out,
        "looked at\t{users} people, {events} events, {tasks} tasks"
    )?;
    if unrecorded > 0 {
        writeln!(
            out,
            "not in the audit trail\t{unrecorded} events that were published, or were not to be"
        )?;
    }
    match faults.len() {
        0 => Ok(()),
        count => Err(Error::Partly(format!("{count} things are wrong"))),
    }
}
