//! The spans of deliveries and of what consumers make of them.

use tidings_domain::event::Topic;
use tracing::{Instrument, Span, field::Empty};

use super::{Consumer, Delivery};
use crate::{
    error::Result,
    telemetry::{SPANS, TraceContext, field, is_traced},
};

/// Begins the spans of deliveries of a topic. They end where they are dropped.
pub(super) fn begin(topic: Topic, deliveries: &mut [Delivery]) -> Vec<Span> {
    if !is_traced() {
        return Vec::new();
    }
    let begin = |delivery: &mut Delivery| {
        let span = tracing::trace_span!(
            target: SPANS,
            parent: None,
            "deliver",
            otel.name = %format_args!("deliver {}", topic.as_str()),
            otel.kind = "consumer",
            messaging.destination.name = topic.as_str(),
            messaging.message.id = %delivery.event_id,
            tidings.event_type = delivery.event_type,
            user.id = field(delivery.user_id),
        );
        enter(delivery, &span);
        span
    };
    deliveries.iter_mut().map(begin).collect()
}

/// Has a consumer handle deliveries, each in a span of its own, which what it makes of it belongs to.
pub(super) async fn handle(consumer: &dyn Consumer, deliveries: &[Delivery]) -> Result<()> {
    match is_traced() {
        true => handle_within(consumer, deliveries.to_vec()).await?,
        false => consumer.handle(deliveries).await?,
    }
    for delivery in deliveries {
        tracing::debug!(
            consumer = consumer.name(),
            event_type = delivery.event_type,
            event_id = %delivery.event_id,
            user_id = field(delivery.user_id),
            task_id = field(delivery.task_id),
            trace_id = delivery.trace_id(),
            "an event was handled"
        );
    }
    Ok(())
}

async fn handle_within(consumer: &dyn Consumer, mut deliveries: Vec<Delivery>) -> Result<()> {
    let begin = |delivery: &mut Delivery| {
        let span = effect(consumer.name());
        enter(delivery, &span);
        span
    };
    let spans: Vec<_> = deliveries.iter_mut().map(begin).collect();
    // What several deliveries do together is in no one's span.
    let within = match &spans[..] {
        [one] => one.clone(),
        _ => Span::none(),
    };
    let done = consumer.handle(&deliveries).instrument(within).await;
    if done.is_err() {
        for span in &spans {
            span.record("otel.status_code", "ERROR");
        }
    }
    done
}

fn effect(consumer: &'static str) -> Span {
    tracing::trace_span!(
        target: SPANS,
        parent: None,
        "handle",
        otel.name = consumer,
        otel.status_code = Empty,
    )
}

/// Goes on from where the delivery comes from, into the span.
fn enter(delivery: &mut Delivery, span: &Span) {
    if let Some(from) = delivery.trace {
        from.adopt(span);
    }
    delivery.trace = TraceContext::of(span).or(delivery.trace);
}
