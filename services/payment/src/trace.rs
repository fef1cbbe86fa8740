//! Following one order through this service, for operators: received, decided, booked, refunded and answered.

use contracts::{DeclineReason, OrderId};
use messaging::{
    topology::PAYMENT_ORDERS,
    trace::{self, Hop, Writer},
};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::storage::{self, ledger::EntryKind, trace::Verdict};

/// Follows an order; no hops if this service never heard of it. `requests` are the order service's events whose receipt
/// is looked for: with them, the answers to repeated requests are found too.
pub async fn trace(
    connection: &mut PgConnection,
    order_id: OrderId,
    requests: &[Uuid],
) -> Result<Vec<Hop>, sqlx::Error> {
    let decision = storage::trace::decision(connection, order_id).await?;
    let entries = storage::trace::entries(connection, order_id).await?;
    let receipts = trace::received(connection, PAYMENT_ORDERS.name, requests).await?;
    let decided = decision
        .iter()
        .map(|decided| (&decided.transaction, decider(decided)));
    let received = receipts
        .iter()
        .filter_map(|receipt| Some((receipt.transaction.as_ref()?, PAYMENT_ORDERS.name)));
    // A payment's entry was written with its decision; a refund's with nothing else.
    let booked = entries
        .iter()
        .map(|entry| (&entry.transaction, PAYMENT_ORDERS.name));
    let writers = decided
        .chain(booked)
        .chain(received)
        .map(|(transaction, owner)| Writer {
            transaction: transaction.clone(),
            owner,
        });
    let writers: Vec<Writer> = writers.collect();
    let mut hops = trace::sent(connection, order_id.as_uuid(), &writers).await?;
    hops.extend(receipts.into_iter().map(|receipt| receipt.hop));
    if let Some(decided) = decision {
        let owner = decider(&decided);
        let hop = |at, step, detail| hop(at, step, owner, detail);
        hops.push(hop(
            decided.received_at,
            "payment.received",
            "taken up".to_owned(),
        ));
        let outcome = match decided.reason {
            Some(reason) => format!("{} ({reason})", decided.outcome),
            None => decided.outcome,
        };
        hops.push(hop(decided.decided_at, "payment.decided", outcome));
    }
    for entry in entries {
        let kind = match entry.kind {
            EntryKind::TopUp => "top-up",
            EntryKind::Payment => "payment",
            EntryKind::Refund => "refund",
        };
        let detail = format!("{kind} as entry {}", entry.number);
        let owner = PAYMENT_ORDERS.name;
        hops.push(hop(entry.created_at, "ledger.entry", owner, detail));
    }
    Ok(hops)
}

/// Who decided: the queue's consumer, unless an operator gave the request up.
fn decider(decided: &Verdict) -> &'static str {
    if decided.reason.as_deref() == Some(DeclineReason::Discarded.as_str()) {
        "operator"
    } else {
        PAYMENT_ORDERS.name
    }
}

fn hop(at: OffsetDateTime, step: &'static str, owner: &'static str, detail: String) -> Hop {
    Hop {
        at: Some(at),
        step,
        owner: Some(owner.to_owned()),
        lane: None,
        epoch: None,
        attempts: None,
        event_id: None,
        detail,
    }
}
