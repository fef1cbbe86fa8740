//! The timeline of an order: its history and the payment service's instants, as steps in the order of time.

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
    /// The reason of a cancellation; null otherwise.
    #[schema(value_type = Option<String>, example = "insufficient_funds")]
    detail: Option<&'static str>,
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
    });
    let mut items: Vec<TimelineItem> = history.iter().flat_map(steps).chain(again).collect();
    items.sort_by_key(|item| item.at);
    items
}

fn steps(entry: &HistoryEntry) -> impl Iterator<Item = TimelineItem> {
    let step = match entry.status {
        Status::New => TimelineStep::Placed,
        Status::Finished => TimelineStep::Finished,
        Status::Refunding => TimelineStep::RefundRequested,
        Status::Cancelled => TimelineStep::Cancelled,
    };
    let reached = TimelineItem {
        step,
        at: entry.at,
        detail: entry.reason.map(Reason::as_str),
    };
    let plain = |step, at: Option<OffsetDateTime>| {
        at.map(|at| TimelineItem {
            step,
            at,
            detail: None,
        })
    };
    let answered = match entry.reason {
        Some(Reason::Refunded) => TimelineStep::Refunded,
        Some(Reason::NotPaid(_)) | None => TimelineStep::PaymentDecided,
    };
    [
        plain(TimelineStep::PaymentRequested, entry.payment_received_at),
        plain(answered, entry.payment_decided_at),
        Some(reached),
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
        let placed = HistoryEntry {
            status: Status::New,
            reason: None,
            at: at(1),
            payment_received_at: None,
            payment_decided_at: None,
        };
        let cancelled = HistoryEntry {
            status: Status::Cancelled,
            reason: Some(Reason::NotPaid(DeclineReason::NoAccount)),
            at: at(4),
            payment_received_at: Some(at(2)),
            payment_decided_at: Some(at(2)),
        };
        let again = RepeatedRequest {
            status: Status::New,
            at: at(3),
        };
        let steps: Vec<_> = of_history(&[placed, cancelled], &[again])
            .into_iter()
            .map(|item| (item.step, item.at.unix_timestamp(), item.detail))
            .collect();
        assert_eq!(
            steps,
            [
                (TimelineStep::Placed, 1, None),
                (TimelineStep::PaymentRequested, 2, None),
                (TimelineStep::PaymentDecided, 2, None),
                (TimelineStep::PaymentRequestedAgain, 3, None),
                (TimelineStep::Cancelled, 4, Some("no_account")),
            ]
        );
    }

    #[test]
    fn a_refunded_order_shows_who_asked_and_when_the_money_was_back() {
        let entry = |status, reason, seconds, decided| HistoryEntry {
            status,
            reason,
            at: at(seconds),
            payment_received_at: None,
            payment_decided_at: decided,
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
