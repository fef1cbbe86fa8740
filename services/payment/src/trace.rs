//! Following one order through this service, for operators: received, decided, booked and answered.

use contracts::OrderId;
use messaging::{
    topology::PAYMENT_ORDERS,
    trace::{self, Hop},
};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::storage::{self, ledger::EntryKind};

/// Follows an order; no hops if this service never heard of it. `requests` are the order service's events whose receipt
/// is looked for: with them, the answers to repeated requests are found too.
pub async fn trace(
    connection: &mut PgConnection,
    order_id: OrderId,
    requests: &[Uuid],
) -> Result<Vec<Hop>, sqlx::Error> {
    let decision = storage::trace::decision(connection, order_id).await?;
    let receipts = trace::received(connection, PAYMENT_ORDERS.name, requests).await?;
    let transactions: Vec<String> = decision
        .iter()
        .map(|decided| decided.transaction.clone())
        .chain(
            receipts
                .iter()
                .filter_map(|receipt| receipt.transaction.clone()),
        )
        .collect();
    let mut hops = trace::sent(connection, order_id.as_uuid(), &transactions).await?;
    hops.extend(receipts.into_iter().map(|receipt| receipt.hop));
    if let Some(decided) = decision {
        hops.push(hop(
            Some(decided.received_at),
            "payment.received",
            "taken up".to_owned(),
        ));
        let outcome = match decided.reason {
            Some(reason) => format!("{} ({reason})", decided.outcome),
            None => decided.outcome,
        };
        hops.push(hop(Some(decided.decided_at), "payment.decided", outcome));
    }
    for entry in storage::trace::entries(connection, order_id).await? {
        let kind = match entry.kind {
            EntryKind::TopUp => "top-up",
            EntryKind::Payment => "payment",
        };
        let detail = format!("{kind} as entry {}", entry.number);
        hops.push(hop(Some(entry.created_at), "ledger.entry", detail));
    }
    Ok(hops)
}

fn hop(at: Option<time::OffsetDateTime>, step: &'static str, detail: String) -> Hop {
    Hop {
        at,
        step,
        owner: None,
        event_id: None,
        detail,
    }
}
