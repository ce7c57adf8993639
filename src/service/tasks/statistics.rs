//! What a person got done.

use tidings_domain::{
    statistics::{Statistics, since},
    time::TzDatabase,
    view::Here,
};

use super::Tasks;
use crate::{auth::Actor, error::Result};

impl Tasks {
    /// The statistics of so many days up to today, in the person's zone as it is now.
    ///
    /// # Errors
    /// Only the store's.
    pub async fn statistics(&self, actor: &Actor, days: u16) -> Result<Statistics> {
        let here = Here::at(&actor.user.time_zone, self.now(), &TzDatabase);
        let counted = self
            .store
            .counted(actor.user.id, since(days, &here))
            .await?;
        Ok(Statistics::of(&counted, days, &here))
    }
}
