//! Events as text, to be bent out of shape.

use serde_json::{Value, json};
use tests::{
    RawBroker,
    lapin::{BasicProperties, types::ShortString},
};
use uuid::Uuid;

/// The content type of a batch.
pub(crate) const BATCH: &str = "application/cloudevents-batch+json";

/// An order that wants its money: valid in every respect.
pub(crate) fn order_placed(user_id: i64, amount_minor: i64) -> Value {
    let order_id = Uuid::now_v7();
    json!({
        "specversion": "1.0",
        "id": Uuid::now_v7(),
        "type": "order.placed.v1",
        "source": "/gozon/order",
        "subject": order_id,
        "time": "2026-01-01T00:00:00Z",
        "datacontenttype": "application/json",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "data": {
            "order_id": order_id,
            "user_id": user_id,
            "amount": {"amount_minor": amount_minor, "currency": "RUB"},
            "placed_at": "2026-01-01T00:00:00Z",
        },
    })
}

/// An order that was paid.
pub(crate) fn payment_captured(order_id: Uuid) -> Value {
    json!({
        "specversion": "1.0",
        "id": Uuid::now_v7(),
        "type": "payment.captured.v1",
        "source": "/gozon/payment",
        "subject": order_id,
        "time": "2026-01-01T00:00:00Z",
        "datacontenttype": "application/json",
        "data": {
            "order_id": order_id,
            "received_at": "2026-01-01T00:00:00Z",
            "decided_at": "2026-01-01T00:00:00Z",
        },
    })
}

/// The event with one member replaced, named by its JSON pointer.
pub(crate) fn with(mut event: Value, pointer: &str, value: Value) -> Value {
    *event.pointer_mut(pointer).expect("the member is there") = value;
    event
}

/// The event without one of its attributes.
pub(crate) fn without(mut event: Value, attribute: &str) -> Value {
    event
        .as_object_mut()
        .expect("an event is an object")
        .remove(attribute)
        .expect("the attribute is there");
    event
}

/// The order an event is about.
pub(crate) fn order_of(event: &Value) -> Uuid {
    event["data"]["order_id"].as_str().unwrap().parse().unwrap()
}

/// Publishes bytes as whatever they claim to be.
pub(crate) async fn publish(
    broker: &RawBroker,
    routing_key: &str,
    content_type: Option<&str>,
    body: &[u8],
) {
    let mut properties = BasicProperties::default().with_delivery_mode(2);
    if let Some(content_type) = content_type {
        properties = properties.with_content_type(ShortString::from(content_type));
    }
    let routed = broker
        .publish("gozon.events", routing_key, properties, body)
        .await;
    assert!(routed, "{routing_key} leads nowhere");
}

/// Publishes events as a proper batch.
pub(crate) async fn publish_batch(broker: &RawBroker, routing_key: &str, events: &[Value]) {
    let body = serde_json::to_vec(events).unwrap();
    publish(broker, routing_key, Some(BATCH), &body).await;
}
