//! One transaction after the other.

use serde_json::json;

use super::*;
use crate::limits::AMOUNT_MAX_MINOR;

#[tokio::test]
async fn an_order_that_the_balance_covers_is_paid_and_answered_in_its_own_trace() {
    let shop = Shop::open().await;
    shop.customer(1, 10_000).await;
    let request = ask(OrderId::new(), 1, 10_000);
    assert_eq!(settle(&shop, std::slice::from_ref(&request)).await, []);
    assert_eq!(shop.balance(1).await, 0);
    let answers = answers(&shop, request.message.order_id).await;
    assert_eq!(answers.len(), 1);
    assert_eq!(answers[0]["type"], "payment.captured.v1");
    assert_eq!(answers[0]["traceparent"], request.trace.to_string());
    let entries = shop.get(1, "/api/v1/account/entries").await.json();
    let entry = &entries["items"][0];
    assert_eq!(entry["kind"], "PAYMENT");
    assert_eq!(entry["amount"]["amount_minor"], -10_000);
    assert_eq!(entry["order_id"], request.message.order_id.to_string());
    shop.check_books().await;
}

#[tokio::test]
async fn an_order_that_the_balance_does_not_cover_is_declined() {
    let shop = Shop::open().await;
    shop.customer(1, 10_000).await;
    let request = ask(OrderId::new(), 1, 10_001);
    settle(&shop, std::slice::from_ref(&request)).await;
    assert_eq!(shop.balance(1).await, 10_000);
    let answers = answers(&shop, request.message.order_id).await;
    assert_eq!(answers[0]["type"], "payment.declined.v1");
    assert_eq!(answers[0]["data"]["reason"], "insufficient_funds");
    shop.check_books().await;
}

#[tokio::test]
async fn an_order_of_a_user_without_an_account_is_declined() {
    let shop = Shop::open().await;
    let request = ask(OrderId::new(), 1, 100);
    settle(&shop, std::slice::from_ref(&request)).await;
    let answers = answers(&shop, request.message.order_id).await;
    assert_eq!(answers[0]["type"], "payment.declined.v1");
    assert_eq!(answers[0]["data"]["reason"], "no_account");
    shop.check_books().await;
}

#[tokio::test]
async fn a_paid_order_asked_again_gets_the_same_answer_and_no_second_debit() {
    let shop = Shop::open().await;
    shop.customer(1, 10_000).await;
    let order_id = OrderId::new();
    for _ in 0..3 {
        assert_eq!(settle(&shop, &[ask(order_id, 1, 3_000)]).await, []);
    }
    assert_eq!(shop.balance(1).await, 7_000);
    let answers = answers(&shop, order_id).await;
    assert_eq!(answers.len(), 3);
    for answer in &answers {
        assert_eq!(answer["type"], "payment.captured.v1");
        assert_eq!(answer["data"], answers[0]["data"]);
    }
    assert_ne!(answers[0]["id"], answers[1]["id"]);
    shop.check_books().await;
}

#[tokio::test]
async fn a_declined_order_asked_again_stays_declined_even_when_there_is_money_now() {
    let shop = Shop::open().await;
    let (poor, accountless) = (OrderId::new(), OrderId::new());
    shop.customer(1, 100).await;
    settle(&shop, &[ask(poor, 1, 5_000), ask(accountless, 2, 50)]).await;
    shop.top_up(1, "k", 10_000).await;
    shop.customer(2, 10_000).await;
    settle(&shop, &[ask(accountless, 2, 50), ask(poor, 1, 5_000)]).await;
    for (order_id, reason) in [(poor, "insufficient_funds"), (accountless, "no_account")] {
        let answers = answers(&shop, order_id).await;
        assert_eq!(answers.len(), 2);
        assert_eq!(answers[1]["type"], "payment.declined.v1");
        assert_eq!(answers[1]["data"], answers[0]["data"]);
        assert_eq!(answers[1]["data"]["reason"], reason);
    }
    assert_eq!(
        (shop.balance(1).await, shop.balance(2).await),
        (10_100, 10_000)
    );
    shop.check_books().await;
}

#[tokio::test]
async fn the_same_order_with_other_contents_is_a_conflict_and_changes_nothing() {
    let shop = Shop::open().await;
    shop.customer(1, 10_000).await;
    shop.customer(2, 10_000).await;
    let (paid, declined) = (OrderId::new(), OrderId::new());
    settle(&shop, &[ask(paid, 1, 3_000), ask(declined, 1, 30_000)]).await;
    let before = shop.contents().await;
    let batch = [
        ask(paid, 1, 3_001),
        ask(paid, 2, 3_000),
        ask(declined, 1, 1),
        ask(declined, 2, 30_000),
    ];
    let rejected = settle(&shop, &batch).await;
    assert_eq!(
        rejected.iter().map(|r| r.index).collect::<Vec<_>>(),
        [0, 1, 2, 3]
    );
    assert!(
        rejected
            .iter()
            .all(|r| r.rejection().class == ReasonClass::Conflict)
    );
    assert_eq!(shop.contents().await, before);
}

#[tokio::test]
async fn within_a_batch_the_first_request_of_an_order_decides() {
    let shop = Shop::open().await;
    shop.customer(1, 10_000).await;
    let order_id = OrderId::new();
    let batch = [
        ask(order_id, 1, 3_000),
        ask(order_id, 1, 3_000),
        ask(order_id, 1, 4_000),
        ask(OrderId::new(), 1, 7_000),
    ];
    let rejected = settle(&shop, &batch).await;
    assert_eq!(rejected.iter().map(|r| r.index).collect::<Vec<_>>(), [2]);
    assert_eq!(answers(&shop, order_id).await.len(), 2);
    assert_eq!(shop.balance(1).await, 0);
    shop.check_books().await;
}

#[tokio::test]
async fn a_batch_that_is_rolled_back_leaves_nothing() {
    let shop = Shop::open().await;
    shop.customer(1, 10_000).await;
    let before = shop.contents().await;
    let mut tx = shop.settings.writer_pool.begin().await.unwrap();
    let batch = [ask(OrderId::new(), 1, 3_000), ask(OrderId::new(), 2, 1)];
    let settlement = settlement(&shop);
    settlement.settle(&mut tx, &batch).await.unwrap();
    tx.rollback().await.unwrap();
    assert_eq!(shop.contents().await, before);
}

#[tokio::test]
async fn a_plan_made_on_a_balance_that_has_moved_is_not_carried_out() {
    let shop = Shop::open().await;
    shop.customer(1, 10_000).await;
    let mut tx = shop.settings.writer_pool.begin().await.unwrap();
    let asked = [ask(OrderId::new(), 1, 6_000)];
    let stale = decide(&mut tx, &asked).await.unwrap();
    tx.rollback().await.unwrap();
    settle(&shop, &[ask(OrderId::new(), 1, 6_000)]).await;
    let before = shop.contents().await;
    let mut tx = shop.settings.writer_pool.begin().await.unwrap();
    let outcome = carry_out(&mut tx, &asked, &stale).await;
    assert!(matches!(outcome, Err(Failure::Transient(_))), "{outcome:?}");
    tx.rollback().await.unwrap();
    assert_eq!(shop.contents().await, before);
}

#[tokio::test]
async fn five_hundred_orders_on_one_account_are_paid_in_their_order_while_the_money_lasts() {
    let shop = Shop::open().await;
    shop.customer(1, 30_000).await;
    let batch: Vec<_> = (0..500).map(|_| ask(OrderId::new(), 1, 100)).collect();
    settle(&shop, &batch).await;
    assert_eq!(shop.balance(1).await, 0);
    assert_eq!(count(&shop, "CAPTURED").await, 300);
    for (index, request) in batch.iter().enumerate() {
        let paid =
            answers(&shop, request.message.order_id).await[0]["type"] == "payment.captured.v1";
        assert_eq!(paid, index < 300, "{index}");
    }
    shop.check_books().await;
}

#[tokio::test]
async fn a_refusal_depends_on_what_came_before_it_and_not_on_the_batch() {
    let shop = Shop::open().await;
    shop.customer(1, 100).await;
    let sums = [60, 50, 40, 1, 100];
    let batch = sums.map(|amount_minor| ask(OrderId::new(), 1, amount_minor));
    settle(&shop, &batch).await;
    let mut paid = Vec::new();
    for request in &batch {
        let answer = answers(&shop, request.message.order_id).await.remove(0);
        paid.push(answer["type"] == json!("payment.captured.v1"));
    }
    assert_eq!(paid, [true, false, true, false, false]);
    shop.check_books().await;
}

#[tokio::test]
async fn the_largest_sums_do_not_overflow() {
    let shop = Shop::open().await;
    shop.customer(1, 1).await;
    sqlx::raw_sql(
        "update payments.account set balance_minor = 9223372036854775807;
         update payments.ledger_entry
             set amount_minor = 9223372036854775807, balance_after_minor = 9223372036854775807",
    )
    .execute(&shop.admin)
    .await
    .unwrap();
    let batch: Vec<_> = (0..500)
        .map(|_| ask(OrderId::new(), 1, AMOUNT_MAX_MINOR))
        .collect();
    settle(&shop, &batch).await;
    assert_eq!(shop.balance(1).await, i64::MAX - 500 * AMOUNT_MAX_MINOR);
    shop.check_books().await;
}
