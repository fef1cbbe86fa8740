//! Giving a request up: an order that wants its money still gets its answer, so that it ends; one that wants it back gets
//! it, so that request is given up only where that was done already.

use contracts::DeclineReason;
use messaging::{
    consumer::{Discard, Received},
    failure::Failure,
    outbox,
};
use sqlx::PgTransaction;
use time::OffsetDateTime;

use super::PaymentRequest;
use crate::storage::{
    ledger,
    payment::{Decision, Payment},
    settle::{self, Settled},
    standing,
};

/// Declines the payment, unless it was decided before: one decision per order, and what stands is answered again.
pub(super) async fn decline(
    tx: &mut PgTransaction<'_>,
    received: &Received<PaymentRequest>,
) -> Result<Discard, Failure> {
    let request = received.message;
    let (order_ids, user_ids) = ([request.order_id], [request.user_id]);
    let (standing, _) = standing::read_and_lock(tx, &order_ids, &user_ids).await?;
    let mut decided = Vec::new();
    let payment = if let Some(payment) = standing.first() {
        *payment
    } else {
        let now = OffsetDateTime::now_utc().truncate_to_microsecond();
        let payment = Payment {
            order_id: request.order_id,
            user_id: request.user_id,
            amount: request.amount.money(),
            decision: Decision::Declined(DeclineReason::Discarded),
            received_at: now,
            decided_at: now,
        };
        decided.push(payment);
        payment
    };
    let mut events = outbox::Batch::default();
    match payment.decision {
        Decision::Captured => events.add(&payment.captured(), &received.trace)?,
        Decision::Declined(reason) => events.add(&payment.declined(reason), &received.trace)?,
    };
    // Whoever asks again may have lost what came later, too.
    for refund in ledger::refunds(tx, &order_ids).await? {
        events.add(&refund.refunded(), &received.trace)?;
    }
    let settled = Settled {
        decided: &decided,
        events,
        ..Settled::default()
    };
    settle::write(tx, settled).await?;
    Ok(Discard::Ended)
}

/// Tells once more that the money was given back; refuses if it was not.
pub(super) async fn refund(
    tx: &mut PgTransaction<'_>,
    received: &Received<PaymentRequest>,
) -> Result<Discard, Failure> {
    let order_id = received.message.order_id;
    let refunds = ledger::refunds(tx, &[order_id]).await?;
    let Some(refund) = refunds.first() else {
        return Ok(Discard::Refused(format!(
            "it asks for the money of order {order_id}, whose owner waits for it: redrive it"
        )));
    };
    outbox::append(tx, &refund.refunded(), &received.trace).await?;
    Ok(Discard::Ended)
}
