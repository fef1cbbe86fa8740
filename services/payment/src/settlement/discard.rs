//! Giving a request up: the order it came for still gets its answer, so that it ends.

use contracts::DeclineReason;
use messaging::{consumer::Received, failure::Failure, outbox};
use sqlx::PgTransaction;
use time::OffsetDateTime;

use super::PaymentRequest;
use crate::storage::payment::{self, Decision, Payment};

/// Declines the payment, unless it was decided before: one decision per order, and what stands is answered again.
pub(super) async fn decline(
    tx: &mut PgTransaction<'_>,
    received: &Received<PaymentRequest>,
) -> Result<(), Failure> {
    let request = received.message;
    let standing = payment::find_all(tx, &[request.order_id]).await?;
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
        payment::insert_all(tx, &[payment]).await?;
        payment
    };
    match payment.decision {
        Decision::Captured => outbox::append(tx, &payment.captured(), &received.trace).await?,
        Decision::Declined(reason) => {
            outbox::append(tx, &payment.declined(reason), &received.trace).await?
        }
    };
    Ok(())
}
