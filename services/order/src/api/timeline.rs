//! The timeline of an order: its history and the payment service's instants, as steps in the order of time.

use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::{status::Status, storage::history::HistoryEntry};

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
    /// The order became CANCELLED.
    Cancelled,
}

/// The steps behind a history and the requests that were repeated meanwhile. Sorted by instant, because two machines'
/// clocks may disagree; equal ones keep their order.
pub(super) fn of_history(
    history: &[HistoryEntry],
    repeated: &[OffsetDateTime],
) -> Vec<TimelineItem> {
    let again = repeated.iter().map(|at| TimelineItem {
        step: TimelineStep::PaymentRequestedAgain,
        at: *at,
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
        Status::Cancelled => TimelineStep::Cancelled,
    };
    let reached = TimelineItem {
        step,
        at: entry.at,
        detail: entry.reason.map(contracts::DeclineReason::as_str),
    };
    let plain = |step, at: Option<OffsetDateTime>| {
        at.map(|at| TimelineItem {
            step,
            at,
            detail: None,
        })
    };
    [
        plain(TimelineStep::PaymentRequested, entry.payment_received_at),
        plain(TimelineStep::PaymentDecided, entry.payment_decided_at),
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
            reason: Some(DeclineReason::NoAccount),
            at: at(4),
            payment_received_at: Some(at(2)),
            payment_decided_at: Some(at(2)),
        };
        let steps: Vec<_> = of_history(&[placed, cancelled], &[at(3)])
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
}
