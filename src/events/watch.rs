//! Looks after the sidecar: whether it can be called, and whether it has what it should.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use super::standing::Standing;
use crate::{
    dapr::{Client, Metadata, Settings, Subscription},
    store::Outbox,
};

/// How often to ask a sidecar that answers, and one that does not.
const ASK: (Duration, Duration) = (Duration::from_secs(2), Duration::from_millis(500));

/// What a sidecar should have.
pub struct Wanted {
    components: Vec<String>,
    subscriptions: Vec<Subscription>,
}

impl Wanted {
    /// The components that are published to, and these subscriptions.
    pub fn new(settings: &Settings, subscriptions: Vec<Subscription>) -> Self {
        Self {
            components: vec![settings.pubsub.clone(), settings.broadcast.clone()],
            subscriptions,
        }
    }

    /// Components that a sidecar has not.
    pub fn components_missing(&self, metadata: &Metadata) -> Vec<String> {
        let loaded: BTreeSet<_> = metadata.components.iter().map(|c| &c.name).collect();
        let missing = self.components.iter();
        let missing = missing.filter(|name| !loaded.contains(name));
        missing.map(|name| format!("component {name}")).collect()
    }

    /// Subscriptions that a sidecar has not.
    pub fn subscriptions_missing(&self, metadata: &Metadata) -> Vec<String> {
        let missing = self.subscriptions.iter();
        let missing = missing.filter(|wanted| !metadata.subscriptions.contains(wanted));
        let words = |s: &Subscription| format!("subscription to {} of {}", s.topic, s.pubsub);
        missing.map(words).collect()
    }
}

/// Asks the sidecar how it is, until it is told to stop.
pub struct Watch {
    client: Client,
    outbox: Arc<dyn Outbox>,
    standing: Arc<Standing>,
    wanted: Wanted,
}

impl Watch {
    /// Keeps `standing` true of the sidecar that `client` calls, which should have what is wanted,
    /// and of the outbox that is published through it.
    pub fn new(
        client: Client,
        outbox: Arc<dyn Outbox>,
        wanted: Wanted,
        standing: Arc<Standing>,
    ) -> Self {
        Self {
            client,
            outbox,
            standing,
            wanted,
        }
    }

    /// Asks until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let mut before = Vec::new();
        loop {
            let wait = tokio::select! {
                () = stop.cancelled() => return,
                wait = self.ask(&mut before) => wait,
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Asks once; when to ask again. A sidecar answers before it has asked the app for its
    /// subscriptions, so only what is missing twice is missing.
    async fn ask(&self, before: &mut Vec<String>) -> Duration {
        if let Err(error) = self.client.outbound_health().await {
            self.standing.lost(&error.to_string());
            before.clear();
            return ASK.1;
        }
        self.standing.found();
        match self.client.metadata().await {
            Ok(metadata) => {
                let mut missing = self.wanted.components_missing(&metadata);
                missing.extend(self.wanted.subscriptions_missing(&metadata));
                if missing.is_empty() || missing == *before {
                    self.standing.lacks(missing.clone());
                }
                *before = missing;
            }
            Err(error) => self.standing.lacks(vec![error.to_string()]),
        }
        self.look_for_the_emptied().await;
        ASK.0
    }

    /// What failed here may have been published by another process, or be gone with its person.
    async fn look_for_the_emptied(&self) {
        if !self.standing.is_failing() {
            return;
        }
        // Should the database be away, others say so, and this one looks again soon.
        let depths = self.outbox.depth().await.unwrap_or_default();
        for depth in depths.iter().filter(|depth| depth.pending == 0) {
            self.standing.emptied(depth.topic);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dapr::Component;

    #[test]
    fn what_a_sidecar_lacks_is_named() {
        let settings = Settings::default();
        let wanted = |topic: &str| Subscription {
            pubsub: settings.pubsub.clone(),
            topic: topic.into(),
        };
        let subscriptions = vec![wanted("task-events"), wanted("user-events")];
        let sidecar = Wanted::new(&settings, subscriptions);
        let mut metadata = Metadata::default();
        metadata.components.push(Component {
            name: "todo-pubsub".into(),
            kind: "pubsub.redis".into(),
        });
        metadata.subscriptions.push(wanted("user-events"));
        let missing = sidecar.components_missing(&metadata);
        assert_eq!(missing, ["component todo-broadcast"]);
        let missing = sidecar.subscriptions_missing(&metadata);
        assert_eq!(missing, ["subscription to task-events of todo-pubsub"]);
    }
}
