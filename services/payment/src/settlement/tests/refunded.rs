//! Refunds: what was paid comes back once, and nothing that was not.

use contracts::AccountId;
use futures_util::future::join_all;
use messaging::consumer::Discard;
use serde_json::json;

use super::*;
use crate::{
    limits::{AMOUNT_MAX_MINOR, BALANCE_MAX_MINOR},
    storage::ledger::{EntryKind, NewEntry},
};

/// A customer with this much, and a paid order of this much of it.
async fn paid(shop: &Shop, balance: i64, amount_minor: i64) -> OrderId {
    shop.customer(1, balance).await;
    let order_id = OrderId::new();
    assert_eq!(settle(shop, &[ask(order_id, 1, amount_minor)]).await, []);
    order_id
}

/// How many refunds the ledger has.
async fn refunds(shop: &Shop) -> i64 {
    sqlx::query_scalar("select count(*) from payments.ledger_entry where kind = 'REFUND'")
        .fetch_one(&shop.admin)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_paid_order_gets_its_money_back_exactly_and_is_answered_in_its_own_trace() {
    let shop = Shop::open().await;
    let order_id = paid(&shop, 10_000, 3_001).await;
    let request = ask_back(order_id, 1, 3_001);
    assert_eq!(settle(&shop, std::slice::from_ref(&request)).await, []);
    assert_eq!(shop.balance(1).await, 10_000);
    let answers = answers(&shop, order_id).await;
    assert_eq!(answers.len(), 2);
    assert_eq!(answers[1]["type"], "payment.refunded.v1");
    assert_eq!(answers[1]["traceparent"], request.trace.to_string());
    let entries = shop.get(1, "/api/v1/account/entries").await.json();
    let entry = &entries["items"][0];
    assert_eq!(entry["kind"], "REFUND");
    assert_eq!(entry["amount"]["amount_minor"], 3_001);
    assert_eq!(entry["balance_after"]["amount_minor"], 10_000);
    assert_eq!(entry["order_id"], order_id.to_string());
    assert_eq!(entry["created_at"], answers[1]["data"]["refunded_at"]);
    shop.check_books().await;
}

#[tokio::test]
async fn a_refund_asked_for_again_gets_the_same_answer_and_no_second_entry() {
    let shop = Shop::open().await;
    let order_id = paid(&shop, 10_000, 3_000).await;
    let twice = [ask_back(order_id, 1, 3_000), ask_back(order_id, 1, 3_000)];
    assert_eq!(settle(&shop, &twice).await, []);
    assert_eq!(settle(&shop, &[ask_back(order_id, 1, 3_000)]).await, []);
    assert_eq!((shop.balance(1).await, refunds(&shop).await), (10_000, 1));
    let answers = answers(&shop, order_id).await;
    assert_eq!(answers.len(), 4);
    for answer in &answers[2..] {
        assert_eq!(answer["type"], "payment.refunded.v1");
        assert_eq!(answer["data"], answers[1]["data"]);
        assert_ne!(answer["id"], answers[1]["id"]);
    }
    shop.check_books().await;
}

#[tokio::test]
async fn whoever_asks_again_for_the_payment_of_a_refunded_order_is_told_of_both() {
    let shop = Shop::open().await;
    let order_id = paid(&shop, 10_000, 3_000).await;
    settle(&shop, &[ask_back(order_id, 1, 3_000)]).await;
    assert_eq!(settle(&shop, &[ask(order_id, 1, 3_000)]).await, []);
    let types: Vec<_> = answers(&shop, order_id)
        .await
        .iter()
        .map(|answer| answer["type"].as_str().unwrap().to_owned())
        .collect();
    let captured = "payment.captured.v1";
    let refunded = "payment.refunded.v1";
    assert_eq!(types, [captured, refunded, captured, refunded]);
    assert_eq!(shop.balance(1).await, 10_000);
    shop.check_books().await;
}

#[tokio::test]
async fn what_was_not_paid_or_of_other_contents_is_a_conflict_and_changes_nothing() {
    let shop = Shop::open().await;
    shop.customer(2, 10_000).await;
    let order_id = paid(&shop, 10_000, 3_000).await;
    let declined = OrderId::new();
    settle(&shop, &[ask(declined, 1, 30_000)]).await;
    let before = shop.contents().await;
    let batch = [
        ask_back(order_id, 1, 2_999),
        ask_back(order_id, 2, 3_000),
        ask_back(declined, 1, 30_000),
    ];
    let rejected = settle(&shop, &batch).await;
    assert_eq!(rejected.len(), batch.len());
    for unsettled in &rejected {
        assert!(matches!(unsettled.outcome, Outcome::Rejected(_)));
        assert_eq!(unsettled.rejection().class, ReasonClass::Conflict);
    }
    assert_eq!(shop.contents().await, before);
}

#[tokio::test]
async fn a_refund_of_an_order_that_nobody_asked_to_pay_waits_for_its_payment() {
    let shop = Shop::open().await;
    shop.customer(1, 10_000).await;
    let order_id = OrderId::new();
    let before = shop.contents().await;
    let unsettled = settle(&shop, &[ask_back(order_id, 1, 3_000)]).await;
    assert!(matches!(unsettled[0].outcome, Outcome::NotYet(_)));
    assert_eq!(unsettled[0].rejection().class, ReasonClass::UnknownOrder);
    assert_eq!(shop.contents().await, before);
    // A payment that comes first in the same batch is early enough.
    let both = [ask(order_id, 1, 3_000), ask_back(order_id, 1, 3_000)];
    assert_eq!(settle(&shop, &both).await, []);
    assert_eq!((shop.balance(1).await, refunds(&shop).await), (10_000, 1));
    shop.check_books().await;
}

#[tokio::test]
async fn one_refund_asked_for_by_many_at_once_is_entered_once() {
    let shop = Shop::open().await;
    let order_id = paid(&shop, 10_000, 3_000).await;
    let batches: Vec<_> = (0..20)
        .map(|_| [ask_back(order_id, 1, 3_000), ask(OrderId::new(), 1, 10)])
        .collect();
    join_all(batches.iter().map(|batch| settle(&shop, batch))).await;
    assert_eq!((shop.balance(1).await, refunds(&shop).await), (9_800, 1));
    assert_eq!(answers(&shop, order_id).await.len(), 21);
    shop.check_books().await;
}

#[tokio::test]
async fn refunds_and_payments_over_the_same_accounts_never_wait_for_each_other_in_a_circle() {
    let shop = Shop::open().await;
    let mut orders = Vec::new();
    for user_id in 1..=20 {
        shop.customer(user_id, 1_000_000).await;
        orders.push(ask(OrderId::new(), user_id, 100));
    }
    settle(&shop, &orders).await;
    let batches: Vec<Vec<_>> = (0..24)
        .map(|n| {
            let mut batch: Vec<_> = orders
                .iter()
                .zip(1..)
                .map(|(order, user_id)| match n % 3 {
                    0 => ask_back(order.message.order_id, user_id, 100),
                    _ => ask(OrderId::new(), user_id, 100),
                })
                .collect();
            batch.rotate_left(n % 20);
            if n % 2 == 0 {
                batch.reverse();
            }
            batch
        })
        .collect();
    let outcomes = join_all(batches.iter().map(|batch| settle_once(&shop, batch))).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    assert_eq!(refunds(&shop).await, 20);
    shop.check_books().await;
}

#[tokio::test]
async fn the_index_alone_keeps_a_second_refund_out_and_calls_it_a_passing_failure() {
    let shop = Shop::open().await;
    let order_id = paid(&shop, 10_000, 3_000).await;
    settle(&shop, &[ask_back(order_id, 1, 3_000)]).await;
    let account_id: AccountId = sqlx::query_scalar("select id from payments.account")
        .fetch_one(&shop.admin)
        .await
        .unwrap();
    let entry = NewEntry {
        kind: EntryKind::Refund,
        account_id,
        order_id,
        amount: Amount::try_from(Money::rub(3_000)).unwrap(),
        balance_after: Money::rub(13_000),
        created_at: OffsetDateTime::now_utc(),
    };
    let mut tx = shop.settings.writer_pool.begin().await.unwrap();
    let refund = Settled {
        entries: &[entry],
        totals: &[(account_id, 3_000)],
        ..Settled::default()
    };
    let again = settle::write(&mut tx, refund).await;
    assert!(matches!(again, Err(Failure::Transient(_))), "{again:?}");
    tx.rollback().await.unwrap();
    assert_eq!(shop.balance(1).await, 10_000);
}

#[tokio::test]
async fn a_refund_goes_beyond_the_ceiling_of_top_ups() {
    let shop = Shop::open().await;
    let order_id = paid(&shop, AMOUNT_MAX_MINOR, AMOUNT_MAX_MINOR).await;
    sqlx::query(
        "with raised as (update payments.account set balance_minor = $1 returning id)
         insert into payments.ledger_entry (id, account_id, kind, amount_minor, balance_after_minor)
         select gen_random_uuid(), id, 'TOP_UP', $1, $1 from raised",
    )
    .bind(BALANCE_MAX_MINOR)
    .execute(&shop.admin)
    .await
    .unwrap();
    let request = ask_back(order_id, 1, AMOUNT_MAX_MINOR);
    assert_eq!(settle(&shop, &[request]).await, []);
    assert_eq!(shop.balance(1).await, BALANCE_MAX_MINOR + AMOUNT_MAX_MINOR);
    shop.check_books().await;
}

#[tokio::test]
async fn a_request_for_a_refund_is_given_up_only_where_the_money_is_back() {
    let shop = Shop::open().await;
    let order_id = paid(&shop, 10_000, 3_000).await;
    let request = ask_back(order_id, 1, 3_000);
    let settlement = super::settlement(&shop);
    let mut tx = shop.settings.writer_pool.begin().await.unwrap();
    let refused = settlement.discard(&mut tx, &request).await.unwrap();
    assert!(matches!(refused, Discard::Refused(_)), "{refused:?}");
    tx.rollback().await.unwrap();
    settle(&shop, &[ask_back(order_id, 1, 3_000)]).await;
    let mut tx = shop.settings.writer_pool.begin().await.unwrap();
    let ended = settlement.discard(&mut tx, &request).await.unwrap();
    assert_eq!(ended, Discard::Ended);
    tx.commit().await.unwrap();
    let told = answers(&shop, order_id).await;
    assert_eq!(told[2]["data"], told[1]["data"]);
    assert_eq!(told[2]["type"], json!("payment.refunded.v1"));
    assert_eq!((shop.balance(1).await, refunds(&shop).await), (10_000, 1));
}
