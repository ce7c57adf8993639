//! The person's own audit trail.

use tidings_domain::{event::EventType, trail::Entry};

use super::{Accounts, seen};
use crate::{auth::Actor, error::Result, store::TrailQuery};

impl Accounts {
    /// Rows of what was recorded of this person, the newest first.
    ///
    /// # Errors
    /// `forbidden` for a personal token, or those of the store.
    pub async fn trail(&self, actor: &Actor, query: &TrailQuery) -> Result<Vec<Entry>> {
        actor.session()?;
        self.store.trail(actor.user.id, query).await
    }

    /// Notes that this person takes a copy of data of theirs.
    ///
    /// # Errors
    /// `forbidden` for a personal token, or those of the store.
    pub async fn exported(&self, actor: &Actor) -> Result<()> {
        actor.session()?;
        let data = seen(Some(actor.user.id), &actor.caller);
        let event = self.by(EventType::DataExported, actor, data);
        self.store.record(&event).await
    }
}
