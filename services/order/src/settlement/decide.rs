//! The decision itself, without I/O: payment outcomes and how their orders stand in, changes and refusals out.

use std::collections::HashMap;

use contracts::{DeclineReason, OrderId};
use messaging::{
    consumer::{Outcome as Fate, Unsettled},
    failure::{ReasonClass, Rejection},
};

use super::PaymentDecision;
use crate::{
    status::{Outcome, Status, Step, step},
    storage::settle::{Decision, Standing},
};

/// What is to become of a batch.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    /// Changes, at most one per order.
    pub(super) decisions: Vec<Decision>,
    /// Events without effect: their order is not there yet, or was decided otherwise.
    pub(super) unsettled: Vec<Unsettled>,
}

/// What an outcome makes of an order that is NEW, as nearly all are when it comes.
pub(super) fn of_new(event: &PaymentDecision) -> Option<Decision> {
    match step(Status::New, event.outcome) {
        Step::To(status) => Some(decision(event, status)),
        Step::Already | Step::Conflict => None,
    }
}

/// Goes through events, each with its place in the batch, in their order; a later event about an order meets what an
/// earlier one made of it.
pub(super) fn decide<'b>(
    standings: Vec<Standing>,
    events: impl Iterator<Item = (usize, &'b PaymentDecision)>,
) -> Verdict {
    let mut orders: HashMap<OrderId, Standing> = standings
        .into_iter()
        .map(|standing| (standing.order_id, standing))
        .collect();
    let mut verdict = Verdict::default();
    for (index, event) in events {
        let outcome = match orders.get_mut(&event.order_id) {
            Some(order) => apply(order, event).map_err(Fate::Rejected),
            // Its row may yet come back: a database restored from a backup is behind the broker.
            None => Err(Fate::NotYet(unknown_order(event))),
        };
        match outcome {
            Ok(decision) => verdict.decisions.extend(decision),
            Err(outcome) => verdict.unsettled.push(Unsettled { index, outcome }),
        }
    }
    verdict
}

/// The change an outcome makes to an order, if any; the order then stands there.
fn apply(order: &mut Standing, event: &PaymentDecision) -> Result<Option<Decision>, Rejection> {
    match step(order.status, event.outcome) {
        Step::To(status) => {
            order.status = status;
            order.reason = reason(event);
            Ok(Some(decision(event, status)))
        }
        // The payment service keeps its answer and gives it again; another reason is another answer.
        Step::Already if order.reason == reason(event) => Ok(None),
        Step::Already | Step::Conflict => Err(conflict(order.status, event)),
    }
}

fn decision(event: &PaymentDecision, status: Status) -> Decision {
    Decision {
        order_id: event.order_id,
        status,
        reason: reason(event),
        payment_received_at: event.received_at,
        payment_decided_at: event.decided_at,
    }
}

const fn reason(event: &PaymentDecision) -> Option<DeclineReason> {
    match event.outcome {
        Outcome::Captured => None,
        Outcome::Declined(reason) => Some(reason),
    }
}

fn conflict(status: Status, event: &PaymentDecision) -> Rejection {
    let outcome = match event.outcome {
        Outcome::Captured => "captured".to_owned(),
        Outcome::Declined(reason) => format!("declined ({})", reason.as_str()),
    };
    let reason = format!(
        "order {} was decided otherwise: it is {}, and this says {outcome}",
        event.order_id,
        status.as_str()
    );
    Rejection::new(ReasonClass::Conflict, reason)
}

fn unknown_order(event: &PaymentDecision) -> Rejection {
    Rejection::new(
        ReasonClass::UnknownOrder,
        format!("there is no order {}", event.order_id),
    )
}

#[cfg(test)]
mod tests;
