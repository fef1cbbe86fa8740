//! The decision itself, without I/O: payment outcomes and how their orders stand in, changes and refusals out.

use std::collections::HashMap;

use contracts::{EventId, OrderId};
use messaging::{
    consumer::{Outcome as Fate, Unsettled},
    failure::{ReasonClass, Rejection},
};

use super::PaymentDecision;
use crate::{
    status::{Outcome, Reason, State, Status, Step, step},
    storage::settle::{Decision, Standing},
};

/// What is to become of a batch.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    /// Changes, one round after the other, at most one per order in each.
    pub(super) rounds: Vec<Vec<Decision>>,
    /// Events without effect: what they follow is not there yet, or their order was decided otherwise.
    pub(super) unsettled: Vec<Unsettled>,
}

/// A payment outcome, and the event that brought it.
pub(super) type Heard<'b> = (EventId, &'b PaymentDecision);

/// What an outcome makes of an order that stands where nearly all do when it comes.
pub(super) fn likely(heard: Heard<'_>) -> Decision {
    match heard.1.outcome {
        Outcome::Captured => decision(heard, Status::New, State::Finished),
        Outcome::Declined(reason) => {
            let cancelled = State::Cancelled(Reason::NotPaid(reason));
            decision(heard, Status::New, cancelled)
        }
        Outcome::Refunded => {
            let cancelled = State::Cancelled(Reason::Refunded);
            decision(heard, Status::Refunding, cancelled)
        }
    }
}

/// Goes through events, each with its place in the batch, in their order; a later event about an order meets what an
/// earlier one made of it.
pub(super) fn decide<'b>(
    standings: Vec<Standing>,
    events: impl Iterator<Item = (usize, Heard<'b>)>,
) -> Verdict {
    let mut orders: HashMap<OrderId, (State, usize)> = standings
        .into_iter()
        .map(|standing| (standing.order_id, (standing.state, 0)))
        .collect();
    let mut verdict = Verdict::default();
    for (index, heard) in events {
        let (_, event) = heard;
        let Some((state, round)) = orders.get_mut(&event.order_id) else {
            // Its row may yet come back: a database restored from a backup is behind the broker.
            let outcome = Fate::NotYet(unknown_order(event));
            verdict.unsettled.push(Unsettled { index, outcome });
            continue;
        };
        let outcome = match step(*state, event.outcome) {
            Step::To(next) => {
                if verdict.rounds.len() == *round {
                    verdict.rounds.push(Vec::new());
                }
                let change = decision(heard, state.status(), next);
                verdict.rounds[*round].push(change);
                (*state, *round) = (next, *round + 1);
                continue;
            }
            Step::Already => continue,
            Step::NotYet => Fate::NotYet(conflict(*state, event)),
            Step::Conflict => Fate::Rejected(conflict(*state, event)),
        };
        verdict.unsettled.push(Unsettled { index, outcome });
    }
    verdict
}

const fn decision((event_id, event): Heard<'_>, from: Status, to: State) -> Decision {
    Decision {
        order_id: event.order_id,
        event_id,
        from,
        to,
        payment_received_at: event.received_at,
        payment_decided_at: event.decided_at,
    }
}

fn conflict(state: State, event: &PaymentDecision) -> Rejection {
    let outcome = match event.outcome {
        Outcome::Captured => "captured".to_owned(),
        Outcome::Declined(reason) => format!("declined ({})", reason.as_str()),
        Outcome::Refunded => "refunded".to_owned(),
    };
    let reason = format!(
        "order {} stands otherwise: it is {}, and this says {outcome}",
        event.order_id,
        state.status().as_str()
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
