//! From the bytes of a delivery to events: each element of a batch is read by itself, so one bad element spares the rest.

use contracts::{EventId, Message, TraceContext, cloud_event::BATCH_CONTENT_TYPE};
use lapin::message::Delivery;
use serde::Deserialize;
use serde_json::{Value, value::RawValue};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use uuid::Uuid;

use super::origin::Origin;
use crate::{
    dead_letter::DeadLetter,
    failure::{ReasonClass, Rejection, trace_id},
    inbox,
};

/// The largest AMQP message taken for one of ours, in bytes: publishers stay under the broker's frame of 128 KiB.
pub const MAX_MESSAGE_BYTES: usize = 128 * 1024;

/// The most events in one message taken for one of ours; publishers put a hundred in one.
pub const MAX_MESSAGE_EVENTS: usize = 1_000;

/// An event as it arrived; its data is still to be decoded.
#[derive(Debug, Clone)]
pub struct Event {
    /// The event's identity.
    pub id: EventId,
    /// Its type and version.
    pub kind: String,
    /// What it is about: the key, as text.
    pub subject: String,
    /// The trace it belongs to; a new one if it came without.
    pub trace: TraceContext,
    /// The message, in JSON.
    pub data: Box<RawValue>,
}

impl Event {
    /// Reads the data as a message of this type, and holds its key against the event's subject.
    pub fn decode<M: Message>(&self) -> Result<M, Rejection> {
        let message: M = serde_json::from_str(self.data.get()).map_err(|error| {
            Rejection::new(
                ReasonClass::Invalid,
                format!("the data is no {}: {error}", M::TYPE),
            )
        })?;
        if self.subject == message.key().to_string() {
            Ok(message)
        } else {
            Err(Rejection::new(
                ReasonClass::Invalid,
                "the subject is not what the data is about",
            ))
        }
    }

    /// What makes the event the same when it arrives again.
    pub(crate) fn digest(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        for part in [self.kind.as_str(), self.subject.as_str(), self.data.get()] {
            hash.update(
                u64::try_from(part.len())
                    .expect("a length fits")
                    .to_be_bytes(),
            );
            hash.update(part);
        }
        hash.finalize().into()
    }
}

/// The event attributes we need; unknown ones are left alone, as the standard wants.
#[derive(Deserialize)]
struct Attributes<'a> {
    specversion: Option<String>,
    id: Option<Value>,
    #[serde(rename = "type")]
    kind: Option<String>,
    subject: Option<String>,
    traceparent: Option<String>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

/// The readable events of a message with their bytes, and the rest as dead letters.
pub(crate) type Opened = Vec<Result<(Event, Vec<u8>), Box<DeadLetter>>>;

/// Opens a message: its events, each with its bytes, or dead letters in their place. `horizon` and `now` bound the
/// instants inside event ids.
pub(crate) fn open(
    delivery: &Delivery,
    origin: &Origin,
    horizon: OffsetDateTime,
    now: OffsetDateTime,
) -> Opened {
    let content_type = delivery
        .properties
        .content_type()
        .as_ref()
        .map_or("", |text| text.as_str());
    match elements(&delivery.data, content_type) {
        Ok(elements) => elements
            .into_iter()
            .map(|element| read(element, origin, horizon, now))
            .collect(),
        Err(rejection) => vec![Err(origin.letter(&delivery.data, rejection))],
    }
}

fn elements<'a>(body: &'a [u8], content_type: &str) -> Result<Vec<&'a RawValue>, Rejection> {
    let malformed = |reason: String| Rejection::new(ReasonClass::Malformed, reason);
    if body.len() > MAX_MESSAGE_BYTES {
        let reason = format!(
            "the message has {} bytes, more than {MAX_MESSAGE_BYTES}",
            body.len()
        );
        return Err(Rejection::new(ReasonClass::TooLarge, reason));
    }
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case(BATCH_CONTENT_TYPE) {
        let reason = format!("the content type is not {BATCH_CONTENT_TYPE}");
        return Err(Rejection::new(ReasonClass::ContentType, reason));
    }
    if body.is_empty() {
        return Err(malformed("the message is empty".to_owned()));
    }
    let text = std::str::from_utf8(body)
        .map_err(|error| malformed(format!("the message is not UTF-8: {error}")))?;
    let elements: Vec<&RawValue> = serde_json::from_str(text)
        .map_err(|error| malformed(format!("the message is no JSON array: {error}")))?;
    match elements.len() {
        0 => Err(malformed("the batch has no events".to_owned())),
        1..=MAX_MESSAGE_EVENTS => Ok(elements),
        count => Err(Rejection::new(
            ReasonClass::TooLarge,
            format!("the batch has {count} events, more than {MAX_MESSAGE_EVENTS}"),
        )),
    }
}

fn read(
    element: &RawValue,
    origin: &Origin,
    horizon: OffsetDateTime,
    now: OffsetDateTime,
) -> Result<(Event, Vec<u8>), Box<DeadLetter>> {
    let body = element.get().as_bytes();
    let attributes: Attributes<'_> = serde_json::from_str(element.get()).map_err(|error| {
        origin.letter(
            body,
            Rejection::new(ReasonClass::Malformed, format!("no CloudEvent: {error}")),
        )
    })?;
    let dead = |rejection: Rejection| {
        Box::new(DeadLetter {
            kind: attributes.kind.clone(),
            trace_id: trace_id(attributes.traceparent.as_deref()),
            ..*origin.letter(body, rejection)
        })
    };
    let id = event_id(attributes.id.as_ref(), horizon, now).map_err(dead)?;
    let missing = |what: &str| {
        Box::new(DeadLetter {
            message_id: Some(id.as_uuid()),
            ..*dead(Rejection::new(
                ReasonClass::Malformed,
                format!("the event has no {what}"),
            ))
        })
    };
    if attributes.specversion.as_deref() != Some("1.0") {
        return Err(missing("specversion 1.0"));
    }
    let event = Event {
        id,
        kind: attributes.kind.clone().ok_or_else(|| missing("type"))?,
        subject: attributes
            .subject
            .clone()
            .ok_or_else(|| missing("subject"))?,
        trace: attributes
            .traceparent
            .as_deref()
            .and_then(TraceContext::parse)
            .unwrap_or_else(TraceContext::root),
        data: attributes.data.ok_or_else(|| missing("data"))?.to_owned(),
    };
    Ok((event, body.to_vec()))
}

/// An id must be a `UUIDv7` whose instant the inbox still keeps: an older one could have been settled and forgotten.
fn event_id(
    id: Option<&Value>,
    horizon: OffsetDateTime,
    now: OffsetDateTime,
) -> Result<EventId, Rejection> {
    let refuse = |reason: &str| Rejection::new(ReasonClass::EventId, reason);
    let id = id.ok_or_else(|| refuse("the event has no id"))?;
    let id: Uuid = id
        .as_str()
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| refuse("the event id is no UUID"))?;
    let timestamp = (id.get_version_num() == 7)
        .then(|| id.get_timestamp())
        .flatten();
    let (seconds, _) = timestamp
        .ok_or_else(|| refuse("the event id is no UUIDv7"))?
        .to_unix();
    let at = i64::try_from(seconds)
        .ok()
        .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
    match at {
        Some(at) if at < horizon => Err(refuse("the event id is older than the inbox keeps")),
        Some(at) if at <= now + inbox::CLOCK_SKEW => Ok(id.into()),
        _ => Err(refuse("the event id lies in the future")),
    }
}

#[cfg(test)]
mod tests {
    use contracts::CloudEvent;
    use serde_json::json;

    use super::*;

    const CONTENT_TYPE: &str = BATCH_CONTENT_TYPE;

    fn many(events: usize) -> Vec<u8> {
        format!("[{}0]", "0,".repeat(events - 1)).into_bytes()
    }

    fn class_of(body: &[u8], content_type: &str) -> Option<ReasonClass> {
        elements(body, content_type)
            .err()
            .map(|rejection| rejection.class)
    }

    #[test]
    fn what_is_no_batch_is_refused_with_its_reason() {
        let brackets = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        let oversized = vec![b' '; MAX_MESSAGE_BYTES + 1];
        for (body, class) in [
            (&b""[..], ReasonClass::Malformed),
            (b"\xff\xfe", ReasonClass::Malformed),
            (b"{", ReasonClass::Malformed),
            (b"{}", ReasonClass::Malformed),
            (b"[]", ReasonClass::Malformed),
            (b"null", ReasonClass::Malformed),
            (&oversized, ReasonClass::TooLarge),
            (&many(MAX_MESSAGE_EVENTS + 1), ReasonClass::TooLarge),
        ] {
            assert_eq!(
                class_of(body, CONTENT_TYPE),
                Some(class),
                "{:?}",
                String::from_utf8_lossy(body).get(..20)
            );
        }
        assert_eq!(class_of(&many(MAX_MESSAGE_EVENTS), CONTENT_TYPE), None);
        assert_eq!(
            class_of(b"[{}]", "application/json"),
            Some(ReasonClass::ContentType)
        );
        assert_eq!(
            class_of(b"[{}]", "Application/CloudEvents-batch+json; charset=utf-8"),
            None
        );
        assert!(
            elements(brackets.as_bytes(), CONTENT_TYPE).is_ok_and(|elements| elements.len() == 1)
        );
    }

    #[test]
    fn an_event_id_is_a_recent_uuid_of_version_7() {
        let now = OffsetDateTime::now_utc();
        let horizon = now - time::Duration::days(2);
        let at = |instant: OffsetDateTime| {
            let seconds = u64::try_from(instant.unix_timestamp()).unwrap();
            let context = uuid::NoContext;
            json!(Uuid::new_v7(uuid::Timestamp::from_unix(context, seconds, 0)).to_string())
        };
        assert!(event_id(Some(&at(now)), horizon, now).is_ok());
        assert!(
            event_id(
                Some(&at(horizon + time::Duration::seconds(1))),
                horizon,
                now
            )
            .is_ok()
        );
        for bad in [
            None,
            Some(json!(7)),
            Some(json!("seven")),
            Some(json!(Uuid::new_v4().to_string())),
            Some(at(horizon - time::Duration::seconds(1))),
            Some(at(now + inbox::CLOCK_SKEW + time::Duration::seconds(2))),
        ] {
            let refused = event_id(bad.as_ref(), horizon, now).unwrap_err();
            assert_eq!(refused.class, ReasonClass::EventId, "{bad:?}");
        }
    }

    #[test]
    fn nested_brackets_are_no_event() {
        let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        let raw: &RawValue = serde_json::from_str(&deep).unwrap();
        let origin = Origin::for_tests("order.placed.v1".to_owned());
        let now = OffsetDateTime::now_utc();
        let letter = read(raw, &origin, now, now).unwrap_err();
        assert_eq!(letter.rejection.class, ReasonClass::Malformed);
    }

    #[test]
    fn the_form_of_an_event_is_our_own_envelope() {
        let placed = contracts::PaymentCaptured {
            order_id: contracts::OrderId::new(),
            received_at: OffsetDateTime::UNIX_EPOCH,
            decided_at: OffsetDateTime::UNIX_EPOCH,
        };
        let trace = TraceContext::root();
        let now = OffsetDateTime::now_utc();
        let json = serde_json::to_string(&CloudEvent::new(&placed, &trace, now)).unwrap();
        let raw: &RawValue = serde_json::from_str(&json).unwrap();
        let origin = Origin::for_tests("payment.captured.v1".to_owned());
        let (event, _) = read(raw, &origin, now - time::Duration::days(1), now).unwrap();
        assert_eq!(
            event.decode::<contracts::PaymentCaptured>().unwrap(),
            placed
        );
        assert_eq!(event.trace, trace);
    }
}
