//! `services/contracts/asyncapi.yaml` says what is declared and what is sent: held against the constants here, against
//! messages as they are serialised, and against those that were sent once and must be read for ever.

use std::{collections::BTreeMap, path::PathBuf};

use contracts::{
    CloudEvent, DeclineReason, Money, OrderId, TraceContext, UserId,
    cloud_event::BATCH_CONTENT_TYPE,
};
use jsonschema::Validator;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::*;

fn contracts_folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../contracts")
}

fn document() -> Value {
    let text = std::fs::read_to_string(contracts_folder().join("asyncapi.yaml")).unwrap();
    serde_saphyr::from_str(&text).unwrap()
}

/// Follows a `$ref` inside the document.
fn resolve<'d>(document: &'d Value, value: &'d Value) -> &'d Value {
    match value["$ref"].as_str() {
        Some(reference) => document
            .pointer(reference.trim_start_matches('#'))
            .unwrap_or_else(|| panic!("{reference} leads nowhere")),
        None => value,
    }
}

/// The validator of a message's whole body.
fn validator(document: &Value, message: &str) -> Validator {
    let messages = document["components"]["messages"].as_object().unwrap();
    let found = messages.values().find(|found| found["name"] == message);
    let payload = &found.unwrap_or_else(|| panic!("{message} is not documented"))["payload"];
    // The document's own references begin at its root, so the schema carries the components with it.
    jsonschema::validator_for(&json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$ref": payload["$ref"],
        "components": document["components"],
    }))
    .unwrap()
}

fn arguments(table: &FieldTable) -> BTreeMap<String, Value> {
    let entries = table.inner().iter().map(|(name, value)| {
        let value = match value {
            AMQPValue::LongString(text) => json!(text.to_string()),
            AMQPValue::LongLongInt(number) => json!(number),
            other => panic!("{name}: {other:?}"),
        };
        (name.to_string(), value)
    });
    entries.collect()
}

#[test]
fn the_document_has_the_queues_that_are_declared_and_no_others() {
    let document = document();
    let channels = document["channels"].as_object().unwrap().values();
    let documented: BTreeMap<&str, &Value> = channels
        .filter(|channel| channel["bindings"]["amqp"]["is"] == "queue")
        .map(|channel| (channel["address"].as_str().unwrap(), channel))
        .collect();
    let mut declared = BTreeMap::new();
    for queue in QUEUES {
        let keys = queue.bindings.to_vec();
        declared.insert(queue.name, (EXCHANGE, keys, queue_arguments(&queue)));
        let dead = quorum_arguments(DEAD_DELIVERY_LIMIT);
        declared.insert(queue.dead, (DEAD_LETTER_EXCHANGE, vec![queue.name], dead));
    }
    let names = |map: Vec<&&str>| map.into_iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(
        names(documented.keys().collect()),
        names(declared.keys().collect())
    );
    for (name, (exchange, keys, table)) in declared {
        let channel = documented[name];
        assert_eq!(channel["x-bindings"]["exchange"], exchange, "{name}");
        assert_eq!(channel["x-bindings"]["routingKeys"], json!(keys), "{name}");
        let said: BTreeMap<String, Value> =
            serde_json::from_value(channel["x-arguments"].clone()).unwrap();
        assert_eq!(said, arguments(&table), "{name}");
        let queue = &channel["bindings"]["amqp"]["queue"];
        assert_eq!(
            (&queue["name"], &queue["durable"]),
            (&json!(name), &json!(true))
        );
    }
}

#[test]
fn the_document_has_a_channel_for_every_routing_key_and_both_exchanges() {
    let document = document();
    let keys = QUEUES.iter().flat_map(|queue| queue.bindings);
    for key in keys {
        let channels = document["channels"].as_object().unwrap().values();
        let mut found = channels.filter(|channel| channel["address"] == *key);
        let channel = found
            .next()
            .unwrap_or_else(|| panic!("{key} is not documented"));
        let binding = resolve(&document, &channel["bindings"]["amqp"]);
        assert_eq!(binding["exchange"]["name"], EXCHANGE, "{key}");
        for message in channel["messages"].as_object().unwrap().values() {
            let message = resolve(&document, message);
            assert_eq!(message["name"], *key);
            assert_eq!(message["contentType"], BATCH_CONTENT_TYPE);
        }
    }
    let exchanges = &document["components"]["channelBindings"];
    for (binding, name, kind) in [
        ("events", EXCHANGE, "topic"),
        ("deadLetters", DEAD_LETTER_EXCHANGE, "direct"),
    ] {
        let exchange = &exchanges[binding]["exchange"];
        assert_eq!(
            (&exchange["name"], &exchange["type"]),
            (&json!(name), &json!(kind))
        );
    }
}

/// What a service would put on the wire for this message.
fn batch<M: Message>(message: &M) -> Value {
    let now = OffsetDateTime::now_utc();
    json!([CloudEvent::new(message, &TraceContext::root(), now)])
}

/// One message of every type, and one for every reason, as they are serialised now.
fn serialised() -> Vec<(&'static str, Value)> {
    let now = OffsetDateTime::now_utc();
    let order_id = OrderId::new();
    let placed = OrderPlaced {
        order_id,
        user_id: UserId::try_from(i64::MAX).unwrap(),
        amount: Money::rub(19_900),
        placed_at: Some(now),
    };
    let captured = PaymentCaptured {
        order_id,
        received_at: Some(now),
        decided_at: now,
    };
    let declined = DeclineReason::ALL.map(|reason| {
        let declined = PaymentDeclined {
            order_id,
            reason,
            received_at: Some(now),
            decided_at: OffsetDateTime::UNIX_EPOCH,
        };
        (PaymentDeclined::TYPE, batch(&declined))
    });
    let requested = RefundRequested {
        order_id,
        user_id: UserId::try_from(1).unwrap(),
        amount: Money::rub(1),
        requested_at: Some(now),
    };
    let refunded = PaymentRefunded {
        order_id,
        refunded_at: now,
    };
    let mut messages = vec![
        (OrderPlaced::TYPE, batch(&placed)),
        (PaymentCaptured::TYPE, batch(&captured)),
        (RefundRequested::TYPE, batch(&requested)),
        (PaymentRefunded::TYPE, batch(&refunded)),
    ];
    messages.extend(declined);
    messages
}

#[test]
fn every_message_is_what_its_schema_says() {
    let document = document();
    for (kind, message) in serialised() {
        let validator = validator(&document, kind);
        let errors: Vec<_> = validator
            .iter_errors(&message)
            .map(|error| error.to_string())
            .collect();
        assert!(errors.is_empty(), "{kind}: {errors:?}");
        // Every field that is written is documented: what a schema does not name, nobody could rely on.
        let schema = kind
            .trim_end_matches(".v1")
            .split('.')
            .map(capitalised)
            .collect::<String>();
        let named = document["components"]["schemas"][&schema]["properties"]
            .as_object()
            .unwrap();
        for field in message[0]["data"].as_object().unwrap().keys() {
            assert!(
                named.contains_key(field),
                "{kind}: {field} is not documented"
            );
        }
    }
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

#[test]
fn a_schema_refuses_what_is_not_the_message() {
    let document = document();
    for (kind, message) in serialised() {
        let validator = validator(&document, kind);
        let fields = message[0]["data"].as_object().unwrap().keys();
        for field in fields {
            let mut lacking = message.clone();
            lacking[0]["data"].as_object_mut().unwrap().remove(field);
            let is_optional =
                ["placed_at", "received_at", "requested_at"].contains(&field.as_str());
            assert_eq!(
                validator.is_valid(&lacking),
                is_optional,
                "{kind} without {field}"
            );
        }
        for (pointer, value) in [
            ("/0/type", json!("order.placed.v2")),
            ("/0/specversion", json!("0.3")),
            ("/0/id", json!("17")),
            ("/0/time", json!("yesterday")),
            ("/0/data/order_id", json!(17)),
        ] {
            let mut wrong = message.clone();
            *wrong.pointer_mut(pointer).unwrap() = value;
            assert!(!validator.is_valid(&wrong), "{kind}: {pointer}");
        }
        assert!(!validator.is_valid(&json!([])), "{kind}: empty");
        let mut newer = message.clone();
        newer[0]["data"]["colour"] = json!("blue");
        newer[0]["tracestate"] = json!("x");
        assert!(validator.is_valid(&newer), "{kind}: an addition is allowed");
    }
}

/// Decodes a golden message and says what is left of it when it is written again.
fn read_again<M: Message>(data: &Value) -> Value {
    let message: M = serde_json::from_value(data.clone()).unwrap();
    serde_json::to_value(message).unwrap()
}

#[test]
fn what_was_sent_once_is_read_for_ever() {
    let document = document();
    let folder = contracts_folder().join("golden");
    let mut seen = Vec::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let kind = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let message: Value = serde_json::from_str(&text).unwrap();
        assert!(validator(&document, &kind).is_valid(&message), "{kind}");
        let event: CloudEvent<Value> = serde_json::from_value(message[0].clone()).unwrap();
        assert_eq!(event.kind, kind);
        let again = match kind.as_str() {
            OrderPlaced::TYPE => read_again::<OrderPlaced>(&event.data),
            PaymentCaptured::TYPE => read_again::<PaymentCaptured>(&event.data),
            PaymentDeclined::TYPE => read_again::<PaymentDeclined>(&event.data),
            RefundRequested::TYPE => read_again::<RefundRequested>(&event.data),
            PaymentRefunded::TYPE => read_again::<PaymentRefunded>(&event.data),
            other => panic!("{other} has a golden message and no type"),
        };
        // Whatever a newer version adds, these fields keep their names, their forms and their values.
        for (field, value) in event.data.as_object().unwrap() {
            assert_eq!(&again[field], value, "{kind}: {field}");
        }
        seen.push(kind);
    }
    seen.sort();
    assert_eq!(
        seen,
        [
            OrderPlaced::TYPE,
            PaymentCaptured::TYPE,
            PaymentDeclined::TYPE,
            PaymentRefunded::TYPE,
            RefundRequested::TYPE
        ]
    );
}
