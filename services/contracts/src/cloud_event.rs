//! The envelope: `CloudEvents` 1.0 in JSON format, several of them in one batch.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::{EventId, Message, TraceContext};

/// The content type of an AMQP message: a JSON array of events (`CloudEvents` JSON format 1.0, section 4).
pub const BATCH_CONTENT_TYPE: &str = "application/cloudevents-batch+json";

/// One event as it stands in the outbox and on the wire. Written once, when it is appended; never serialised again.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CloudEvent<D> {
    /// Always `1.0`.
    pub specversion: String,
    /// The event's identity.
    pub id: EventId,
    /// [`Message::TYPE`].
    #[serde(rename = "type")]
    pub kind: String,
    /// [`Message::SOURCE`].
    pub source: String,
    /// [`Message::key`] as text.
    pub subject: String,
    /// When it was appended.
    #[serde(with = "time::serde::rfc3339")]
    pub time: OffsetDateTime,
    /// Always `application/json`.
    pub datacontenttype: String,
    /// Extension: the trace context of its creation (`CloudEvents` distributed tracing extension).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub traceparent: Option<String>,
    /// The message itself.
    #[cfg_attr(
        feature = "other-version",
        serde(
            serialize_with = "crate::other_version::write",
            bound(serialize = "D: Serialize")
        )
    )]
    pub data: D,
}

impl<'m, M: Message> CloudEvent<&'m M> {
    /// Wraps a message as a new event.
    #[must_use]
    pub fn new(message: &'m M, trace: &TraceContext, now: OffsetDateTime) -> Self {
        Self {
            specversion: "1.0".to_owned(),
            id: EventId::new(),
            kind: M::TYPE.to_owned(),
            source: M::SOURCE.to_owned(),
            subject: message.key().to_string(),
            time: now,
            datacontenttype: "application/json".to_owned(),
            traceparent: Some(trace.to_string()),
            data: message,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Money, OrderId, OrderPlaced, UserId};

    #[test]
    fn an_event_has_the_attributes_the_standard_requires() {
        let placed = OrderPlaced {
            order_id: OrderId::new(),
            user_id: UserId::try_from(7).unwrap(),
            amount: Money::rub(19_900),
            placed_at: Some(OffsetDateTime::UNIX_EPOCH),
        };
        let event = CloudEvent::new(&placed, &TraceContext::root(), OffsetDateTime::UNIX_EPOCH);
        let json = serde_json::to_value(&event).unwrap();
        assert_eq!(json["specversion"], "1.0");
        assert_eq!(json["type"], "order.placed.v1");
        assert_eq!(json["subject"], placed.order_id.to_string());
        assert_eq!(json["time"], "1970-01-01T00:00:00Z");
        assert_eq!(json["data"]["amount"]["amount_minor"], 19_900);
        assert_eq!(json["data"]["amount"]["currency"], "RUB");
    }

    #[test]
    fn a_field_added_by_a_newer_version_is_ignored() {
        let json = serde_json::json!({
            "order_id": OrderId::new(), "reason": "no_account", "colour": "blue",
            "received_at": "2026-01-01T00:00:00Z", "decided_at": "2026-01-01T00:00:00Z",
        });
        assert!(serde_json::from_value::<crate::PaymentDeclined>(json).is_ok());
    }

    #[test]
    fn what_another_version_does_not_say_is_absent_and_stays_so() {
        let order_id = OrderId::new();
        let decided_at = "2026-01-01T00:00:00Z";
        for (kind, json) in [
            (
                "captured",
                serde_json::json!({ "order_id": order_id, "decided_at": decided_at }),
            ),
            (
                "declined",
                serde_json::json!({ "order_id": order_id, "reason": "no_account", "decided_at": decided_at }),
            ),
            (
                "placed",
                serde_json::json!({ "order_id": order_id, "user_id": 7, "amount": Money::rub(100) }),
            ),
            (
                "refund requested",
                serde_json::json!({ "order_id": order_id, "user_id": 7, "amount": Money::rub(100) }),
            ),
        ] {
            let read_back = match kind {
                "captured" => again::<crate::PaymentCaptured>(&json),
                "declined" => again::<crate::PaymentDeclined>(&json),
                "refund requested" => again::<crate::RefundRequested>(&json),
                _ => again::<OrderPlaced>(&json),
            };
            assert_eq!(read_back, json, "{kind}");
        }
    }

    /// Read and written again.
    fn again<M: Message>(json: &serde_json::Value) -> serde_json::Value {
        let message: M = serde_json::from_value(json.clone()).unwrap();
        serde_json::to_value(message).unwrap()
    }
}
