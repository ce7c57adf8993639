//! The Dapr sidecar, by its HTTP API. Nothing else here knows where it is or how it is asked, and
//! no client of a broker is ever needed.

mod client;
mod error;
mod pubsub;
mod sidecar;
mod state;

pub use self::{
    client::Client,
    error::{Error, Fault},
    pubsub::Message,
    sidecar::{Component, Metadata, Subscription},
    state::Item,
};

/// Where the sidecar is, and what its components are called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Its host.
    pub host: String,
    /// Its HTTP port.
    pub port: u16,
    /// The work queue: of the replicas, one gets each message.
    pub pubsub: String,
    /// The broadcast: every replica gets each message.
    pub broadcast: String,
    /// What may be lost.
    pub state_store: String,
    /// Where secrets are read from at start, if from anywhere.
    pub secret_store: Option<String>,
    /// What the sidecar knows us by, if by anything.
    pub api_token: Option<Token>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            host: "localhost".into(),
            port: 3500,
            pubsub: "todo-pubsub".into(),
            broadcast: "todo-broadcast".into(),
            state_store: "todo-state".into(),
            secret_store: None,
            api_token: None,
        }
    }
}

/// A token between us and the sidecar. It is in no log.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// The header that tokens travel in, both ways.
    pub const HEADER: &str = "dapr-api-token";

    /// This text, if a header can hold it.
    pub fn new(text: &str) -> Option<Self> {
        let visible = !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
        visible.then(|| Self(text.to_owned()))
    }

    /// Compares in a time that tells nothing of where they differ.
    pub fn is(&self, other: &[u8]) -> bool {
        use subtle::ConstantTimeEq;
        self.0.as_bytes().ct_eq(other).into()
    }

    fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests;
