//! Settlement on a real database, a transaction at a time and many at once.

mod alone;
mod at_once;
mod batched;
mod consumed;
mod discarded;
mod refunded;

use std::time::Duration;

use contracts::{EventId, Money, OrderId, TraceContext};
use messaging::{consumer::Outcome, failure::ReasonClass};
use serde_json::Value;

use super::*;
use crate::{
    limits::Amount,
    testing::{Shop, user},
};

/// A request to pay, under a message id and a trace of its own.
fn ask(order_id: OrderId, user_id: i64, amount_minor: i64) -> Received<PaymentRequest> {
    Received {
        event_id: EventId::new(),
        trace: TraceContext::root(),
        received_at: OffsetDateTime::now_utc(),
        message: PaymentRequest {
            purpose: Purpose::Payment,
            order_id,
            user_id: user(user_id),
            amount: Amount::try_from(Money::rub(amount_minor)).unwrap(),
        },
    }
}

/// A request to give back what an order cost, likewise.
fn ask_back(order_id: OrderId, user_id: i64, amount_minor: i64) -> Received<PaymentRequest> {
    let mut received = ask(order_id, user_id, amount_minor);
    received.message.purpose = Purpose::Refund;
    received
}

fn settlement(shop: &Shop) -> Settlement {
    Settlement::new(
        shop.settings.outbox_bell.clone(),
        shop.settings.metrics.clone(),
    )
}

/// Settles a batch in a transaction, once.
async fn settle_once(
    shop: &Shop,
    batch: &[Received<PaymentRequest>],
) -> Result<Vec<Unsettled>, Failure> {
    let mut tx = shop.settings.writer_pool.begin().await?;
    let (rejected, _) = settlement(shop).settle(&mut tx, batch).await?;
    tx.commit().await?;
    Ok(rejected)
}

/// Settles a batch as a consumer does: again while the cause is passing.
async fn settle(shop: &Shop, batch: &[Received<PaymentRequest>]) -> Vec<Unsettled> {
    for _ in 0..100 {
        match settle_once(shop, batch).await {
            Ok(rejected) => return rejected,
            Err(Failure::Transient(_) | Failure::Away(_)) => {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            Err(Failure::Permanent(rejection)) => panic!("{rejection}"),
        }
    }
    panic!("the batch was never settled");
}

/// What the outbox says of an order, oldest first.
async fn answers(shop: &Shop, order_id: OrderId) -> Vec<Value> {
    let bodies: Vec<Vec<u8>> =
        sqlx::query_scalar("select body from messaging.outbox where key = $1 order by id")
            .bind(order_id.as_uuid())
            .fetch_all(&shop.admin)
            .await
            .unwrap();
    bodies
        .iter()
        .map(|body| serde_json::from_slice(body).unwrap())
        .collect()
}

/// How many payments ended in this way.
async fn count(shop: &Shop, outcome: &str) -> i64 {
    sqlx::query_scalar("select count(*) from payments.payment where outcome = $1")
        .bind(outcome)
        .fetch_one(&shop.admin)
        .await
        .unwrap()
}
