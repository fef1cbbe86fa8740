//! Dead letters over HTTP: one endpoint per file, and what they share.

use messaging::{
    dead_letter::{Filter, Letter, MAX_LETTERS, ReasonCount},
    failure::ReasonClass,
};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Service, error::Error};

pub(crate) mod about;
pub(crate) mod cancel;
pub(crate) mod discard;
pub(crate) mod list;
pub(crate) mod redrive;
pub(crate) mod show;

/// The most dead letters on a page.
pub(crate) const PAGE_MAX: i64 = 500;

/// The most ids in one request: its body has a limit, too.
pub(crate) const IDS_MAX: usize = 1_000;

/// The most dead letters per second that a redrive may ask for.
pub(crate) const RATE_MAX: u32 = 1_000;

/// A dead letter without its headers and body.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct DeadLetter {
    /// Its number in this service; grows with time.
    pub(crate) id: i64,
    /// The queue whose consumer gave up.
    pub(crate) queue: String,
    /// The event's id; null where it cannot be read.
    #[schema(required)]
    pub(crate) event_id: Option<uuid::Uuid>,
    /// The event's type; null where it cannot be read.
    #[serde(rename = "type")]
    #[schema(required)]
    pub(crate) kind: Option<String>,
    /// Whether the body is a whole message, which may hold many events.
    pub(crate) whole_message: bool,
    /// Why, as a class to filter by.
    #[schema(example = "unknown_order")]
    pub(crate) reason: String,
    /// Why, in words.
    pub(crate) detail: String,
    /// How often it arrived or died.
    pub(crate) occurrences: i32,
    /// How often settling it was tried.
    pub(crate) attempts: i32,
    /// The trace it belongs to; null where it cannot be read.
    #[schema(required)]
    pub(crate) trace_id: Option<String>,
    /// When it first became a dead letter.
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) first_seen_at: OffsetDateTime,
    /// When it last did.
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) last_seen_at: OffsetDateTime,
    /// From when on it is settled again; null unless an operator has asked for it.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(required)]
    pub(crate) redrive_at: Option<OffsetDateTime>,
    /// The operator who asked for it.
    #[schema(required)]
    pub(crate) redrive_by: Option<String>,
    /// Under which request: the `request_id` of the redrive.
    #[serde(default)]
    #[schema(required)]
    pub(crate) redrive_request_id: Option<Uuid>,
}

impl From<Letter> for DeadLetter {
    fn from(letter: Letter) -> Self {
        Self {
            id: letter.id,
            queue: letter.queue,
            event_id: letter.message_id,
            kind: letter.kind,
            whole_message: letter.whole_message,
            reason: letter.reason_class,
            detail: letter.reason,
            occurrences: letter.occurrences,
            attempts: letter.attempts,
            trace_id: letter.trace_id,
            first_seen_at: letter.first_seen_at,
            last_seen_at: letter.last_seen_at,
            redrive_at: letter.redrive_at,
            redrive_by: letter.redrive_by,
            redrive_request_id: letter.redrive_request,
        }
    }
}

/// How many dead letters there are for one reason.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct DeadLetterCount {
    /// The queue.
    pub(crate) queue: String,
    /// The reason.
    pub(crate) reason: String,
    /// How many.
    pub(crate) letters: i64,
    /// How many of them are marked to be settled again.
    pub(crate) marked: i64,
    /// When the first of them became a dead letter.
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) oldest_at: OffsetDateTime,
}

impl From<ReasonCount> for DeadLetterCount {
    fn from(count: ReasonCount) -> Self {
        Self {
            queue: count.queue,
            reason: count.reason_class,
            letters: count.letters,
            marked: count.marked,
            oldest_at: count.oldest,
        }
    }
}

/// Which dead letters are meant: those that meet every condition that is set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct DeadLetterFilter {
    /// The queue whose consumer gave up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) queue: Option<String>,
    /// The reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    /// The event type.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub(crate) kind: Option<String>,
    /// At least this many seconds in dead letters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) min_age_seconds: Option<u32>,
    /// Only these, at most 1,000; all if empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) ids: Vec<i64>,
    /// Only those behind this one: the `last_id` of a redrive whose next part this is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) after: Option<i64>,
}

impl DeadLetterFilter {
    /// The filter as the messaging core knows it.
    fn parse(self, service: Service, limit: i64) -> Result<Filter, Error> {
        let queue = service.queue().name;
        if self.queue.as_deref().is_some_and(|asked| asked != queue) {
            return Err(Error::QueueUnknown(queue));
        }
        let reason = self
            .reason
            .map(|name| ReasonClass::parse(&name).ok_or(Error::ReasonUnknown))
            .transpose()?;
        if self.ids.len() > IDS_MAX || self.ids.iter().any(|id| *id < 1) {
            return Err(Error::IdsOutOfRange);
        }
        if !(1..=MAX_LETTERS).contains(&limit) {
            return Err(Error::LimitOutOfRange);
        }
        Ok(Filter {
            queue: self.queue,
            reason,
            kind: self.kind,
            min_age: self
                .min_age_seconds
                .map(|seconds| Duration::from_secs(seconds.into())),
            ids: self.ids,
            after: self.after,
            limit,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(change: impl FnOnce(&mut DeadLetterFilter), limit: i64) -> Result<Filter, Error> {
        let mut filter = DeadLetterFilter::default();
        change(&mut filter);
        filter.parse(Service::Payment, limit)
    }

    #[test]
    fn a_filter_is_refused_where_it_could_mean_nothing() {
        assert!(filter(|_| {}, 1).is_ok());
        let cases: [(Result<Filter, Error>, &str); 6] = [
            (
                filter(|f| f.queue = Some("order.payments.v1".into()), 1),
                "queue_unknown",
            ),
            (
                filter(|f| f.reason = Some("whim".into()), 1),
                "reason_unknown",
            ),
            (filter(|f| f.ids = vec![0], 1), "ids_out_of_range"),
            (
                filter(|f| f.ids = vec![1; IDS_MAX + 1], 1),
                "ids_out_of_range",
            ),
            (filter(|_| {}, 0), "limit_out_of_range"),
            (filter(|_| {}, MAX_LETTERS + 1), "limit_out_of_range"),
        ];
        for (outcome, code) in cases {
            assert_eq!(chassis::Problem::from(outcome.unwrap_err()).code(), code);
        }
    }
}
