//! From the bytes of a message to events: each element of a batch is read by itself, so one bad element spares the rest.

use std::borrow::Cow;

use contracts::{EventId, TraceContext, cloud_event::BATCH_CONTENT_TYPE};
use serde::Deserialize;
use serde_json::value::RawValue;
use time::OffsetDateTime;
use uuid::Uuid;

use super::event::Event;
use crate::{
    failure::{ReasonClass, Rejection},
    inbox,
};

/// The largest AMQP message taken for one of ours, in bytes: publishers stay under the broker's frame of 128 KiB.
pub const MAX_MESSAGE_BYTES: usize = 128 * 1024;

/// The most events in one message taken for one of ours; publishers put a hundred in one.
pub const MAX_MESSAGE_EVENTS: usize = 1_000;

/// Which instants an event id may carry.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Instants {
    /// The oldest that the inbox keeps; older ids are refused.
    pub(crate) horizon: OffsetDateTime,
    /// The present.
    pub(crate) now: OffsetDateTime,
}

impl Instants {
    /// For what an operator wants settled again: as old as it may be.
    pub(crate) const fn of_any_age(now: OffsetDateTime) -> Self {
        Self {
            horizon: OffsetDateTime::UNIX_EPOCH,
            now,
        }
    }
}

/// An event with the bytes it was read from.
#[derive(Debug)]
pub(crate) struct Readable<'a> {
    pub(crate) event: Event<'a>,
    pub(crate) body: &'a [u8],
}

/// What could not be read as an event, with all that can be told of it.
#[derive(Debug)]
pub(crate) struct Unreadable<'a> {
    pub(crate) id: Option<Uuid>,
    pub(crate) kind: Option<Cow<'a, str>>,
    pub(crate) trace: Option<TraceContext>,
    pub(crate) body: &'a [u8],
    pub(crate) rejection: Rejection,
}

/// Opens a message: its events, or what stands in their place. The error is about the whole message.
pub(crate) fn open<'a>(
    body: &'a [u8],
    content_type: &str,
    instants: Instants,
) -> Result<impl Iterator<Item = Result<Readable<'a>, Box<Unreadable<'a>>>>, Rejection> {
    let elements = elements(body, content_type)?;
    Ok(elements
        .into_iter()
        .map(move |element| read(element.get(), instants)))
}

/// Reads one event by itself, as it stands in a row of ours.
pub(crate) fn read_one(
    body: &[u8],
    instants: Instants,
) -> Result<Readable<'_>, Box<Unreadable<'_>>> {
    match std::str::from_utf8(body) {
        Ok(text) => read(text, instants),
        Err(error) => Err(Box::new(Unreadable {
            id: None,
            kind: None,
            trace: None,
            body,
            rejection: malformed(format!("the event is not UTF-8: {error}")),
        })),
    }
}

/// A text of the message; borrowed unless it has escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// The event attributes we need; unknown ones are left alone, as the standard wants.
#[derive(Deserialize)]
struct Attributes<'a> {
    #[serde(borrow)]
    specversion: Option<Text<'a>>,
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow, rename = "type")]
    kind: Option<Text<'a>>,
    #[serde(borrow)]
    subject: Option<Text<'a>>,
    #[serde(borrow)]
    traceparent: Option<Text<'a>>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

fn malformed(reason: impl Into<String>) -> Rejection {
    Rejection::new(ReasonClass::Malformed, reason)
}

fn elements<'a>(body: &'a [u8], content_type: &str) -> Result<Vec<&'a RawValue>, Rejection> {
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
        return Err(malformed("the message is empty"));
    }
    let text = std::str::from_utf8(body)
        .map_err(|error| malformed(format!("the message is not UTF-8: {error}")))?;
    let elements: Vec<&RawValue> = serde_json::from_str(text)
        .map_err(|error| malformed(format!("the message is no JSON array: {error}")))?;
    match elements.len() {
        0 => Err(malformed("the batch has no events")),
        1..=MAX_MESSAGE_EVENTS => Ok(elements),
        count => Err(Rejection::new(
            ReasonClass::TooLarge,
            format!("the batch has {count} events, more than {MAX_MESSAGE_EVENTS}"),
        )),
    }
}

fn read(element: &str, instants: Instants) -> Result<Readable<'_>, Box<Unreadable<'_>>> {
    let body = element.as_bytes();
    let attributes: Attributes<'_> = serde_json::from_str(element).map_err(|error| {
        Box::new(Unreadable {
            id: None,
            kind: None,
            trace: None,
            body,
            rejection: malformed(format!("no CloudEvent: {error}")),
        })
    })?;
    let Attributes {
        specversion,
        id,
        kind,
        subject,
        traceparent,
        data,
    } = attributes;
    let kind = kind.map(|text| text.0);
    let trace = traceparent.and_then(|text| TraceContext::parse(&text.0));
    let unreadable = |id, kind, rejection| {
        Box::new(Unreadable {
            id,
            kind,
            trace,
            body,
            rejection,
        })
    };
    let id = match event_id(id, instants) {
        Ok(id) => id,
        Err(rejection) => return Err(unreadable(None, kind, rejection)),
    };
    let missing = |kind, what: &str| {
        let rejection = malformed(format!("the event has no {what}"));
        Err(unreadable(Some(id.as_uuid()), kind, rejection))
    };
    if specversion.is_none_or(|text| text.0 != "1.0") {
        return missing(kind, "specversion 1.0");
    }
    let Some(kind) = kind else {
        return missing(None, "type");
    };
    let Some(subject) = subject else {
        return missing(Some(kind), "subject");
    };
    let Some(data) = data else {
        return missing(Some(kind), "data");
    };
    let event = Event {
        id,
        kind,
        subject: subject.0,
        trace: trace.unwrap_or_else(TraceContext::root),
        data,
    };
    Ok(Readable { event, body })
}

/// An id must be a `UUIDv7` whose instant the inbox still keeps: an older one could have been settled and forgotten.
fn event_id(id: Option<&RawValue>, instants: Instants) -> Result<EventId, Rejection> {
    let refuse = |reason: &str| Rejection::new(ReasonClass::EventId, reason);
    let id = id.ok_or_else(|| refuse("the event has no id"))?;
    let id: Uuid = serde_json::from_str(id.get())
        .ok()
        .and_then(|Text(text)| text.parse().ok())
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
        Some(at) if at < instants.horizon => {
            Err(refuse("the event id is older than the inbox keeps"))
        }
        Some(at) if at <= instants.now + inbox::CLOCK_SKEW => Ok(id.into()),
        _ => Err(refuse("the event id lies in the future")),
    }
}

#[cfg(test)]
mod tests;
