//! Where a message came from, for the rows it may end in. Nothing is read off a delivery before a row needs it.

use lapin::{message::Delivery, types::AMQPValue};
use serde_json::{Value, json};

use crate::dead_letter::storable;

/// Where a message came from: what its dead letters say of it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Origin<'a> {
    /// The broker.
    Delivery(&'a Delivery),
    /// A row that remembers it.
    Row {
        /// The routing key it once came with.
        routing_key: &'a str,
        /// The headers and properties it once came with.
        headers: &'a Value,
    },
}

impl Origin<'_> {
    /// The routing key it came with, as Postgres can store it.
    pub(crate) fn routing_key(&self) -> String {
        match self {
            Self::Delivery(delivery) => storable(delivery.routing_key.as_str()),
            Self::Row { routing_key, .. } => (*routing_key).to_owned(),
        }
    }

    /// The AMQP headers and properties it came with, as Postgres can store them.
    pub(crate) fn headers(&self) -> Value {
        let delivery = match self {
            Self::Delivery(delivery) => delivery,
            Self::Row { headers, .. } => return (*headers).clone(),
        };
        let properties = &delivery.properties;
        let headers: serde_json::Map<String, Value> = properties
            .headers()
            .iter()
            .flatten()
            .map(|(name, value)| (storable(name.as_str()), json_of(value)))
            .collect();
        json!({
            "exchange": storable(delivery.exchange.as_str()),
            "redelivered": delivery.redelivered,
            "content_type": properties.content_type().as_ref().map(|text| storable(text.as_str())),
            "message_id": properties.message_id().as_ref().map(|text| storable(text.as_str())),
            "headers": headers,
        })
    }

    /// Whether the broker says that it delivered it before.
    pub(crate) const fn is_redelivered(&self) -> bool {
        matches!(
            self,
            Self::Delivery(Delivery {
                redelivered: true,
                ..
            })
        )
    }

    /// The content type of the message; empty if it came without.
    pub(crate) fn content_type(&self) -> &str {
        match self {
            Self::Delivery(delivery) => delivery
                .properties
                .content_type()
                .as_ref()
                .map_or("", |text| text.as_str()),
            Self::Row { headers, .. } => headers["content_type"].as_str().unwrap_or_default(),
        }
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
