//! Whether processes of one app id run the same roles. They share its consumer group, so that of two
//! with different ones each would be handed what only the other handles. Whoever comes first notes its
//! roles in the sidecar's state store, where they stay as long as it goes on; the others compare.

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use super::standing::Standing;
use crate::{
    consumers::Roles,
    dapr::{Client, Error, Settings},
};

/// From one look to the next.
const LOOK: Duration = Duration::from_secs(20);
/// How long a note is kept that nobody renews.
const KEPT: Duration = Duration::from_secs(60);
/// How long to wait for a sidecar that is not there yet.
const AGAIN: Duration = Duration::from_millis(500);

/// Compares the roles of this process with what others noted, until it is told to stop.
pub struct Roster {
    client: Client,
    /// The state store.
    store: String,
    roles: String,
    standing: Arc<Standing>,
}

impl Roster {
    /// Keeps `standing` true of the roles of others.
    pub fn new(
        client: Client,
        settings: &Settings,
        roles: &Roles,
        standing: Arc<Standing>,
    ) -> Self {
        Self {
            client,
            store: settings.state_store.clone(),
            roles: roles.to_string(),
            standing,
        }
    }

    /// Compares until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let look = async {
            loop {
                let wait = match self.standing.is_open() {
                    true => self.look().await,
                    false => AGAIN,
                };
                tokio::time::sleep(wait).await;
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = look => {}
        }
    }

    /// Looks once; when to look again. Without a state store there is nothing to compare.
    async fn look(&self) -> Duration {
        match self.others().await {
            Ok(others) => self.standing.others(others),
            Err(error) => tracing::debug!(%error, "roles were not compared"),
        }
        LOOK
    }

    /// The roles that others noted, where they are not ours. Else they are noted, for a while.
    async fn others(&self) -> Result<Option<String>, Error> {
        let app = self.client.metadata().await?.id;
        let (store, key) = (&self.store, format!("roles-{app}"));
        let noted = self.client.state::<String>(store, &key).await?;
        let etag = match &noted {
            Some(noted) if noted.value != self.roles => return Ok(Some(noted.value.clone())),
            Some(noted) => Some(&*noted.etag),
            None => None,
        };
        // Where another was first, the next look tells.
        let save = self
            .client
            .save_state(store, &key, &self.roles, etag, Some(KEPT));
        save.await?;
        Ok(None)
    }
}
