//! The transport by Dapr: each row becomes a CloudEvent that the sidecar publishes.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use futures_util::{StreamExt, stream};
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use tidings_domain::{
    event::{SOURCE, Topic},
    id::EventId,
    time::Timestamp,
};
use tokio::time::Instant;
use url::Url;

use super::{
    standing::Standing,
    traced::Publishing,
    transport::{Published, Transport},
};
use crate::{
    dapr::{Client, Error, Fault, Message, Settings},
    store::OutboxRow,
    telemetry::TraceContext,
};

/// Messages in one call.
const BULK: usize = 100;
/// Bytes in one call; a sidecar takes 4 MiB.
const BULK_BYTES: usize = 2 * 1024 * 1024;
/// Calls at once, a topic.
const CALLS: usize = 4;
/// No call begins later than this, so that one that takes all its tries still ends within the lease.
const BEGIN_WITHIN: Duration = Duration::from_secs(3);
/// A row that failed this often goes alone: what fails with it is then not for its sake.
const ALONE_AFTER: i64 = 2;

/// Publishes through a sidecar.
pub struct Dapr {
    client: Client,
    pubsub: String,
    broadcast: String,
    /// Where the schemas of events are.
    schemas: Option<String>,
    standing: Arc<Standing>,
}

impl Dapr {
    /// Publishes to the components that the settings name, and keeps `standing` true. Events name
    /// their schema where people reach this server at `public_url`.
    pub fn new(
        client: Client,
        settings: &Settings,
        public_url: Option<&Url>,
        standing: Arc<Standing>,
    ) -> Self {
        Self {
            client,
            pubsub: settings.pubsub.clone(),
            broadcast: settings.broadcast.clone(),
            schemas: public_url.map(|url| format!("{url}schemas")),
            standing,
        }
    }

    fn component(&self, topic: Topic) -> &str {
        match topic.is_broadcast() {
            true => &self.broadcast,
            false => &self.pubsub,
        }
    }

    /// Publishes messages of different people; what became of each.
    async fn call(&self, topic: Topic, messages: &[Message], round: &Round) -> Vec<Published> {
        if round.is_over() {
            return vec![Published::Untried; messages.len()];
        }
        let (component, name) = (self.component(topic), topic.as_str());
        let done = match messages {
            [one] => {
                let done = self.client.publish(component, name, one).await;
                done.map(|()| vec![None])
            }
            many => self.client.publish_bulk(component, name, many).await,
        };
        let failed = match done {
            Ok(failed) => failed,
            // Together they are too large; which of them is so alone shows one by one.
            Err(error) if error.fault.status() == Some(413) && messages.len() > 1 => {
                let mut published = Vec::with_capacity(messages.len());
                for one in messages.chunks(1) {
                    published.extend(Box::pin(self.call(topic, one, round)).await);
                }
                return published;
            }
            Err(error) => return vec![self.judge(topic, &error, round); messages.len()],
        };
        match failed.first() {
            _ if failed.iter().any(Option::is_none) => self.standing.taken(topic),
            Some(Some(why)) => self.standing.failing(topic, why),
            _ => {}
        }
        let became = |failed: Option<String>| failed.map_or(Published::Taken, Published::Passing);
        failed.into_iter().map(became).collect()
    }

    /// What an error means for the messages of the call.
    fn judge(&self, topic: Topic, error: &Error, round: &Round) -> Published {
        let words = error.to_string();
        match &error.fault {
            Fault::Answered { status: 413, .. } => Published::Unfit(words),
            Fault::Answered {
                status: 400 | 401 | 403 | 404,
                ..
            } => {
                round.end();
                self.standing.refused(topic, &words);
                Published::Refused(words)
            }
            Fault::Unreachable(_) => {
                round.end();
                self.standing.lost(&words);
                Published::Passing(words)
            }
            fault => {
                if matches!(fault, Fault::Slow(_)) {
                    round.end();
                }
                self.standing.failing(topic, &words);
                Published::Passing(words)
            }
        }
    }
}

/// Calls that belong together.
struct Round {
    started: Instant,
    /// A call failed in a way that the others would too, and take as long.
    is_over: AtomicBool,
}

impl Round {
    fn new() -> Self {
        Self {
            started: Instant::now(),
            is_over: AtomicBool::new(false),
        }
    }

    fn end(&self) {
        self.is_over.store(true, Ordering::Relaxed);
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed) || self.started.elapsed() > BEGIN_WITHIN
    }
}

#[async_trait]
impl Transport for Dapr {
    fn keeps_order(&self) -> bool {
        false
    }

    fn is_open(&self) -> bool {
        self.standing.is_open()
    }

    async fn publish(&self, topic: Topic, rows: &[OutboxRow]) -> Vec<Published> {
        if let Some(why) = self.standing.pause(topic) {
            return vec![Published::Refused(why); rows.len()];
        }
        let schemas = self.schemas.as_deref();
        let component = self.component(topic);
        let read = rows
            .iter()
            .map(|row| message(component, topic, row, schemas));
        let read: Vec<_> = read.collect();
        let fit = rows.iter().zip(&read).filter_map(|(row, message)| {
            let (message, _) = message.as_ref().ok()?;
            Some((message.clone(), row.attempts > ALONE_AFTER))
        });
        let (messages, alone): (Vec<_>, Vec<_>) = fit.unzip();
        let round = Round::new();
        let bulks = bulks(&messages, &alone).into_iter();
        let calls: Vec<_> = bulks.map(|bulk| self.call(topic, bulk, &round)).collect();
        let calls = stream::iter(calls).buffered(CALLS);
        let mut published = calls.concat().await.into_iter();
        let became = read.into_iter().map(|message| match message {
            Err(error) => Published::Unfit(error.to_string()),
            Ok((_, publishing)) => {
                let became = published.next().unwrap_or(Published::Untried);
                publishing.end(&became);
                became
            }
        });
        became.collect()
    }
}

/// Cuts messages into calls, of one where it is to be alone.
fn bulks<'a>(messages: &'a [Message], alone: &[bool]) -> Vec<&'a [Message]> {
    let mut bulks = Vec::new();
    let mut from = 0;
    while from < messages.len() {
        let mut bytes = 0;
        let fits = |i: &usize| {
            bytes += messages[*i].event.get().len();
            bytes <= BULK_BYTES && !alone[*i]
        };
        let most = messages.len().min(from + BULK);
        let to = from + (from..most).take_while(fits).count().max(1);
        bulks.push(&messages[from..to]);
        from = to;
    }
    bulks
}

/// CloudEvents 1.0, with what a sidecar adds to those that it publishes one by one: the last three
/// before `data`. Of a trace, it keeps `traceparent` only where it finds its own `traceid` too.
#[derive(Serialize)]
struct CloudEvent<'a> {
    specversion: &'static str,
    id: EventId,
    source: &'static str,
    r#type: &'a str,
    subject: &'a str,
    time: Timestamp,
    datacontenttype: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    dataschema: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    traceparent: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    traceid: Option<&'a str>,
    topic: &'static str,
    pubsubname: &'a str,
    data: &'a RawValue,
}

/// What the schema of an event goes by.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Format {
    version: String,
}

fn message<'a>(
    component: &str,
    topic: Topic,
    row: &'a OutboxRow,
    schemas: Option<&str>,
) -> serde_json::Result<(Message, Publishing<'a>)> {
    let data = serde_json::from_str(&row.json)?;
    let Format { version } = serde_json::from_str(&row.json)?;
    let publishing = Publishing::begin(topic, row, TraceContext::of_event(&row.json));
    let traceparent = publishing.trace.map(|trace| trace.to_string());
    let event = CloudEvent {
        specversion: "1.0",
        id: row.event_id,
        source: SOURCE,
        r#type: &row.event_type,
        subject: &row.subject,
        time: row.timestamp,
        datacontenttype: "application/json",
        dataschema: schemas.map(|at| format!("{at}/{}/{version}.json", row.event_type)),
        traceparent: traceparent.as_deref(),
        traceid: traceparent.as_deref(),
        topic: topic.as_str(),
        pubsubname: component,
        data,
    };
    let message = Message {
        id: row.id.to_string(),
        event: to_raw_value(&event)?,
        key: row.user_id.map(|user| user.to_string()),
        traceparent,
    };
    Ok((message, publishing))
}

#[cfg(test)]
mod tests;
