//! The judgement on one order: what both services say of it, and whether that may be so. No I/O.
//!
//! The order's side was read first and the payment's side under a later snapshot, so whatever the order knows of its
//! payment has to be there. The other way round it need not: a payment may be younger than the look at the orders, which
//! is why its finding counts only if a second look confirms it.

use std::{cmp::Ordering, time::Duration};

use order::{
    audit::{AuditedOrder, HistoryFacts, OrderFacts},
    status::{Reason, State, Status},
};
use payment::audit::{AuditedPayment, DecisionFacts, EntryFacts};
use time::OffsetDateTime;
use uuid::Uuid;

use super::check::Check;

/// What both services say under one order id.
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) id: Uuid,
    pub(crate) order: Option<AuditedOrder>,
    pub(crate) payment: Option<AuditedPayment>,
}

/// One thing wrong with an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) check: Check,
    pub(crate) detail: String,
}

/// When the orders were read, and how long one may wait for its payment or its refund then.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    pub(crate) now: OffsetDateTime,
    pub(crate) stuck_after: Duration,
}

/// Merges two streams, each sorted by order id without repetition, into one.
pub(crate) fn merge(
    orders: impl IntoIterator<Item = AuditedOrder>,
    payments: impl IntoIterator<Item = AuditedPayment>,
) -> impl Iterator<Item = Pair> {
    let mut orders = orders.into_iter().peekable();
    let mut payments = payments.into_iter().peekable();
    std::iter::from_fn(move || {
        let order_id = orders.peek().map(|order| order.id.as_uuid());
        let payment_id = payments.peek().map(|payment| payment.order_id.as_uuid());
        let first = match (order_id, payment_id) {
            (None, None) => return None,
            (Some(order), Some(payment)) => order.cmp(&payment),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
        };
        let order = first.is_le().then(|| orders.next()).flatten();
        let payment = first.is_ge().then(|| payments.next()).flatten();
        Some(Pair {
            id: order_id.into_iter().chain(payment_id).min()?,
            order,
            payment,
        })
    })
}

/// Everything wrong with one order.
pub(crate) fn judge(pair: &Pair, patience: Patience) -> Vec<Fault> {
    let order = pair.order.as_ref().and_then(|side| side.order.as_ref());
    let history = pair.order.as_ref().and_then(|side| side.history.as_ref());
    let decision = pair
        .payment
        .as_ref()
        .and_then(|side| side.decision.as_ref());
    let debit = pair.payment.as_ref().and_then(|side| side.debit.as_ref());
    let refund = pair.payment.as_ref().and_then(|side| side.refund.as_ref());
    let mut faults = Vec::new();
    judge_history(order, history, &mut faults);
    judge_debit(decision, debit, &mut faults);
    judge_refund(debit, refund, &mut faults);
    match (order, decision) {
        (Some(order), Some(decision)) => {
            judge_agreement(order, decision, refund, &mut faults);
        }
        (Some(order), None) if order.status != Status::New => faults.push(fault(
            Check::OrderWithoutDecision,
            format!(
                "{} without a decision on its payment",
                order.status.as_str()
            ),
        )),
        (None, Some(decision)) => faults.push(fault(
            Check::DecisionWithoutOrder,
            format!("{} for user {}", outcome(decision), decision.user_id),
        )),
        (Some(_) | None, None) => {}
    }
    if let Some(order) = order
        && let Some(age) = waiting_for(order, history, patience.now)
        && age > patience.stuck_after
    {
        let detail = format!("{} for {} s", order.status.as_str(), age.as_secs());
        faults.push(fault(Check::OrderStuck, detail));
    }
    faults
}

/// How long the order has waited for its payment or its refund; none if it waits for neither. Clocks may differ, so it is
/// never less than nothing.
pub(crate) fn waiting_for(
    order: &OrderFacts,
    history: Option<&HistoryFacts>,
    now: OffsetDateTime,
) -> Option<Duration> {
    let since = match order.status {
        Status::New => order.created_at,
        Status::Refunding => history?.last_at,
        Status::Finished | Status::Cancelled => return None,
    };
    Some((now - since).try_into().unwrap_or(Duration::ZERO))
}

fn judge_history(
    order: Option<&OrderFacts>,
    history: Option<&HistoryFacts>,
    faults: &mut Vec<Fault>,
) {
    let Some(history) = history else {
        if let Some(order) = order {
            let detail = format!("{} at version {}", order.status.as_str(), order.version);
            faults.push(fault(Check::OrderWithoutHistory, detail));
        }
        return;
    };
    let whole = history.first_version == 1
        && history.rows == i64::from(history.last_version)
        && history.first_status == Status::New;
    if !whole {
        let detail = format!(
            "{} rows from version {} ({}) to {}",
            history.rows,
            history.first_version,
            history.first_status.as_str(),
            history.last_version
        );
        faults.push(fault(Check::HistoryWithGaps, detail));
    }
    let Some(order) = order else {
        let detail = format!("{} rows for user {}", history.rows, history.users.0);
        faults.push(fault(Check::HistoryWithoutOrder, detail));
        return;
    };
    let stands = (order.status, order.version, (order.user_id, order.user_id));
    if stands != (history.last_status, history.last_version, history.users) {
        let detail = format!(
            "{} at version {} for user {}, its history ends {} at {} for users {} to {}",
            order.status.as_str(),
            order.version,
            order.user_id,
            history.last_status.as_str(),
            history.last_version,
            history.users.0,
            history.users.1
        );
        faults.push(fault(Check::HistoryUnlikeOrder, detail));
    }
}

fn judge_debit(
    decision: Option<&DecisionFacts>,
    debit: Option<&EntryFacts>,
    faults: &mut Vec<Fault>,
) {
    if let Some(debit) = debit.filter(|debit| debit.rows > 1) {
        let detail = format!("{} ledger entries", debit.rows);
        faults.push(fault(Check::DebitedTwice, detail));
    }
    match (decision, debit) {
        (None, Some(debit)) => faults.push(fault(
            Check::DebitWithoutDecision,
            format!("a ledger entry of {}", debit.amount_minor),
        )),
        (Some(decision), None) if decision.declined.is_none() => faults.push(fault(
            Check::CapturedWithoutDebit,
            format!("{} of user {}", decision.amount_minor, decision.user_id),
        )),
        (Some(decision), Some(debit)) if decision.declined.is_some() => faults.push(fault(
            Check::DeclinedWithDebit,
            format!(
                "{}, and a ledger entry of {}",
                outcome(decision),
                debit.amount_minor
            ),
        )),
        (Some(decision), Some(debit)) => {
            let decided = (Some(-decision.amount_minor), Some(decision.user_id));
            if (Some(debit.amount_minor), debit.user_id) != decided {
                let detail = format!(
                    "{} decided for user {}, the entry changes {} of user {}",
                    decision.amount_minor,
                    decision.user_id,
                    debit.amount_minor,
                    user(debit)
                );
                faults.push(fault(Check::DebitUnlikeDecision, detail));
            }
        }
        (Some(_) | None, None) => {}
    }
}

fn judge_refund(debit: Option<&EntryFacts>, refund: Option<&EntryFacts>, faults: &mut Vec<Fault>) {
    let Some(refund) = refund else {
        return;
    };
    if refund.rows > 1 {
        let detail = format!("{} refunds", refund.rows);
        faults.push(fault(Check::RefundedTwice, detail));
    }
    let Some(debit) = debit else {
        let detail = format!("a refund of {}", refund.amount_minor);
        faults.push(fault(Check::RefundWithoutDebit, detail));
        return;
    };
    let debited = (Some(-debit.amount_minor), debit.user_id);
    if (Some(refund.amount_minor), refund.user_id) != debited {
        let detail = format!(
            "the debit changes {} of user {}, the refund {} of user {}",
            debit.amount_minor,
            user(debit),
            refund.amount_minor,
            user(refund)
        );
        faults.push(fault(Check::RefundUnlikeDebit, detail));
    }
}

fn user(entry: &EntryFacts) -> String {
    entry
        .user_id
        .map_or("nobody".to_owned(), |id| id.to_string())
}

fn judge_agreement(
    order: &OrderFacts,
    decision: &DecisionFacts,
    refund: Option<&EntryFacts>,
    faults: &mut Vec<Fault>,
) {
    let state = State::of(order.status, order.reason);
    let check = match (state, decision.declined, refund.is_some()) {
        // An undecided order has its answer on the way; one that is given up, its request or the answer.
        (Some(State::New), _, false)
        | (Some(State::Finished), None, false)
        | (Some(State::Refunding), None, _)
        | (Some(State::Cancelled(Reason::Refunded)), None, true) => None,
        (Some(State::Cancelled(Reason::NotPaid(reason))), Some(declined), _)
            if reason == declined =>
        {
            None
        }
        (Some(State::New | State::Finished | State::Cancelled(Reason::Refunded)), None, _) => {
            Some(Check::StatusUnlikeRefund)
        }
        (Some(_) | None, _, _) => Some(Check::StatusUnlikeDecision),
    };
    if let Some(check) = check {
        let reason = order.reason.map_or("no reason", Reason::as_str);
        let refunded = refund.map_or("", |_| ", and refunded");
        let detail = format!(
            "{} ({reason}), its payment is {}{refunded}",
            order.status.as_str(),
            outcome(decision)
        );
        faults.push(fault(check, detail));
    }
    let ordered = (order.user_id, order.amount_minor, &order.currency);
    if ordered != (decision.user_id, decision.amount_minor, &decision.currency) {
        let detail = format!(
            "ordered by user {} for {} {}, decided for user {} and {} {}",
            order.user_id,
            order.amount_minor,
            order.currency,
            decision.user_id,
            decision.amount_minor,
            decision.currency
        );
        faults.push(fault(Check::OrderUnlikeDecision, detail));
    }
}

fn outcome(decision: &DecisionFacts) -> String {
    match decision.declined {
        None => "CAPTURED".to_owned(),
        Some(reason) => format!("DECLINED ({})", reason.as_str()),
    }
}

fn fault(check: Check, detail: String) -> Fault {
    Fault { check, detail }
}

#[cfg(test)]
mod tests;
