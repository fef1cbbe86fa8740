//! Where a message came from, for the dead letters it may end in.

use lapin::{message::Delivery, types::AMQPValue};
use serde_json::{Value, json};

use super::envelope::Event;
use crate::{
    dead_letter::{DeadLetter, storable},
    failure::Rejection,
};

/// Where a message came from: what its dead letters say of it.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    routing_key: String,
    headers: Value,
}

impl Origin {
    pub(crate) fn of(delivery: &Delivery) -> Self {
        let properties = &delivery.properties;
        let headers: serde_json::Map<String, Value> = properties
            .headers()
            .iter()
            .flatten()
            .map(|(name, value)| (storable(name.as_str()), json_of(value)))
            .collect();
        Self {
            routing_key: delivery.routing_key.to_string(),
            headers: json!({
                "exchange": storable(delivery.exchange.as_str()),
                "redelivered": delivery.redelivered,
                "content_type": properties.content_type().as_ref().map(|text| storable(text.as_str())),
                "message_id": properties.message_id().as_ref().map(|text| storable(text.as_str())),
                "headers": headers,
            }),
        }
    }

    /// Where nothing real came from.
    #[cfg(test)]
    pub(super) fn for_tests(routing_key: String) -> Self {
        let headers = Value::Null;
        Self {
            routing_key,
            headers,
        }
    }

    /// A dead letter of the whole message.
    pub(crate) fn letter(&self, body: &[u8], rejection: Rejection) -> Box<DeadLetter> {
        Box::new(DeadLetter {
            message_id: None,
            kind: None,
            routing_key: self.routing_key.clone(),
            headers: self.headers.clone(),
            body: body.to_vec(),
            rejection,
            trace_id: None,
        })
    }

    /// A dead letter of one event.
    pub(crate) fn event_letter(
        &self,
        event: &Event,
        body: &[u8],
        rejection: Rejection,
    ) -> Box<DeadLetter> {
        Box::new(DeadLetter {
            message_id: Some(event.id.as_uuid()),
            kind: Some(event.kind.clone()),
            trace_id: Some(event.trace.trace_id()),
            ..*self.letter(body, rejection)
        })
    }
}

fn json_of(value: &AMQPValue) -> Value {
    match value {
        AMQPValue::LongString(text) => json!(storable(&String::from_utf8_lossy(text.as_bytes()))),
        AMQPValue::ShortString(text) => json!(storable(text.as_str())),
        AMQPValue::Boolean(flag) => json!(flag),
        AMQPValue::LongInt(number) => json!(number),
        AMQPValue::LongLongInt(number) => json!(number),
        AMQPValue::LongUInt(number) => json!(number),
        AMQPValue::Timestamp(seconds) => json!(seconds),
        AMQPValue::FieldArray(values) => values.as_slice().iter().map(json_of).collect(),
        AMQPValue::FieldTable(table) => {
            let entries = table
                .into_iter()
                .map(|(name, value)| (storable(name.as_str()), json_of(value)));
            Value::Object(entries.collect())
        }
        other => json!(storable(&format!("{other:?}"))),
    }
}
