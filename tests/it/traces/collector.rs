//! A collector of traces: takes what comes by OTLP, and keeps it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use axum::{Router, body::Bytes, extract::State, routing::post};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value},
};
use prost::Message;
use tokio::{net::TcpListener, task::JoinHandle};

/// A span, as it was collected.
#[derive(Clone, Debug)]
pub(crate) struct Spanned {
    pub(crate) trace: String,
    pub(crate) id: String,
    pub(crate) parent: String,
    pub(crate) name: String,
    pub(crate) service: String,
    pub(crate) told: HashMap<String, String>,
}

type Kept = Arc<Mutex<Vec<Spanned>>>;

/// Listens on a port of its own until it is dropped.
pub(crate) struct Collector {
    pub(crate) url: String,
    kept: Kept,
    serving: JoinHandle<()>,
}

impl Collector {
    pub(crate) async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let kept = Kept::default();
        let router = Router::new()
            .route("/v1/traces", post(take))
            .with_state(kept.clone());
        let serving = tokio::spawn(async { axum::serve(listener, router).await.unwrap() });
        Self { url, kept, serving }
    }

    /// Every span so far.
    pub(crate) fn all(&self) -> Vec<Spanned> {
        self.kept.lock().unwrap().clone()
    }

    /// The spans of a trace so far.
    pub(crate) fn of(&self, trace: &str) -> Vec<Spanned> {
        let mut spans = self.all();
        spans.retain(|span| span.trace == trace);
        spans
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn take(State(kept): State<Kept>, body: Bytes) {
    let request = ExportTraceServiceRequest::decode(body).unwrap();
    for group in request.resource_spans {
        let of = told(&group.resource.unwrap_or_default().attributes);
        let spans = group.scope_spans.into_iter().flat_map(|scope| scope.spans);
        kept.lock().unwrap().extend(spans.map(|span| Spanned {
            trace: hex(&span.trace_id),
            id: hex(&span.span_id),
            parent: hex(&span.parent_span_id),
            told: told(&span.attributes),
            name: span.name,
            service: of["service.name"].clone(),
        }));
    }
}

fn told(attributes: &[KeyValue]) -> HashMap<String, String> {
    let text = |attribute: &KeyValue| {
        let value = attribute.value.clone().and_then(|value| value.value);
        match value.unwrap() {
            Value::StringValue(text) => text,
            other => format!("{other:?}"),
        }
    };
    let pairs = attributes.iter().map(|a| (a.key.clone(), text(a)));
    pairs.collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
