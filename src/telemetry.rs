//! What the process tells of itself: lines on standard error, as text or JSON, and spans to a
//! collector where there is one.

pub mod about;
mod collector;
mod context;

use std::{
    fmt::Display,
    io::{self, IsTerminal},
    str::FromStr,
};

use tracing::{
    Level, Span,
    field::{DisplayValue, display},
    level_filters::LevelFilter,
};
use tracing_subscriber::{EnvFilter, Layer, filter::Targets, fmt, prelude::*};

pub use self::{
    collector::{Collector, Traces, sampler},
    context::TraceContext,
};

/// The target of spans that a collector gets. They are of the lowest level, so that without one they
/// cost a comparison each.
pub const SPANS: &str = "tidings::spans";

/// In which form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// An object a line.
    Json,
}

impl FromStr for LogFormat {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err("must be text or json"),
        }
    }
}

/// What is logged, and how.
#[derive(Debug)]
pub struct Logging {
    /// Which lines.
    pub filter: EnvFilter,
    /// In which form.
    pub format: LogFormat,
}

/// Begins to log. Where something logs already, that stays.
pub fn start(logging: Logging) {
    let lines = fmt()
        .with_env_filter(logging.filter)
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr);
    // An error says that there is a logger already.
    let _ = match logging.format {
        LogFormat::Text => lines.try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
}

/// Begins to log, and to send spans to a collector.
///
/// # Errors
/// Where they cannot be sent as they are to be, in words.
pub fn start_traced(logging: Logging, traces: &Traces) -> Result<Collector, String> {
    let collector = Collector::new(traces)?;
    let lines = fmt::layer()
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr);
    let lines = match logging.format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    // What other libraries tell may hold anything: only our own spans leave.
    let spans = Targets::new().with_target(SPANS, Level::TRACE);
    let spans = tracing_opentelemetry::layer()
        .with_tracer(collector.tracer())
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false)
        .with_filter(spans);
    let both = tracing_subscriber::registry()
        .with(lines.with_filter(logging.filter))
        .with(spans);
    // An error says that there is a logger already.
    let _ = both.try_init();
    Ok(collector)
}

/// Whether anybody may want spans. Where not, there is no need to gather what they tell.
pub fn is_traced() -> bool {
    LevelFilter::current() == Level::TRACE
}

/// The span of a write that somebody waits for. Writes of no trace have none: how the server keeps
/// house is nobody's request.
pub fn commit() -> Span {
    if !is_traced() || Span::current().is_none() {
        return Span::none();
    }
    tracing::trace_span!(target: SPANS, "commit")
}

/// A field of a line, where there is a value.
pub fn field<T: Display>(value: Option<T>) -> Option<DisplayValue<T>> {
    value.map(display)
}
