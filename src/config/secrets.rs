//! Secrets that a sidecar's store has, read once at start.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::ConfigFault;
use crate::dapr::{Client, Error, Settings};

/// How long to wait for the sidecar, which starts at the same time.
const PATIENCE: Duration = Duration::from_secs(60);
/// From one question to the next.
const AGAIN: Duration = Duration::from_millis(200);
/// What a store answers that does not have a secret, or does not show it.
const NOT_THERE: &str = "ERR_SECRET_GET";

/// A way to the store.
pub(super) struct Secrets {
    client: Client,
    store: String,
}

impl Secrets {
    /// Waits until the sidecar can be asked; nothing where no store is set.
    pub(super) async fn open(settings: &Settings) -> Result<Option<Self>, ConfigFault> {
        let Some(store) = settings.secret_store.clone() else {
            return Ok(None);
        };
        let client = Client::new(settings).map_err(fault)?;
        let deadline = Instant::now() + PATIENCE;
        while let Err(error) = client.outbound_health().await {
            if Instant::now() > deadline {
                return Err(fault(error));
            }
            sleep(AGAIN).await;
        }
        Ok(Some(Self { client, store }))
    }

    /// Puts a secret in the place of what the environment said, if the store has it: the part of
    /// the same name, or the only one.
    pub(super) async fn fill(
        &self,
        name: &'static str,
        value: &mut String,
    ) -> Result<(), ConfigFault> {
        let mut parts = match self.client.secret(&self.store, name).await {
            Ok(parts) => parts,
            Err(error) if is_missing(&error) => return Ok(()),
            Err(error) => return Err(fault(error)),
        };
        let one = parts.remove(name);
        if let Some(secret) = one.or_else(|| parts.into_values().next())
            && !secret.is_empty()
        {
            *value = secret;
        }
        Ok(())
    }
}

fn is_missing(error: &Error) -> bool {
    use crate::dapr::Fault::Answered;
    matches!(&error.fault, Answered { status, code, .. } if *status == 404 || code == NOT_THERE)
}

fn fault(error: impl ToString) -> ConfigFault {
    ConfigFault {
        variable: "DAPR_SECRET_STORE",
        words: error.to_string(),
    }
}
