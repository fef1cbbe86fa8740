//! What is settled again is no part of the request any more: a span of its own, linked to the event's creation.

use serde_json::json;
use tests::{
    Collector,
    collector::{Place, Span},
    lapin::{BasicProperties, types::ShortString},
    shop::Layout,
};
use uuid::Uuid;

use crate::way::{SOON, shop};

const TRACE_ID: &str = "2cf7651916cd43dd8448eb211c80319c";
const SPAN_ID: &str = "b7ad6b7169203331";

#[tokio::test]
async fn an_event_that_was_put_off_is_linked_to_its_creation_and_no_child_of_it() {
    let collector = Collector::start().await;
    let shop = shop(Layout::Together, &collector, "grpc", "0").await;
    let order_id = Uuid::now_v7();
    // A decision about an order that is not there: it waits for it, and is tried again a second later.
    let event = json!([{
        "specversion": "1.0",
        "id": Uuid::now_v7(),
        "type": "payment.captured.v1",
        "source": "/gozon/payment",
        "subject": order_id,
        "time": "2026-01-01T00:00:00Z",
        "datacontenttype": "application/json",
        "traceparent": format!("00-{TRACE_ID}-{SPAN_ID}-01"),
        "data": {"order_id": order_id, "decided_at": "2026-01-01T00:00:00Z"},
    }]);
    let content_type = ShortString::from("application/cloudevents-batch+json");
    let properties = BasicProperties::default().with_content_type(content_type);
    let broker = shop.raw_broker().await;
    let body = serde_json::to_vec(&event).unwrap();
    let is_routed = broker
        .publish("gozon.events", "payment.captured.v1", properties, &body)
        .await;
    assert!(is_routed);

    let spans = collector
        .until("two attempts", SOON, |spans| spans.len() >= 2)
        .await;
    let creation = Place {
        trace_id: TRACE_ID.to_owned(),
        span_id: SPAN_ID.to_owned(),
    };
    let (first, again) = (&spans[0], &spans[1]);
    for attempt in [first, again] {
        assert_eq!(
            attempt.name,
            "process gozon.events:payment.captured.v1:order.payments.v1"
        );
        assert_eq!(attempt.links, std::slice::from_ref(&creation));
        assert_eq!(attempt.says("gozon.outcome"), "deferred");
    }
    let place = |span: &Span| (span.at.trace_id.clone(), span.parent.clone());
    assert_eq!(place(first), (TRACE_ID.to_owned(), SPAN_ID.to_owned()));
    assert_eq!(again.parent, "");
    assert_ne!(again.at.trace_id, TRACE_ID);
}
