//! Consumers: what happens because something happened. Each is told at least once, in no promised
//! order, and has its effect once.

pub mod analytics;
pub mod audit;
pub mod catch_up;
mod delivery;
pub mod live;
pub mod notifications;
pub mod onboarding;
pub mod recurring;
pub mod roles;
pub mod together;
mod traced;

use std::{collections::HashSet, fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use futures_util::future::join_all;
use tidings_domain::{
    event::{EventType, Topic},
    id::EventId,
};
use tokio::time::Instant;

use crate::{
    clock::{Ambient, Clock},
    error::{Error, Result},
    live::Hub,
    metrics::Metrics,
    store::SharedStore,
    telemetry::field,
};

pub use self::{
    delivery::Delivery,
    roles::{Role, Roles},
};

/// What became of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Handled.
    Success,
    /// Not now: deliver it again.
    Retry(Why),
    /// Never: it cannot be handled.
    Drop(Why),
}

impl Verdict {
    /// As metrics name it.
    fn outcome(&self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Retry(_) => "retry",
            Self::Drop(_) => "drop",
        }
    }
}

/// Why a delivery was not handled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why {
    /// Who could not handle it, if anyone was asked.
    pub consumer: Option<&'static str>,
    /// What went wrong, for operators.
    pub error: String,
}

impl Why {
    /// Nobody was asked.
    pub fn unread(error: impl fmt::Display) -> Self {
        Self {
            consumer: None,
            error: error.to_string(),
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.consumer {
            Some(consumer) => write!(f, "{consumer}: {}", self.error),
            None => f.write_str(&self.error),
        }
    }
}

/// What happens because something happened.
#[async_trait]
pub trait Consumer: Send + Sync {
    /// Its name, also in the inbox.
    fn name(&self) -> &'static str;
    /// What it subscribes to.
    fn topics(&self) -> &'static [Topic];
    /// Whether the inbox has, under its name, every event of this type that it took in. What is
    /// missing there although it was published is then handed over again ([`catch_up`]).
    fn notes(&self, _: EventType) -> bool {
        false
    }
    /// Under which id the inbox has this one of them; `None` where it leaves no note.
    fn noted_as(&self, delivery: &Delivery) -> Option<EventId> {
        Some(delivery.event_id)
    }
    /// Handles deliveries, all or none, each once however often it comes. A refusal means that the
    /// delivery can never be handled; any other error that it may be later.
    async fn handle(&self, deliveries: &[Delivery]) -> Result<()>;
}

/// The consumers of this process.
#[derive(Clone)]
pub struct Consumers {
    list: Vec<Arc<dyn Consumer>>,
    /// Counts what they do, on this clock.
    counted: Option<(Arc<Metrics>, Arc<dyn Clock>)>,
    /// Whether what a person did later waits for what could not be handled yet.
    ordered: bool,
}

impl Consumers {
    /// These consumers.
    pub fn new(list: Vec<Arc<dyn Consumer>>) -> Self {
        Self {
            list,
            counted: None,
            ordered: true,
        }
    }

    /// Lets each delivery stand alone: they come in any order.
    #[must_use]
    pub fn unordered(mut self) -> Self {
        self.ordered = false;
        self
    }

    /// Counts what they do.
    #[must_use]
    pub fn counted(mut self, metrics: Arc<Metrics>, clock: Arc<dyn Clock>) -> Self {
        for consumer in &self.list {
            metrics.consumer(consumer.name());
        }
        self.counted = Some((metrics, clock));
        self
    }

    /// The consumers of the roles that run here; `samples` says whether new people get sample tasks.
    pub fn of_roles(
        roles: &Roles,
        hub: &Arc<Hub>,
        store: &SharedStore,
        ambient: &Ambient,
        samples: bool,
    ) -> Self {
        let mut list: Vec<Arc<dyn Consumer>> = Vec::new();
        if roles.has(Role::Live) {
            list.push(Arc::new(live::Live::new(hub.clone())));
        }
        if roles.has(Role::Audit) {
            let clock = ambient.clock.clone();
            list.push(Arc::new(audit::Audit::new(store.clone(), clock)));
        }
        if roles.has(Role::Recurring) {
            let ids = ambient.ids.clone();
            list.push(Arc::new(recurring::Recurring::new(store.clone(), ids)));
        }
        if roles.has(Role::Notifications) {
            let clock = ambient.clock.clone();
            list.push(Arc::new(notifications::Notifications::new(
                store.clone(),
                clock,
            )));
        }
        if roles.has(Role::Onboarding) {
            let ambient = ambient.clone();
            list.push(Arc::new(onboarding::Onboarding::new(
                store.clone(),
                ambient,
                samples,
            )));
        }
        if roles.has(Role::Analytics) {
            list.push(Arc::new(analytics::Analytics::new(store.clone())));
        }
        Self::new(list)
    }

    /// Hands deliveries of a topic to everyone who subscribes to it; a verdict each, the worst of
    /// all consumers'.
    pub async fn deliver(&self, topic: Topic, deliveries: &[Delivery]) -> Vec<Verdict> {
        let mut verdicts: Vec<_> = deliveries.iter().map(format_verdict).collect();
        let mut known: Vec<Delivery> = deliveries
            .iter()
            .filter(|d| d.is_known())
            .cloned()
            .collect();
        if known.is_empty() {
            return verdicts;
        }
        let _spans = traced::begin(topic, &mut known);
        let asked = self.list.iter().filter(|c| c.topics().contains(&topic));
        // Side by side, so that what they write shares a commit.
        let answers = join_all(asked.map(async |consumer| {
            let started = Instant::now();
            let answers = hand_over(&**consumer, &known, self.ordered).await;
            self.count(consumer.name(), started, &known, &answers);
            answers
        }));
        for answers in answers.await {
            let mut answers = answers.into_iter();
            for (delivery, verdict) in deliveries.iter().zip(&mut verdicts) {
                if delivery.is_known()
                    && let Some(answer) = answers.next()
                {
                    worsen(verdict, answer);
                }
            }
        }
        verdicts
    }

    fn count(
        &self,
        consumer: &'static str,
        started: Instant,
        deliveries: &[Delivery],
        verdicts: &[Verdict],
    ) {
        let Some((metrics, clock)) = &self.counted else {
            return;
        };
        metrics.consumed_in(consumer, started.elapsed());
        let now = clock.now();
        for (delivery, verdict) in deliveries.iter().zip(verdicts) {
            let age = u64::try_from(now.0 - delivery.timestamp.0).unwrap_or(0);
            let after = (*verdict == Verdict::Success).then(|| Duration::from_millis(age));
            metrics.consumed(consumer, verdict.outcome(), after);
        }
    }
}

fn format_verdict(delivery: &Delivery) -> Verdict {
    if delivery.is_known() {
        return Verdict::Success;
    }
    tracing::warn!(
        event_id = %delivery.event_id,
        user_id = field(delivery.user_id),
        trace_id = delivery.trace_id(),
        version = delivery.version,
        "an event of an unknown version was dropped"
    );
    let words = format!("unknown version {}", delivery.version);
    Verdict::Drop(Why::unread(words))
}

fn worsen(verdict: &mut Verdict, other: Verdict) {
    let rank = |v: &Verdict| match v {
        Verdict::Success => 0,
        Verdict::Drop(_) => 1,
        Verdict::Retry(_) => 2,
    };
    if rank(&other) > rank(verdict) {
        *verdict = other;
    }
}

/// Hands a batch over and, where it fails for another reason than that something is out of reach,
/// one delivery at a time, so that a bad one holds up only what stands behind it, where that waits.
async fn hand_over(consumer: &dyn Consumer, batch: &[Delivery], ordered: bool) -> Vec<Verdict> {
    match traced::handle(consumer, batch).await {
        Ok(()) => return vec![Verdict::Success; batch.len()],
        Err(error) if error.is_passing() || batch.len() == 1 => {
            let verdict = verdict_of(consumer, &batch[0], &error);
            return vec![verdict; batch.len()];
        }
        Err(_) => {}
    }
    let mut held = HashSet::new();
    let mut verdicts = Vec::with_capacity(batch.len());
    for delivery in batch {
        if held.contains(&delivery.user_id) {
            let why = Why {
                consumer: Some(consumer.name()),
                error: "an earlier event failed".into(),
            };
            verdicts.push(Verdict::Retry(why));
            continue;
        }
        verdicts.push(
            match traced::handle(consumer, std::slice::from_ref(delivery)).await {
                Ok(()) => Verdict::Success,
                Err(error) => {
                    let verdict = verdict_of(consumer, delivery, &error);
                    if ordered && matches!(verdict, Verdict::Retry(_)) {
                        held.insert(delivery.user_id);
                    }
                    verdict
                }
            },
        );
    }
    verdicts
}

fn verdict_of(consumer: &dyn Consumer, delivery: &Delivery, error: &Error) -> Verdict {
    let name = consumer.name();
    tracing::warn!(
        consumer = name,
        event_id = %delivery.event_id,
        user_id = field(delivery.user_id),
        task_id = field(delivery.task_id),
        trace_id = delivery.trace_id(),
        %error,
        "an event was not handled"
    );
    let why = Why {
        consumer: Some(name),
        error: error.to_string(),
    };
    match error {
        Error::Refused(_) => Verdict::Drop(why),
        Error::Unavailable(_) | Error::Internal(_) => Verdict::Retry(why),
    }
}

#[cfg(test)]
mod tests;
