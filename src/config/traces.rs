//! Flags of traces. The variables are those that OpenTelemetry names.

use clap::Args;
use url::Url;

use super::flags::Faults;
use crate::telemetry::{Traces, sampler};

/// Where spans go.
#[derive(Args, Clone, Debug)]
pub(super) struct TraceArgs {
    /// A collector of traces, by OTLP over HTTP, such as http://localhost:4318; unset: none
    #[arg(
        long,
        env = "OTEL_EXPORTER_OTLP_ENDPOINT",
        default_value = "",
        hide_default_value = true,
        value_name = "URL"
    )]
    otel_exporter_otlp_endpoint: String,
    /// What traces call this process
    #[arg(
        long,
        env = "OTEL_SERVICE_NAME",
        default_value = "tidings",
        value_name = "NAME"
    )]
    otel_service_name: String,
    /// Which traces are kept: always_on, always_off or traceidratio, or parentbased_ and one
    #[arg(
        long,
        env = "OTEL_TRACES_SAMPLER",
        default_value = "parentbased_always_on",
        value_name = "SAMPLER"
    )]
    otel_traces_sampler: String,
    /// The share that traceidratio keeps, from 0 to 1
    #[arg(
        long,
        env = "OTEL_TRACES_SAMPLER_ARG",
        default_value = "",
        hide_default_value = true,
        value_name = "SHARE"
    )]
    otel_traces_sampler_arg: String,
}

impl TraceArgs {
    /// Checks them: where spans go, if anywhere.
    pub(super) fn check(&self, faults: &mut Faults) -> Option<Traces> {
        let sampler = sampler(&self.otel_traces_sampler, &self.otel_traces_sampler_arg);
        let sampler = faults.take("OTEL_TRACES_SAMPLER", sampler)?;
        if self.otel_exporter_otlp_endpoint.is_empty() {
            return None;
        }
        let endpoint = collector(&self.otel_exporter_otlp_endpoint);
        Some(Traces {
            endpoint: faults.take("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)?,
            service: self.otel_service_name.clone(),
            sampler,
        })
    }
}

/// Without TLS, as with the sidecar: a collector is on this machine, or in a network of its own.
fn collector(text: &str) -> Result<Url, &'static str> {
    let url = text.parse::<Url>().ok();
    let fits = |url: &Url| {
        url.scheme() == "http"
            && url.has_host()
            && url.query().is_none()
            && url.username().is_empty()
            && url.password().is_none()
    };
    url.filter(fits)
        .ok_or("must be the URL of a collector, such as http://localhost:4318")
}
