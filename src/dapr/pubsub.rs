//! Publishing.

use http::{HeaderValue, Method};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{
    Client, Error, Fault,
    client::{Answer, Call, TRACEPARENT},
};

const CLOUD_EVENT: &str = "application/cloudevents+json";
/// Has the sidecar pass an event on as it is.
const AS_IS: (&str, &str) = ("metadata.rawPayload", "true");

/// A message.
#[derive(Clone, Debug)]
pub struct Message {
    /// What tells it from others of the same call.
    pub id: String,
    /// A CloudEvent, as JSON.
    pub event: Box<RawValue>,
    /// Messages of one key stay in order, where the broker has partitions.
    pub key: Option<String>,
    /// The trace that it belongs to.
    pub traceparent: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    entry_id: &'a str,
    event: &'a RawValue,
    content_type: &'static str,
    metadata: Keyed<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Keyed<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    partition_key: Option<&'a str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Partly {
    failed_entries: Vec<Failed>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Failed {
    entry_id: String,
    #[serde(default)]
    error: String,
}

impl Client {
    /// Publishes a message.
    ///
    /// # Errors
    /// Where the sidecar or the broker does not take it, or does not say so: it may have taken it.
    pub async fn publish(&self, pubsub: &str, topic: &str, message: &Message) -> Result<(), Error> {
        let path = ["publish", pubsub, topic];
        let event = message.event.get().as_bytes().to_vec();
        let call = Call::new("publish", pubsub, Method::POST, &path);
        let mut call = call.with_body(CLOUD_EVENT, event);
        let key = message
            .key
            .as_deref()
            .map(|key| ("metadata.partitionKey", key));
        call.query = key.as_slice();
        let trace = message.traceparent.as_deref();
        if let Some(trace) = trace.and_then(|t| HeaderValue::from_str(t).ok()) {
            call.headers.insert(TRACEPARENT, trace);
        }
        self.call(&call).await.map(drop)
    }

    /// Publishes messages in one call, in no promised order; for each, in the order given, why it
    /// failed if it did. The sidecar adds nothing to them: to read and write each again is a good part
    /// of what it has to do.
    ///
    /// # Errors
    /// Where nothing is known of any of them.
    pub async fn publish_bulk(
        &self,
        pubsub: &str,
        topic: &str,
        messages: &[Message],
    ) -> Result<Vec<Option<String>>, Error> {
        let path = ["publish", "bulk", pubsub, topic];
        let call = Call::new("bulk publish", pubsub, Method::POST, &path);
        let entries = messages.iter().map(|message| Entry {
            entry_id: &message.id,
            event: &message.event,
            content_type: CLOUD_EVENT,
            metadata: Keyed {
                partition_key: message.key.as_deref(),
            },
        });
        let entries: Vec<_> = entries.collect();
        let body = serde_json::to_vec(&entries)
            .map_err(|error| call.fails(Fault::Unreadable(error.to_string())))?;
        let mut call = call.with_body("application/json", body);
        call.query = &[AS_IS];
        // Where some were taken, to try all of them again would double those.
        let is_result = |answer: &Answer| {
            answer.status.is_success()
                || failed(answer).is_some_and(|failed| failed.len() < messages.len())
        };
        let answer = self.call_until(&call, is_result).await?;
        let failed = failed(&answer).unwrap_or_default();
        let why = |message: &Message| {
            let failed = failed.iter().find(|f| f.entry_id == message.id);
            failed.map(|f| f.error.clone())
        };
        Ok(messages.iter().map(why).collect())
    }
}

/// What the sidecar names as failed, where it names any.
fn failed(answer: &Answer) -> Option<Vec<Failed>> {
    let partly: Partly = serde_json::from_slice(&answer.body).ok()?;
    Some(partly.failed_entries).filter(|failed| !failed.is_empty())
}
