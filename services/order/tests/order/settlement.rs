//! Settlement: what the payment service decided becomes the status of the orders.

use std::time::Duration;

use contracts::{DeclineReason, EventId, OrderId, TraceContext};
use messaging::{
    consumer::{Handler, Received},
    doorbell::{Channel, Doorbell, WokenBy},
    failure::{Failure, ReasonClass},
};
use order::{Settlement, settlement::PaymentDecision};
use serde_json::{Value, json};
use sqlx::PgTransaction;
use tests::poll_until;
use time::OffsetDateTime;

use crate::fixture::{Shop, captured, declined};

fn received(message: PaymentDecision) -> Received<PaymentDecision> {
    Received {
        event_id: EventId::new(),
        trace: TraceContext::root(),
        received_at: OffsetDateTime::now_utc(),
        message,
    }
}

async fn settle_in(
    tx: &mut PgTransaction<'_>,
    batch: Vec<PaymentDecision>,
) -> Result<Vec<(usize, ReasonClass)>, Failure> {
    let handler = Settlement::new(
        Doorbell::new(Channel::StatusHistory),
        order::Metrics::default(),
    );
    let batch: Vec<_> = batch.into_iter().map(received).collect();
    let (unsettled, _) = handler.settle(tx, &batch).await?;
    Ok(unsettled
        .iter()
        .map(|unsettled| (unsettled.index, unsettled.rejection().class))
        .collect())
}

/// Settles a batch in a transaction of its own and says which events were refused, and as what.
async fn settle(shop: &Shop, batch: Vec<PaymentDecision>) -> Vec<(usize, ReasonClass)> {
    let mut tx = shop.writer.begin().await.unwrap();
    let rejected = settle_in(&mut tx, batch).await.unwrap();
    tx.commit().await.unwrap();
    rejected
}

async fn read(shop: &Shop, id: OrderId) -> Value {
    shop.get(7, &format!("/api/v1/orders/{id}")).await.json
}

#[tokio::test]
async fn an_outcome_decides_its_order_and_shows_in_its_timeline() {
    let shop = Shop::open().await;
    let (paid, unpaid) = (shop.placed(7).await, shop.placed(7).await);
    let batch = vec![
        captured(paid).into(),
        declined(unpaid, DeclineReason::NoAccount).into(),
    ];
    assert_eq!(settle(&shop, batch).await, []);

    let paid = read(&shop, paid).await;
    assert_eq!(
        (&paid["status"], &paid["version"]),
        (&json!("FINISHED"), &json!(2))
    );
    assert_eq!(paid["reason"], Value::Null);
    let unpaid = read(&shop, unpaid).await;
    assert_eq!(
        (&unpaid["status"], &unpaid["reason"]),
        (&json!("CANCELLED"), &json!("no_account"))
    );
    assert!(unpaid["decided_at"].is_string());
    let timeline = unpaid["timeline"].as_array().unwrap();
    let steps: Vec<_> = timeline
        .iter()
        .map(|item| item["step"].as_str().unwrap())
        .collect();
    assert_eq!(
        steps,
        [
            "placed",
            "payment_requested",
            "payment_decided",
            "cancelled"
        ]
    );
    assert_eq!(timeline[3]["detail"], "no_account");
    let instants: Vec<_> = timeline.iter().map(|item| item["at"].to_string()).collect();
    assert!(instants.is_sorted(), "{instants:?}");
}

#[tokio::test]
async fn a_settled_batch_rings_for_who_shows_it() {
    let shop = Shop::open().await;
    let id = shop.placed(7).await;
    let mut bell = shop.status_bell.bell();
    shop.settle(&[id]).await;
    assert_eq!(bell.wait(Duration::ZERO).await, WokenBy::Signal);
}

#[tokio::test]
async fn the_same_outcome_under_another_event_changes_nothing() {
    let shop = Shop::open().await;
    let (paid, unpaid) = (shop.placed(7).await, shop.placed(7).await);
    let batch = || {
        vec![
            captured(paid).into(),
            declined(unpaid, DeclineReason::NoAccount).into(),
        ]
    };
    settle(&shop, batch()).await;
    let before = shop.contents().await;
    assert_eq!(settle(&shop, batch()).await, []);
    assert_eq!(shop.contents().await, before);
}

#[tokio::test]
async fn another_outcome_is_a_conflict_and_changes_nothing() {
    let shop = Shop::open().await;
    let (paid, unpaid) = (shop.placed(7).await, shop.placed(7).await);
    let batch = vec![
        captured(paid).into(),
        declined(unpaid, DeclineReason::NoAccount).into(),
    ];
    settle(&shop, batch).await;
    let before = shop.contents().await;
    let contrary = vec![
        declined(paid, DeclineReason::InsufficientFunds).into(),
        captured(unpaid).into(),
        declined(unpaid, DeclineReason::InsufficientFunds).into(),
    ];
    let conflict = |index| (index, ReasonClass::Conflict);
    assert_eq!(
        settle(&shop, contrary).await,
        [conflict(0), conflict(1), conflict(2)]
    );
    assert_eq!(shop.contents().await, before);
}

#[tokio::test]
async fn in_a_mixed_batch_each_event_gets_its_due() {
    let shop = Shop::open().await;
    let (decided, fresh, twice) = (
        shop.placed(7).await,
        shop.placed(7).await,
        shop.placed(7).await,
    );
    settle(&shop, vec![captured(decided).into()]).await;
    let batch = vec![
        captured(decided).into(),
        captured(OrderId::new()).into(),
        captured(twice).into(),
        declined(fresh, DeclineReason::InsufficientFunds).into(),
        captured(twice).into(),
        declined(twice, DeclineReason::NoAccount).into(),
    ];
    let rejected = settle(&shop, batch).await;
    assert_eq!(
        rejected,
        [(1, ReasonClass::UnknownOrder), (5, ReasonClass::Conflict)]
    );
    assert_eq!(read(&shop, twice).await["status"], "FINISHED");
    assert_eq!(read(&shop, fresh).await["status"], "CANCELLED");
    assert_eq!(
        shop.count("orders.status_history").await,
        6,
        "three placed, three decided"
    );
}

#[tokio::test]
async fn two_consumers_with_one_order_decide_it_once() {
    let shop = Shop::open().await;
    let id = shop.placed(7).await;
    let mut first = shop.writer.begin().await.unwrap();
    settle_in(&mut first, vec![captured(id).into()])
        .await
        .unwrap();
    let pool = shop.writer.clone();
    let second = tokio::spawn(async move {
        let mut second = pool.begin().await.unwrap();
        let rejected = settle_in(&mut second, vec![captured(id).into()]).await;
        second.commit().await.unwrap();
        rejected
    });
    poll_until(
        "the second waits for the first",
        Duration::from_secs(5),
        async || {
            let waiting: i64 =
                sqlx::query_scalar("select count(*) from pg_locks where not granted")
                    .fetch_one(&shop.admin)
                    .await
                    .unwrap();
            (waiting > 0).then_some(())
        },
    )
    .await;
    first.commit().await.unwrap();
    assert_eq!(
        second.await.unwrap().unwrap(),
        [],
        "it meets a decided order, not a surprise"
    );
    assert_eq!(shop.count("orders.status_history").await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn consumers_with_the_same_orders_in_any_order_never_deadlock() {
    let shop = Shop::open().await;
    let mut ids = Vec::new();
    for _ in 0..40 {
        ids.push(shop.placed(7).await);
    }
    let workers = (0..4).map(|worker| {
        let (pool, mut ids) = (shop.writer.clone(), ids.clone());
        tokio::spawn(async move {
            for round in 0..10 {
                ids.rotate_left(worker * 7 + round);
                if worker % 2 == 0 {
                    ids.reverse();
                }
                let mut tx = pool.begin().await.unwrap();
                let batch = ids.iter().map(|id| captured(*id).into()).collect();
                settle_in(&mut tx, batch).await.unwrap();
                tx.commit().await.unwrap();
            }
        })
    });
    for worker in futures_util::future::join_all(workers).await {
        worker.unwrap();
    }
    assert_eq!(shop.count("orders.status_history").await, 80);
}
