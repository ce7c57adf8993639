//! W3C trace context: a place in a trace, as it goes from one process to another.

use std::fmt;

use opentelemetry::{
    Context,
    trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState},
};
use serde::Deserialize;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// A place in a trace. Its text is a `traceparent` of version 00.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext {
    trace_id: TraceId,
    span_id: SpanId,
    flags: TraceFlags,
}

impl TraceContext {
    /// The name of the header, and of the field of events and CloudEvents.
    pub const NAME: &str = "traceparent";

    /// The beginning of a trace that nobody collects so far.
    pub fn fresh() -> Self {
        Self {
            // All zeros would be none.
            trace_id: rand::random::<u128>().max(1).into(),
            span_id: rand::random::<u64>().max(1).into(),
            flags: TraceFlags::NOT_SAMPLED,
        }
    }

    /// Reads a `traceparent`, if it is one.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let mut next = |length| {
            let part = parts.next()?;
            // Of what parses as a number, signs and capitals are not hexadecimal here.
            let is_hex = part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
            (part.len() == length && is_hex).then_some(part)
        };
        let (version, trace_id, span_id, flags) = (next(2)?, next(32)?, next(16)?, next(2)?);
        let context = Self {
            trace_id: TraceId::from_hex(trace_id).ok()?,
            span_id: SpanId::from_hex(span_id).ok()?,
            flags: TraceFlags::new(u8::from_str_radix(flags, 16).ok()?),
        };
        let is_place = context.trace_id != TraceId::INVALID && context.span_id != SpanId::INVALID;
        (version == "00" && parts.next().is_none() && is_place).then_some(context)
    }

    /// Where an event, as JSON, was made; nothing where it does not say so.
    pub fn of_event(json: &str) -> Option<Self> {
        #[derive(Deserialize)]
        struct Event {
            metadata: Metadata,
        }
        #[derive(Deserialize)]
        struct Metadata {
            traceparent: String,
        }
        let Event { metadata } = serde_json::from_str(json).ok()?;
        Self::parse(&metadata.traceparent)
    }

    /// Where a span is; nothing where it is not collected.
    pub fn of(span: &Span) -> Option<Self> {
        if span.is_disabled() {
            return None;
        }
        let context = span.context();
        let context = context.span().span_context().clone();
        context.is_valid().then(|| Self {
            trace_id: context.trace_id(),
            span_id: context.span_id(),
            flags: context.trace_flags(),
        })
    }

    /// Makes a new span a child of what is here.
    pub fn adopt(self, span: &Span) {
        if span.is_disabled() {
            return;
        }
        let here = SpanContext::new(
            self.trace_id,
            self.span_id,
            self.flags,
            true,
            TraceState::default(),
        );
        // Where no collector is, there is nothing to be a child of.
        let _ = span.set_parent(Context::new().with_remote_span_context(here));
    }

    /// The trace. Its text is 32 hexadecimal digits.
    pub fn trace_id(self) -> TraceId {
        self.trace_id
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (trace_id, span_id) = (self.trace_id, self.span_id);
        write!(f, "00-{trace_id}-{span_id}-{:02x}", self.flags)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn only_what_is_a_place_in_a_trace_is_read() {
        let good = TraceContext::parse(GOOD).unwrap();
        assert_eq!(good.to_string(), GOOD);
        assert_eq!(good.trace_id().to_string(), GOOD[3..35]);
        for bad in [
            "",
            "00-0-0-01",
            "\"><script>",
            &GOOD.to_uppercase(),
            &GOOD.replacen("00", "01", 1),
            &GOOD.replace("4bf", "+bf"),
            &[GOOD, "-00"].concat(),
            &[&GOOD[..3], &"0".repeat(32), &GOOD[35..]].concat(),
            &[&GOOD[..36], &"0".repeat(16), &GOOD[52..]].concat(),
        ] {
            assert_eq!(TraceContext::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_fresh_one_is_a_place_of_its_own() {
        let [one, two] = [(); 2].map(|()| TraceContext::fresh());
        assert_ne!(one.trace_id(), two.trace_id());
        assert_eq!(TraceContext::parse(&one.to_string()), Some(one));
    }

    #[test]
    fn an_event_says_where_it_was_made() {
        let of = |metadata: &str| TraceContext::of_event(&format!("{{\"metadata\":{metadata}}}"));
        let good = format!("{{\"traceparent\":\"{GOOD}\",\"actor\":\"user\"}}");
        assert_eq!(of(&good), TraceContext::parse(GOOD));
        for none in [
            "{}",
            "null",
            "{\"traceparent\":null}",
            "{\"traceparent\":\"x\"}",
        ] {
            assert_eq!(of(none), None, "{none}");
        }
    }
}
