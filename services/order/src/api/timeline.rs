//! The timeline of an order: its history and the payment service's instants, as steps in the order of time.

use contracts::{EventId, TraceContext};
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::{
    status::{Reason, Status},
    storage::history::{HistoryEntry, RepeatedRequest},
};

/// One step of an order's way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct TimelineItem {
    /// What happened.
    step: TimelineStep,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    at: OffsetDateTime,
    /// Why the payment was declined or the order cancelled; null otherwise.
    #[schema(value_type = Option<String>, example = "insufficient_funds")]
    detail: Option<&'static str>,
    /// The event that reported it, or by which it was reported; null where there was none, and for what is older than the
    /// keeping of it.
    #[schema(value_type = Option<uuid::Uuid>)]
    event_id: Option<EventId>,
    /// The trace it happened in; null where that was not recorded.
    #[schema(example = "0af7651916cd43dd8448eb211c80319c")]
    trace_id: Option<String>,
}

/// What can happen to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TimelineStep {
    /// The order was accepted.
    Placed,
    /// Its request for payment was repeated, for it was NEW for too long.
    PaymentRequestedAgain,
    /// The payment service took it up.
    PaymentRequested,
    /// The payment service decided.
    PaymentDecided,
    /// The order became FINISHED.
    Finished,
    /// Its owner gave it up: it became REFUNDING and its money was asked for.
    RefundRequested,
    /// Its request for the money was repeated, for it was REFUNDING for too long.
    RefundRequestedAgain,
    /// The payment service gave the money back.
    Refunded,
    /// The order became CANCELLED.
    Cancelled,
}

/// The steps behind a history and the requests that were repeated meanwhile. Sorted by instant, because two machines'
/// clocks may disagree; equal ones keep their order.
pub(super) fn of_history(
    history: &[HistoryEntry],
    repeated: &[RepeatedRequest],
) -> Vec<TimelineItem> {
    let again = repeated.iter().map(|request| TimelineItem {
        step: match request.status {
            Status::Refunding => TimelineStep::RefundRequestedAgain,
            Status::New | Status::Finished | Status::Cancelled => {
                TimelineStep::PaymentRequestedAgain
            }
        },
        at: request.at,
        detail: None,
        event_id: Some(request.event_id),
        trace_id: None,
    });
    let mut items: Vec<TimelineItem> = history.iter().flat_map(steps).chain(again).collect();
    items.sort_by_key(|item| item.at);
    items
}

fn steps(entry: &HistoryEntry) -> impl Iterator<Item = TimelineItem> {
    let reached = match entry.status {
        Status::New => TimelineStep::Placed,
        Status::Finished => TimelineStep::Finished,
        Status::Refunding => TimelineStep::RefundRequested,
        Status::Cancelled => TimelineStep::Cancelled,
    };
    let answered = match entry.reason {
        Some(Reason::Refunded) => TimelineStep::Refunded,
        Some(Reason::NotPaid(_)) | None => TimelineStep::PaymentDecided,
    };
    let declined = match entry.reason {
        Some(reason @ Reason::NotPaid(_)) => Some(reason.as_str()),
        Some(Reason::Refunded) | None => None,
    };
    let trace_id = entry
        .traceparent
        .as_deref()
        .and_then(TraceContext::parse)
        .map(|trace| trace.trace_id());
    let item = |step, at: Option<OffsetDateTime>, detail| {
        let (event_id, trace_id) = match step {
            // Another event brought the request there: that of the step before.
            TimelineStep::PaymentRequested => (None, None),
            _ => (entry.event_id, trace_id.clone()),
        };
        at.map(|at| TimelineItem {
            step,
            at,
            detail,
            event_id,
            trace_id,
        })
    };
    let reason = entry.reason.map(Reason::as_str);
    [
        item(
            TimelineStep::PaymentRequested,
            entry.payment_received_at,
            None,
        ),
        item(answered, entry.payment_decided_at, declined),
        item(reached, Some(entry.at), reason),
    ]
    .into_iter()
    .flatten()
}

#[cfg(test)]
mod tests {
    use contracts::DeclineReason;

    use super::*;

    fn at(seconds: i64) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(seconds).unwrap()
    }

    #[test]
    fn a_decided_order_shows_all_its_steps_in_the_order_of_time() {
        let [asked, answered, repeated] = [(); 3].map(|()| EventId::new());
        let trace = TraceContext::root();
        let placed = HistoryEntry {
            status: Status::New,
            reason: None,
            at: at(1),
            payment_received_at: None,
            payment_decided_at: None,
            event_id: Some(asked),
            traceparent: None,
        };
        let cancelled = HistoryEntry {
            status: Status::Cancelled,
            reason: Some(Reason::NotPaid(DeclineReason::NoAccount)),
            at: at(4),
            payment_received_at: Some(at(2)),
            payment_decided_at: Some(at(2)),
            event_id: Some(answered),
            traceparent: Some(trace.to_string()),
        };
        let again = RepeatedRequest {
            status: Status::New,
            at: at(3),
            event_id: repeated,
        };
        let items = of_history(&[placed, cancelled], &[again]);
        let steps: Vec<_> = items
            .iter()
            .map(|item| (item.step, item.at.unix_timestamp(), item.detail))
            .collect();
        assert_eq!(
            steps,
            [
                (TimelineStep::Placed, 1, None),
                (TimelineStep::PaymentRequested, 2, None),
                (TimelineStep::PaymentDecided, 2, Some("no_account")),
                (TimelineStep::PaymentRequestedAgain, 3, None),
                (TimelineStep::Cancelled, 4, Some("no_account")),
            ]
        );
        let events: Vec<_> = items.iter().map(|item| item.event_id).collect();
        let told = [asked, answered, repeated, answered].map(Some);
        assert_eq!(events, [told[0], None, told[1], told[2], told[3]]);
        let trace_id = Some(trace.trace_id());
        let traces: Vec<_> = items.iter().map(|item| &item.trace_id).collect();
        assert_eq!(traces, [&None, &None, &trace_id, &None, &trace_id]);
    }

    #[test]
    fn a_refunded_order_shows_who_asked_and_when_the_money_was_back() {
        let entry = |status, reason, seconds, decided| HistoryEntry {
            status,
            reason,
            at: at(seconds),
            payment_received_at: None,
            payment_decided_at: decided,
            event_id: None,
            traceparent: None,
        };
        let history = [
            entry(Status::New, None, 1, None),
            entry(Status::Finished, None, 3, Some(at(2))),
            entry(Status::Refunding, None, 4, None),
            entry(Status::Cancelled, Some(Reason::Refunded), 7, Some(at(6))),
        ];
        let again = RepeatedRequest {
            status: Status::Refunding,
            at: at(5),
            event_id: EventId::new(),
        };
        let steps: Vec<_> = of_history(&history, &[again])
            .into_iter()
            .map(|item| (item.step, item.at.unix_timestamp(), item.detail))
            .collect();
        assert_eq!(
            steps,
            [
                (TimelineStep::Placed, 1, None),
                (TimelineStep::PaymentDecided, 2, None),
                (TimelineStep::Finished, 3, None),
                (TimelineStep::RefundRequested, 4, None),
                (TimelineStep::RefundRequestedAgain, 5, None),
                (TimelineStep::Refunded, 6, None),
                (TimelineStep::Cancelled, 7, Some("refunded")),
            ]
        );
    }
}
