//! What is counted. One registry a server; no label holds an id.

use std::{sync::Arc, time::Duration};

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{
        counter::Counter,
        family::{Family, MetricConstructor},
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::Registry,
};
use tidings_domain::{event::Topic, time::Timestamp};

use crate::store::{OutboxDepth, QueueDepth};

/// A label and its value.
type Label = (&'static str, &'static str);

type Counters<S> = Family<S, Counter>;
type Times<S> = Family<S, Histogram, Seconds>;

/// Half a millisecond to 16 seconds.
#[derive(Clone, Copy, Debug)]
struct Seconds;

impl MetricConstructor<Histogram> for Seconds {
    fn new_metric(&self) -> Histogram {
        seconds()
    }
}

/// A histogram of how long things take, in seconds.
pub fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.0005, 2.0, 16))
}

/// Everything that is counted.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    published: Counters<[Label; 2]>,
    publishing: Times<[Label; 1]>,
    pending: Family<[Label; 1], Gauge>,
    oldest: Family<[Label; 1], Gauge<f64, std::sync::atomic::AtomicU64>>,
    dead: Gauge,
    consumed: Counters<[Label; 2]>,
    consuming: Times<[Label; 1]>,
    delivery: Times<[Label; 1]>,
    dead_letters: Gauge,
    mailed: Counters<[Label; 1]>,
    mails: Gauge,
    mails_aside: Gauge,
    pushed: Counters<[Label; 1]>,
    pushes: Gauge,
    pushes_aside: Gauge,
    sockets: Gauge,
    presence_faults: Counter,
    requests: Counters<Request>,
    answering: Times<Route>,
}

/// A kind of request and how it ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    method: String,
    route: String,
    status: u16,
}

/// A kind of request.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    method: String,
    route: String,
}

impl Metrics {
    /// Nothing counted yet; `wakes` is where a hub tells how long its wake-ups take.
    pub fn new(wakes: Histogram) -> Arc<Self> {
        let mut metrics = Self {
            registry: Registry::default(),
            published: Family::default(),
            publishing: Family::new_with_constructor(Seconds),
            pending: Family::default(),
            oldest: Family::default(),
            dead: Gauge::default(),
            consumed: Family::default(),
            consuming: Family::new_with_constructor(Seconds),
            delivery: Family::new_with_constructor(Seconds),
            dead_letters: Gauge::default(),
            mailed: Family::default(),
            mails: Gauge::default(),
            mails_aside: Gauge::default(),
            pushed: Family::default(),
            pushes: Gauge::default(),
            pushes_aside: Gauge::default(),
            sockets: Gauge::default(),
            presence_faults: Counter::default(),
            requests: Family::default(),
            answering: Family::new_with_constructor(Seconds),
        };
        metrics.register(wakes);
        // What has not happened yet is 0, not absent: alerts need that.
        for topic in Topic::ALL {
            let labels = [("topic", topic.as_str())];
            drop(metrics.publishing.get_or_create(&labels));
            let labels = [("topic", topic.as_str()), ("outcome", "taken")];
            drop(metrics.published.get_or_create(&labels));
        }
        for outcome in ["sent", "retry", "aside", "moot"] {
            drop(metrics.mailed.get_or_create(&[("outcome", outcome)]));
        }
        for outcome in ["sent", "retry", "aside", "moot", "gone", "closed"] {
            drop(metrics.pushed.get_or_create(&[("outcome", outcome)]));
        }
        Arc::new(metrics)
    }

    /// There is such a consumer.
    pub fn consumer(&self, consumer: &'static str) {
        let labels = [("consumer", consumer)];
        drop(self.consuming.get_or_create(&labels));
        drop(self.delivery.get_or_create(&labels));
        let labels = [("consumer", consumer), ("outcome", "success")];
        drop(self.consumed.get_or_create(&labels));
    }

    /// The names. To those of counters, the encoding adds `_total`.
    fn register(&mut self, wakes: Histogram) {
        let r = &mut self.registry;
        r.register(
            "tidings_events_published",
            "Messages by what became of them",
            self.published.clone(),
        );
        r.register(
            "tidings_publish_seconds",
            "How long calls that publish take",
            self.publishing.clone(),
        );
        r.register(
            "tidings_outbox_pending",
            "Rows that wait",
            self.pending.clone(),
        );
        r.register(
            "tidings_outbox_oldest_seconds",
            "Age of the oldest row that waits",
            self.oldest.clone(),
        );
        r.register(
            "tidings_outbox_dead",
            "Rows that were set aside",
            self.dead.clone(),
        );
        r.register(
            "tidings_events_consumed",
            "Deliveries by what became of them",
            self.consumed.clone(),
        );
        r.register(
            "tidings_consume_seconds",
            "How long consumers take",
            self.consuming.clone(),
        );
        r.register(
            "tidings_delivery_seconds",
            "From commit to effect",
            self.delivery.clone(),
        );
        r.register(
            "tidings_dead_letters",
            "Dead letters that are kept",
            self.dead_letters.clone(),
        );
        r.register(
            "tidings_mails_sent",
            "Mails by what became of them",
            self.mailed.clone(),
        );
        r.register(
            "tidings_mails_pending",
            "Mails that wait",
            self.mails.clone(),
        );
        r.register(
            "tidings_mails_aside",
            "Mails that were set aside",
            self.mails_aside.clone(),
        );
        r.register(
            "tidings_pushes_sent",
            "Pushes to browsers by what became of them",
            self.pushed.clone(),
        );
        r.register(
            "tidings_pushes_pending",
            "Pushes that wait",
            self.pushes.clone(),
        );
        r.register(
            "tidings_pushes_aside",
            "Pushes that were set aside",
            self.pushes_aside.clone(),
        );
        r.register("tidings_live_sockets", "Open sockets", self.sockets.clone());
        r.register(
            "tidings_live_wake_seconds",
            "From a wake-up to the frame",
            wakes,
        );
        r.register(
            "tidings_presence_faults",
            "Rounds in which the state store failed",
            self.presence_faults.clone(),
        );
        r.register("http_requests", "Requests", self.requests.clone());
        r.register(
            "http_request_seconds",
            "Until answers begin",
            self.answering.clone(),
        );
    }

    /// A call that published took so long.
    pub fn published_in(&self, topic: Topic, took: Duration) {
        let labels = [("topic", topic.as_str())];
        self.publishing
            .get_or_create(&labels)
            .observe(took.as_secs_f64());
    }

    /// A message met this end.
    pub fn published(&self, topic: Topic, outcome: &'static str) {
        let labels = [("topic", topic.as_str()), ("outcome", outcome)];
        self.published.get_or_create(&labels).inc();
    }

    /// A consumer took so long for a batch.
    pub fn consumed_in(&self, consumer: &'static str, took: Duration) {
        let labels = [("consumer", consumer)];
        self.consuming
            .get_or_create(&labels)
            .observe(took.as_secs_f64());
    }

    /// A delivery met this end at a consumer; where it had its effect, that long after the commit.
    pub fn consumed(&self, consumer: &'static str, outcome: &'static str, after: Option<Duration>) {
        let labels = [("consumer", consumer), ("outcome", outcome)];
        self.consumed.get_or_create(&labels).inc();
        if let Some(after) = after {
            let labels = [("consumer", consumer)];
            self.delivery
                .get_or_create(&labels)
                .observe(after.as_secs_f64());
        }
    }

    /// So many events were handed to a consumer from the log.
    pub fn recovered(&self, consumer: &'static str, events: u64) {
        let labels = [("consumer", consumer), ("outcome", "recovered")];
        self.consumed.get_or_create(&labels).inc_by(events);
    }

    /// A request was answered.
    pub fn answered(&self, method: &str, route: &str, status: u16, took: Duration) {
        let (method, route) = (method.to_owned(), route.to_owned());
        let labels = Route {
            method: method.clone(),
            route: route.clone(),
        };
        self.answering
            .get_or_create(&labels)
            .observe(took.as_secs_f64());
        let labels = Request {
            method,
            route,
            status,
        };
        self.requests.get_or_create(&labels).inc();
    }

    /// How full the outbox is now.
    pub fn outbox(&self, depths: &[OutboxDepth], now: Timestamp) {
        for depth in depths {
            let labels = [("topic", depth.topic.as_str())];
            self.pending.get_or_create(&labels).set(depth.pending);
            let age = depth.oldest.map_or(0, |at| (now.0 - at.0).max(0));
            self.oldest.get_or_create(&labels).set(age as f64 / 1_000.0);
        }
        self.dead.set(depths.iter().map(|depth| depth.dead).sum());
    }

    /// How many dead letters are kept now.
    pub fn letters(&self, kept: i64) {
        self.dead_letters.set(kept);
    }

    /// A mail met this end.
    pub fn mailed(&self, outcome: &'static str) {
        self.mailed.get_or_create(&[("outcome", outcome)]).inc();
    }

    /// How much mail is kept now.
    pub fn mails(&self, depth: QueueDepth) {
        self.mails.set(depth.waiting);
        self.mails_aside.set(depth.aside);
    }

    /// A push met this end.
    pub fn pushed(&self, outcome: &'static str) {
        self.pushed.get_or_create(&[("outcome", outcome)]).inc();
    }

    /// How many pushes are kept now.
    pub fn pushes(&self, depth: QueueDepth) {
        self.pushes.set(depth.waiting);
        self.pushes_aside.set(depth.aside);
    }

    /// How many sockets are open now.
    pub fn sockets(&self, open: usize) {
        self.sockets.set(i64::try_from(open).unwrap_or(i64::MAX));
    }

    /// The state store failed, and tabs elsewhere are not counted.
    pub fn presence_failed(&self) {
        self.presence_faults.inc();
    }

    /// All of it, as text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
