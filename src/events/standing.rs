//! How publishing stands: what an operator is told, in `/readyz`, by metrics and, once, in the log.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::Serialize;
use tidings_domain::event::Topic;
use tokio::time::Instant;

/// How long a topic pauses at first, and at most.
const PAUSE: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(60));

/// How publishing through a sidecar stands.
#[derive(Debug, Default)]
pub struct Standing(Mutex<Now>);

#[derive(Debug, Default)]
struct Now {
    sidecar: Sidecar,
    paused: BTreeMap<Topic, Pause>,
    failing: BTreeMap<Topic, String>,
    missing: Vec<String>,
    others: Option<String>,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Sidecar {
    /// Nobody has asked yet.
    #[default]
    Unknown,
    Here,
    Away(String),
}

#[derive(Debug)]
struct Pause {
    why: String,
    until: Instant,
    /// How long the next one is.
    next: Duration,
}

/// What there is to tell.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Why the sidecar cannot be reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sidecar: Option<String>,
    /// Topics that pause, and why: a wrong component, scope or topic.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub paused: BTreeMap<&'static str, String>,
    /// Topics that take nothing for now, and why: a broker that is away.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub failing: BTreeMap<&'static str, String>,
    /// What the sidecar should have and has not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// The roles of other processes of this app id, where they are not ours: each may be handed what
    /// only the other handles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_roles: Option<String>,
}

impl Report {
    /// Whether all is well.
    pub fn is_fine(&self) -> bool {
        *self == Self::default()
    }
}

impl Standing {
    /// How it stands now.
    pub fn report(&self) -> Report {
        let now = self.now();
        let paused = now.paused.iter();
        Report {
            sidecar: match &now.sidecar {
                Sidecar::Unknown => Some("not reached yet".into()),
                Sidecar::Here => None,
                Sidecar::Away(why) => Some(why.clone()),
            },
            paused: paused
                .map(|(topic, pause)| (topic.as_str(), pause.why.clone()))
                .collect(),
            failing: (now.failing.iter())
                .map(|(topic, why)| (topic.as_str(), why.clone()))
                .collect(),
            missing: now.missing.clone(),
            other_roles: now.others.clone(),
        }
    }

    /// Whether the sidecar can be called.
    pub fn is_open(&self) -> bool {
        self.now().sidecar == Sidecar::Here
    }

    /// The sidecar cannot be reached.
    pub fn lost(&self, why: &str) {
        let mut now = self.now();
        if !matches!(now.sidecar, Sidecar::Away(_)) {
            tracing::warn!(
                why,
                "the sidecar is out of reach; events wait in the outbox"
            );
        }
        now.sidecar = Sidecar::Away(why.to_owned());
    }

    /// The sidecar answers.
    pub fn found(&self) {
        let mut now = self.now();
        if now.sidecar != Sidecar::Here {
            tracing::info!("the sidecar is within reach");
        }
        now.sidecar = Sidecar::Here;
    }

    /// The sidecar lacks these.
    pub fn lacks(&self, missing: Vec<String>) {
        let mut now = self.now();
        if now.missing != missing {
            match missing.as_slice() {
                [] => tracing::info!("the sidecar has what it should"),
                missing => {
                    tracing::warn!(missing = missing.join("; "), "the sidecar lacks something");
                }
            }
        }
        now.missing = missing;
    }

    /// Other processes of this app id run these roles, or the same as this one.
    pub fn others(&self, roles: Option<String>) {
        let mut now = self.now();
        if let (None, Some(roles)) = (&now.others, &roles) {
            tracing::warn!(
                roles,
                "other processes of this app id run other ROLES: give each set an app id of its own"
            );
        }
        now.others = roles;
    }

    /// A topic is refused as it is set up: pauses it.
    pub fn refused(&self, topic: Topic, why: &str) {
        let mut now = self.now();
        let next = now.paused.get(&topic).map(|pause| pause.next);
        if next.is_none() {
            let topic = topic.as_str();
            tracing::error!(
                topic,
                why,
                "a topic is refused, and pauses: look at component, scope and topic"
            );
        }
        let length = next.unwrap_or(PAUSE.0);
        let pause = Pause {
            why: why.to_owned(),
            until: Instant::now() + length,
            next: (length * 2).min(PAUSE.1),
        };
        now.paused.insert(topic, pause);
    }

    /// A topic takes nothing for now. The relay says so in the log.
    pub fn failing(&self, topic: Topic, why: &str) {
        self.now().failing.insert(topic, why.to_owned());
    }

    /// Whether any topic takes nothing for now.
    pub fn is_failing(&self) -> bool {
        !self.now().failing.is_empty()
    }

    /// Nothing waits for a topic any more, so that it may not be called failing.
    pub fn emptied(&self, topic: Topic) {
        self.now().failing.remove(&topic);
    }

    /// A topic takes messages.
    pub fn taken(&self, topic: Topic) {
        let mut now = self.now();
        now.failing.remove(&topic);
        if now.paused.remove(&topic).is_some() {
            tracing::info!(topic = topic.as_str(), "a topic is taken again");
        }
    }

    /// Why a topic pauses now, if it does.
    pub fn pause(&self, topic: Topic) -> Option<String> {
        let now = self.now();
        let pause = now.paused.get(&topic)?;
        (Instant::now() < pause.until).then(|| pause.why.clone())
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_refused_topic_pauses_longer_each_time_and_is_tried_in_between() {
        let standing = Standing::default();
        for seconds in [5, 10, 20, 40, 60, 60] {
            standing.refused(Topic::TaskEvents, "403");
            tokio::time::sleep(Duration::from_secs(seconds) - Duration::from_millis(1)).await;
            assert_eq!(standing.pause(Topic::TaskEvents).as_deref(), Some("403"));
            assert_eq!(standing.pause(Topic::UserEvents), None);
            tokio::time::sleep(Duration::from_millis(2)).await;
            assert_eq!(standing.pause(Topic::TaskEvents), None);
        }
        let told = standing.report().paused;
        assert_eq!(told.len(), 1, "told of until it is taken");
        standing.taken(Topic::TaskEvents);
        standing.found();
        assert!(standing.report().is_fine());
    }

    #[test]
    fn a_topic_that_takes_nothing_is_told_of_until_it_does() {
        let standing = Standing::default();
        standing.found();
        standing.failing(Topic::TaskEvents, "no broker");
        standing.taken(Topic::UserEvents);
        let told = standing.report();
        assert_eq!(told.failing["task-events"], "no broker");
        assert_eq!(standing.pause(Topic::TaskEvents), None, "it is tried");
        standing.taken(Topic::TaskEvents);
        assert!(standing.report().is_fine());
    }

    #[test]
    fn it_is_open_once_the_sidecar_was_reached() {
        let standing = Standing::default();
        assert!(!standing.is_open() && !standing.report().is_fine());
        standing.found();
        assert!(standing.is_open() && standing.report().is_fine());
        standing.lost("refused");
        assert!(!standing.is_open());
        assert_eq!(standing.report().sidecar.as_deref(), Some("refused"));
    }
}
