//! The span of an event on its way out.

use tidings_domain::event::Topic;
use tracing::{Span, field::Empty};

use super::transport::Published;
use crate::{
    store::OutboxRow,
    telemetry::{SPANS, TraceContext, field},
};

/// A row that is being published.
pub(super) struct Publishing<'a> {
    topic: Topic,
    row: &'a OutboxRow,
    span: Span,
    /// Where in a trace whoever receives it finds it.
    pub(super) trace: Option<TraceContext>,
}

impl<'a> Publishing<'a> {
    /// Begins; `made` is where the event was made.
    pub(super) fn begin(topic: Topic, row: &'a OutboxRow, made: Option<TraceContext>) -> Self {
        let span = tracing::trace_span!(
            target: SPANS,
            parent: None,
            "publish",
            otel.name = %format_args!("publish {}", topic.as_str()),
            otel.kind = "producer",
            otel.status_code = Empty,
            messaging.destination.name = topic.as_str(),
            messaging.message.id = %row.event_id,
            tidings.event_type = row.event_type,
            user.id = field(row.user_id),
        );
        if let Some(made) = made {
            made.adopt(&span);
        }
        Self {
            topic,
            row,
            trace: TraceContext::of(&span).or(made),
            span,
        }
    }

    /// Ends with what became of it.
    pub(super) fn end(self, published: &Published) {
        if *published != Published::Taken {
            // Why, the relay tells.
            self.span.record("otel.status_code", "ERROR");
            return;
        }
        let Self { topic, row, .. } = self;
        let of_task = || {
            let mut prefixes = ["task.", "reminder."].iter();
            prefixes.any(|prefix| row.event_type.starts_with(prefix))
        };
        tracing::debug!(
            topic = topic.as_str(),
            event_type = row.event_type,
            event_id = %row.event_id,
            user_id = field(row.user_id),
            task_id = of_task().then_some(&*row.subject),
            trace_id = field(self.trace.map(TraceContext::trace_id)),
            "an event was published"
        );
    }
}
