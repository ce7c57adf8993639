//! What consumers are handed: an event, read as far as all of them need it.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;
use tidings_domain::{
    event::VERSION,
    id::{EventId, TaskId, UserId},
    time::Timestamp,
};
use tracing::field::Value;

use crate::telemetry::{TraceContext, field};

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
    pub(super) fn trace_id(&self) -> Option<impl Value> {
        field(self.trace.map(TraceContext::trace_id))
    }

    /// Whether its format is one that is read here: minor versions only add.
    pub(super) fn is_known(&self) -> bool {
        let major = |version: &str| version.split('.').next().map(str::to_owned);
        major(&self.version) == major(VERSION)
    }
}
