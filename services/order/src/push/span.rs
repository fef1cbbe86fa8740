//! The `push` span of a change, from when a socket takes it up to when it is sent: the last one in an order's trace.

use contracts::service;
use messaging::span::Recorded;
use opentelemetry::{KeyValue, trace::SpanKind};

use super::hub::Changed;

/// Begins the span of a change; none unless its trace is recorded.
pub(crate) fn begin(change: &Changed, protocol: &'static str) -> Option<Recorded> {
    let order = &change.order;
    let attributes = vec![
        KeyValue::new("network.protocol.name", protocol),
        KeyValue::new("gozon.order.id", order.id.to_string()),
        KeyValue::new("gozon.order.status", order.status.as_str()),
        KeyValue::new("gozon.order.version", i64::from(order.version)),
    ];
    Recorded::child_of(
        change.trace.as_ref()?,
        service::ORDER,
        "push order status".to_owned(),
        SpanKind::Producer,
        attributes,
    )
}

/// Ends the spans of what was sent, or was not.
pub(crate) fn end<E>(spans: Vec<Recorded>, sent: &Result<(), E>) {
    for span in spans {
        span.end(sent, "gone");
    }
}
