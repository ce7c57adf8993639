//! What the sidecar knows: its own health, its components and subscriptions, secrets.

use std::collections::HashMap;

use http::Method;
use serde::Deserialize;

use super::{Client, Error, client::Call};

/// What a sidecar says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Metadata {
    /// The app's id.
    pub id: String,
    /// The sidecar's version.
    #[serde(rename = "runtimeVersion", default)]
    pub version: String,
    /// What it loaded.
    #[serde(default)]
    pub components: Vec<Component>,
    /// What it subscribed to for the app.
    #[serde(default)]
    pub subscriptions: Vec<Subscription>,
}

/// A component that a sidecar loaded.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Component {
    /// Its name.
    pub name: String,
    /// Its type, such as `pubsub.redis`.
    #[serde(rename = "type")]
    pub kind: String,
}

/// A subscription of the app.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Subscription {
    /// The component.
    #[serde(rename = "pubsubname")]
    pub pubsub: String,
    /// The topic.
    pub topic: String,
}

impl Client {
    /// Asks whether the sidecar can take calls. One try: who asks, asks again.
    ///
    /// # Errors
    /// Where it cannot, or does not say.
    pub async fn outbound_health(&self) -> Result<(), Error> {
        let path = ["healthz", "outbound"];
        let call = Call::new("health", "the sidecar", Method::GET, &path);
        let mut once = self.clone();
        once.pace.tries = 1;
        once.call(&call).await.map(drop)
    }

    /// Asks for what the sidecar knows.
    ///
    /// # Errors
    /// Where it does not say.
    pub async fn metadata(&self) -> Result<Metadata, Error> {
        let call = Call::new("metadata", "the sidecar", Method::GET, &["metadata"]);
        call.read(&self.call(&call).await?)
    }

    /// Reads a secret, which may have several named parts.
    ///
    /// # Errors
    /// Where the store does not tell it.
    pub async fn secret(&self, store: &str, key: &str) -> Result<HashMap<String, String>, Error> {
        let path = ["secrets", store, key];
        let call = Call::new("secret", store, Method::GET, &path);
        call.read(&self.call(&call).await?)
    }
}
