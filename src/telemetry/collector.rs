//! Spans on their way to a collector: OTLP, as protobuf over HTTP.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use async_trait::async_trait;
use opentelemetry::trace::TracerProvider;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::{
    Resource,
    trace::{Sampler, SdkTracer, SdkTracerProvider},
};
use reqwest::redirect::Policy;
use tokio::{runtime::Handle, task::spawn_blocking};
use url::Url;

/// How long a call may take, and what is still to be sent at the end.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where spans go, and which.
#[derive(Clone, Debug)]
pub struct Traces {
    /// The collector; its path ends before `/v1/traces`.
    pub endpoint: Url,
    /// What spans say that they are of.
    pub service: String,
    /// Which traces are kept.
    pub sampler: Sampler,
}

/// A collector that spans are sent to, a batch at a time. What it does not take in time is lost, and
/// nobody waits for it.
pub struct Collector(SdkTracerProvider);

impl Collector {
    /// Must be called where a runtime is: batches are sent on it.
    pub(super) fn new(traces: &Traces) -> Result<Self, String> {
        let base = traces.endpoint.as_str().trim_end_matches('/');
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Sender::new()?)
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint([base, "/v1/traces"].concat())
            .with_timeout(PATIENCE)
            .build()
            .map_err(|error| error.to_string())?;
        let resource = Resource::builder()
            .with_service_name(traces.service.clone())
            .build();
        let provider = SdkTracerProvider::builder()
            .with_resource(resource)
            .with_sampler(traces.sampler.clone())
            .with_batch_exporter(exporter)
            .build();
        Ok(Self(provider))
    }

    pub(super) fn tracer(&self) -> SdkTracer {
        self.0.tracer("tidings")
    }

    /// Sends what it still has, for at most 5 s, and ends.
    pub async fn stop(self) {
        // It waits for calls that this runtime makes.
        let stopped = spawn_blocking(move || self.0.shutdown_with_timeout(PATIENCE)).await;
        if !matches!(stopped, Ok(Ok(()))) {
            tracing::warn!("the last spans were not collected");
        }
    }
}

/// Reads which traces are kept, by the names that OpenTelemetry gives: `parentbased_always_on` and
/// so on. `share` is the argument of those that keep a share.
///
/// # Errors
/// What it must be, in words.
pub fn sampler(name: &str, share: &str) -> Result<Sampler, &'static str> {
    let (name, by_parent) = match name.strip_prefix("parentbased_") {
        Some(name) => (name, true),
        None => (name, false),
    };
    let sampler = match name {
        "always_on" => Sampler::AlwaysOn,
        "always_off" => Sampler::AlwaysOff,
        "traceidratio" => {
            let share = share
                .parse()
                .ok()
                .filter(|share| (0.0..=1.0).contains(share));
            let words = "needs OTEL_TRACES_SAMPLER_ARG, from 0 to 1";
            Sampler::TraceIdRatioBased(share.ok_or(words)?)
        }
        _ => return Err("must be always_on, always_off or traceidratio, or parentbased_ and one"),
    };
    Ok(match by_parent {
        true => Sampler::ParentBased(Box::new(sampler)),
        false => sampler,
    })
}

/// Makes the exporter's calls. The exporter has a thread of its own, without a runtime.
#[derive(Debug)]
struct Sender {
    http: reqwest::Client,
    runtime: Handle,
    /// The last call failed, and that was told.
    failing: AtomicBool,
}

impl Sender {
    fn new() -> Result<Self, String> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .timeout(PATIENCE)
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self {
            http,
            runtime: Handle::try_current().map_err(|error| error.to_string())?,
            failing: AtomicBool::new(false),
        })
    }

    /// One line an outage.
    fn note(&self, fault: Option<&str>) {
        let failed = self.failing.swap(fault.is_some(), Ordering::Relaxed);
        match (failed, fault) {
            (false, Some(error)) => tracing::warn!(error, "traces are not collected"),
            (true, None) => tracing::info!("traces are collected again"),
            _ => {}
        }
    }
}

#[async_trait]
impl HttpClient for Sender {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let request = reqwest::Request::try_from(request.map(reqwest::Body::from))?;
        let http = self.http.clone();
        let call = async move { http.execute(request).await };
        let answer = match self.runtime.spawn(call).await? {
            Ok(answer) => answer,
            Err(error) => {
                self.note(Some(&error.to_string()));
                return Err(error.into());
            }
        };
        let status = answer.status();
        let fault = (!status.is_success()).then(|| status.to_string());
        self.note(fault.as_deref());
        // Its words concern nobody, and there is no bound to them.
        Ok(Response::builder().status(status).body(Bytes::new())?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samplers_are_known_by_their_names() {
        let read = |name, share| sampler(name, share).map(|sampler| format!("{sampler:?}"));
        assert_eq!(read("always_off", "").unwrap(), "AlwaysOff");
        assert_eq!(
            read("parentbased_always_on", "").unwrap(),
            "ParentBased(AlwaysOn)"
        );
        assert_eq!(
            read("parentbased_traceidratio", "0.25").unwrap(),
            "ParentBased(TraceIdRatioBased(0.25))"
        );
        for (name, share) in [("traceidratio", ""), ("traceidratio", "2"), ("xray", "")] {
            assert!(read(name, share).is_err(), "{name} {share}");
        }
    }
}
