//! What the sidecar delivers.

use std::sync::Arc;

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{error::Category, json};
use tidings_domain::{
    error::Code,
    event::Topic,
    id::{TaskId, UserId},
};
use tracing::field::Value;

use super::{Sidecar, subscriptions::DEAD};
use crate::{
    consumers::{Delivery, Verdict, Why},
    http::{problem::Problem, traced},
    store::{Failure, Undelivered},
    telemetry::{TraceContext, field},
};

/// What of a CloudEvent names it, as far as it can be read.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Label {
    id: String,
    topic: String,
    traceparent: String,
    data: Owner,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Owner {
    user_id: Option<UserId>,
    task_id: Option<TaskId>,
}

impl Label {
    fn read(json: &[u8]) -> Self {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Outside {
            id: String,
            topic: String,
            traceparent: String,
        }
        serde_json::from_slice(json).unwrap_or_else(|_| {
            // Whatever is wrong with the data: what is around it may still be right.
            let outside: Outside = serde_json::from_slice(json).unwrap_or_default();
            Self {
                id: outside.id,
                topic: outside.topic,
                traceparent: outside.traceparent,
                data: Owner::default(),
            }
        })
    }

    /// Its trace, as a field of a line.
    fn trace_id(&self) -> Option<impl Value> {
        let sent = TraceContext::parse(&self.traceparent);
        field(sent.map(TraceContext::trace_id))
    }
}

/// One event.
pub(super) async fn event(
    State(sidecar): State<Arc<Sidecar>>,
    Path(topic): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some(topic) = Topic::parse(&topic) else {
        return Problem::from(Code::NotFound).into_response();
    };
    let verdict = match Delivery::read_cloud_event(&body) {
        Ok(mut delivery) => {
            // The sidecar's own span, where it has one; else the publisher's.
            delivery.trace = traced::given(&headers).or(delivery.trace);
            sidecar.consumers.deliver(topic, delivery).await
        }
        Err(error) => {
            sidecar.metrics.consumed("none", "drop", None);
            Verdict::Drop(Why::unread(unread(&error)))
        }
    };
    let status = match verdict {
        Verdict::Success => "SUCCESS",
        Verdict::Retry(why) => {
            note(&sidecar, topic, &body, why).await;
            "RETRY"
        }
        Verdict::Drop(why) => {
            note(&sidecar, topic, &body, why).await;
            "DROP"
        }
    };
    Json(json!({ "status": status })).into_response()
}

/// Writes down why a delivery was not handled. Where that cannot be done, its dead letter will know
/// less.
async fn note(sidecar: &Sidecar, topic: Topic, body: &[u8], why: Why) {
    let label = Label::read(body);
    // What a consumer could not handle was told of where it was asked.
    if why.consumer.is_none() {
        tracing::warn!(
            topic = topic.as_str(),
            event_id = label.id,
            user_id = field(label.data.user_id),
            task_id = field(label.data.task_id),
            trace_id = label.trace_id(),
            %why,
            "a delivery was not handled"
        );
    }
    if topic.is_broadcast() {
        return;
    }
    let failure = Failure {
        topic,
        event_id: label.id,
        consumer: why.consumer,
        error: why.error,
        at: sidecar.clock.now(),
    };
    if let Err(error) = sidecar.letters.note_failure(&failure).await {
        tracing::warn!(%error, "why a delivery failed was not written down");
    }
}

/// What is wrong with what is no event, without the values that it holds: they may be anyone's.
fn unread(error: &serde_json::Error) -> String {
    let words = error.to_string();
    match error.classify() {
        Category::Data if !words.starts_with("missing field") => {
            let (line, column) = (error.line(), error.column());
            format!("no event: a wrong value at line {line} column {column}")
        }
        _ => format!("no event: {words}"),
    }
}

/// One dead letter.
pub(super) async fn dead_letter(State(sidecar): State<Arc<Sidecar>>, body: Bytes) -> Response {
    let label = Label::read(&body);
    // A sidecar passes the event on as it was, the topic that it came from included.
    let name = label.topic.strip_suffix(DEAD).unwrap_or(&label.topic);
    let Some(topic) = Topic::parse(name) else {
        let (event_id, topic) = (label.id, label.topic);
        tracing::error!(event_id, topic, "a dead letter of no topic was dropped");
        return Json(json!({ "status": "DROP" })).into_response();
    };
    tracing::error!(
        topic = topic.as_str(),
        event_id = label.id,
        user_id = field(label.data.user_id),
        task_id = field(label.data.task_id),
        trace_id = label.trace_id(),
        "an event could not be delivered and is kept as a dead letter"
    );
    let letter = Undelivered {
        topic,
        event_id: label.id,
        user_id: label.data.user_id,
        task_id: label.data.task_id,
        payload: String::from_utf8_lossy(&body).into_owned(),
        received_at: sidecar.clock.now(),
    };
    let status = match sidecar.letters.keep(&letter).await {
        Ok(()) => "SUCCESS",
        Err(error) => {
            tracing::error!(%error, "a dead letter was not kept, and is to come again");
            "RETRY"
        }
    };
    Json(json!({ "status": status })).into_response()
}
