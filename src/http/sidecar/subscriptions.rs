//! What the sidecar is to subscribe to for us.

use std::collections::BTreeSet;

use serde::Serialize;
use tidings_domain::event::Topic;

use crate::dapr::{self, Settings};

/// What the name of a topic's dead letters ends with.
pub const DEAD: &str = ".dlq";

/// A subscription, as Dapr wants it told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Subscription {
    /// The component.
    #[serde(rename = "pubsubname")]
    pub pubsub: String,
    /// The topic.
    pub topic: String,
    /// Where to deliver.
    pub routes: Route,
    /// Where what cannot be delivered goes.
    #[serde(rename = "deadLetterTopic", skip_serializing_if = "Option::is_none")]
    pub dead_letters: Option<String>,
}

impl Subscription {
    /// As a sidecar tells of it.
    pub fn told(&self) -> dapr::Subscription {
        dapr::Subscription {
            pubsub: self.pubsub.clone(),
            topic: self.topic.clone(),
        }
    }
}

/// The one route of a subscription.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Route {
    /// Its path.
    pub default: String,
}

/// Subscriptions to these topics and to the dead letters of those that are no broadcast: of what
/// every replica gets, none is missed.
pub fn subscriptions(topics: &BTreeSet<Topic>, settings: &Settings) -> Vec<Subscription> {
    let mut subscriptions = Vec::new();
    for topic in topics {
        let name = topic.as_str();
        let dead = [name, DEAD].concat();
        let (pubsub, dead) = match topic.is_broadcast() {
            true => (&settings.broadcast, None),
            false => (&settings.pubsub, Some(dead)),
        };
        subscriptions.push(Subscription {
            pubsub: pubsub.clone(),
            topic: name.to_owned(),
            routes: Route {
                default: format!("/events/{name}"),
            },
            dead_letters: dead.clone(),
        });
        subscriptions.extend(dead.map(|dead| Subscription {
            pubsub: pubsub.clone(),
            topic: dead,
            routes: Route {
                default: "/events/dead-letter".into(),
            },
            dead_letters: None,
        }));
    }
    subscriptions
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_topic_has_its_route_and_a_work_queue_its_dead_letters() {
        let topics = [Topic::TaskUpdates, Topic::UserEvents].into();
        let told = json!(subscriptions(&topics, &Settings::default()));
        let expected = json!([
            { "pubsubname": "todo-broadcast", "topic": "task-updates",
              "routes": { "default": "/events/task-updates" } },
            { "pubsubname": "todo-pubsub", "topic": "user-events",
              "routes": { "default": "/events/user-events" },
              "deadLetterTopic": "user-events.dlq" },
            { "pubsubname": "todo-pubsub", "topic": "user-events.dlq",
              "routes": { "default": "/events/dead-letter" } },
        ]);
        assert_eq!(told, expected);
    }
}
