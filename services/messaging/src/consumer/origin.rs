//! Where a message came from, for the rows it may end in. Nothing is read off a delivery before a row needs it.

use lapin::types::AMQPValue;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::session::Taken;
use crate::{dead_letter::storable, span::Attempt};

/// Where a message came from: what its dead letters say of it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Origin<'a> {
    /// The broker.
    Delivery(&'a Taken),
    /// A row that remembers it.
    Row {
        /// The routing key it once came with.
        routing_key: &'a str,
        /// The headers and properties it once came with.
        headers: &'a Value,
        /// When it was read.
        taken_up: Instant,
    },
}

impl Origin<'_> {
    /// The routing key it came with, as Postgres can store it.
    pub(crate) fn routing_key(&self) -> String {
        match self {
            Self::Delivery(taken) => storable(taken.delivery.routing_key.as_str()),
            Self::Row { routing_key, .. } => (*routing_key).to_owned(),
        }
    }

    /// The AMQP headers and properties it came with, as Postgres can store them.
    pub(crate) fn headers(&self) -> Value {
        let delivery = match self {
            Self::Delivery(taken) => &taken.delivery,
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

    /// Whether it is tried for the first time, as far as can be told: what comes from a row was tried before.
    pub(crate) const fn attempt(&self) -> Attempt {
        match self {
            Self::Delivery(taken) if !taken.delivery.redelivered => taken.attempt,
            Self::Delivery(_) | Self::Row { .. } => Attempt::Again,
        }
    }

    /// Whether it was never counted as taken from its queue.
    pub(crate) const fn is_new(&self) -> bool {
        matches!(
            self,
            Self::Delivery(Taken {
                attempt: Attempt::First,
                ..
            })
        )
    }

    /// When it was taken up.
    pub(crate) const fn taken_up(&self) -> Instant {
        match self {
            Self::Delivery(taken) => taken.at,
            Self::Row { taken_up, .. } => *taken_up,
        }
    }

    /// The content type of the message; empty if it came without.
    pub(crate) fn content_type(&self) -> &str {
        match self {
            Self::Delivery(taken) => taken
                .delivery
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
