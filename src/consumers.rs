//! Consumers: what happens because something happened. Each is told at least once, in no promised
//! order, and has its effect once.

pub mod analytics;
pub mod audit;
pub mod catch_up;
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
use serde::Deserialize;
use serde_json::value::RawValue;
use tidings_domain::{
    event::{EventType, Topic, VERSION},
    id::{EventId, TaskId, UserId},
    time::Timestamp,
};
use tokio::time::Instant;
use tracing::field::Value;

use crate::{
    clock::{Ambient, Clock},
    error::{Error, Result},
    live::Hub,
    metrics::Metrics,
    store::SharedStore,
    telemetry::{TraceContext, field},
};

pub use self::roles::{Role, Roles};

/// An event on its way to consumers: its JSON, and what every consumer needs of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// The event.
    pub event_id: EventId,
    /// Its type, as written: it may be one that is not known here yet.
    pub event_type: String,
    /// The version of its format.
    pub version: String,
    /// When it happened.
    pub timestamp: Timestamp,
    /// Whose it is, if that is known.
    pub user_id: Option<UserId>,
    /// The task it is about, if it is about one.
    pub task_id: Option<TaskId>,
    /// Its place in that person's feed, on a feed.
    pub seq: Option<i64>,
    /// Where in a trace it arrives. What a consumer makes of it goes on from there: events say so in
    /// their metadata.
    pub trace: Option<TraceContext>,
    /// All of it: the CloudEvent's `data`.
    pub json: Arc<str>,
}

impl Delivery {
    /// Reads what lies in a CloudEvent's `data`.
    ///
    /// # Errors
    /// Where that is no event.
    pub fn read(json: Arc<str>) -> serde_json::Result<Self> {
        #[derive(Deserialize)]
        struct Head {
            event_id: EventId,
            event_type: String,
            version: String,
            timestamp: Timestamp,
            user_id: Option<UserId>,
            task_id: Option<TaskId>,
            seq: Option<i64>,
            metadata: Option<Origin>,
        }
        #[derive(Deserialize)]
        struct Origin {
            traceparent: Option<String>,
        }
        let head: Head = serde_json::from_str(&json)?;
        let made = head.metadata.and_then(|origin| origin.traceparent);
        Ok(Self {
            event_id: head.event_id,
            event_type: head.event_type,
            version: head.version,
            timestamp: head.timestamp,
            user_id: head.user_id,
            task_id: head.task_id,
            seq: head.seq,
            trace: made.and_then(|made| TraceContext::parse(&made)),
            json,
        })
    }

    /// Reads a CloudEvent.
    ///
    /// # Errors
    /// Where it is none, or its `data` no event.
    pub fn read_cloud_event(json: &[u8]) -> serde_json::Result<Self> {
        #[derive(Deserialize)]
        struct Envelope {
            data: Box<RawValue>,
            traceparent: Option<String>,
        }
        let envelope: Envelope = serde_json::from_slice(json)?;
        let sent = envelope.traceparent.as_deref();
        let mut delivery = Self::read(envelope.data.get().into())?;
        delivery.trace = sent.and_then(TraceContext::parse).or(delivery.trace);
        Ok(delivery)
    }

    /// Its trace, as a field of a line.
    fn trace_id(&self) -> Option<impl Value> {
        field(self.trace.map(TraceContext::trace_id))
    }

    /// Whether its format is one that is read here: minor versions only add.
    fn is_known(&self) -> bool {
        let major = |version: &str| version.split('.').next().map(str::to_owned);
        major(&self.version) == major(VERSION)
    }
}

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
