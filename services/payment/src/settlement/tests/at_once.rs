//! Many transactions at once, as competing consumers make them.

use futures_util::future::join_all;

use super::*;
use crate::testing::fresh_key;

#[tokio::test]
async fn of_five_orders_at_once_against_the_money_for_one_exactly_one_is_paid() {
    one_is_paid(5).await;
}

#[tokio::test]
async fn of_fifty_orders_at_once_against_the_money_for_one_exactly_one_is_paid() {
    one_is_paid(50).await;
}

async fn one_is_paid(orders: usize) {
    let shop = Shop::open().await;
    shop.customer(1, 10_000).await;
    let batches: Vec<_> = (0..orders)
        .map(|_| [ask(OrderId::new(), 1, 10_000)])
        .collect();
    join_all(batches.iter().map(|batch| settle(&shop, batch))).await;
    assert_eq!(shop.balance(1).await, 0);
    assert_eq!(count(&shop, "CAPTURED").await, 1);
    assert_eq!(
        count(&shop, "DECLINED").await,
        i64::try_from(orders).unwrap() - 1
    );
    shop.check_books().await;
}

#[tokio::test]
async fn small_orders_at_once_leave_a_ledger_without_a_gap() {
    let shop = Shop::open().await;
    shop.customer(1, 10_000).await;
    let batches: Vec<_> = (1..=40)
        .map(|amount| [ask(OrderId::new(), 1, amount)])
        .collect();
    join_all(batches.iter().map(|batch| settle(&shop, batch))).await;
    assert_eq!(shop.balance(1).await, 10_000 - 820);
    shop.check_books().await;
}

#[tokio::test]
async fn one_order_asked_by_many_at_once_is_decided_once_and_answered_alike() {
    let shop = Shop::open().await;
    shop.customer(1, 10_000).await;
    let (paid, declined) = (OrderId::new(), OrderId::new());
    let batches: Vec<_> = (0..20)
        .map(|_| [ask(paid, 1, 6_000), ask(declined, 2, 6_000)])
        .collect();
    join_all(batches.iter().map(|batch| settle(&shop, batch))).await;
    assert_eq!(shop.balance(1).await, 4_000);
    for order_id in [paid, declined] {
        let answers = answers(&shop, order_id).await;
        assert_eq!(answers.len(), 20);
        assert!(
            answers
                .iter()
                .all(|answer| answer["data"] == answers[0]["data"])
        );
    }
    shop.check_books().await;
}

#[tokio::test]
async fn batches_over_the_same_accounts_in_any_order_never_wait_for_each_other_in_a_circle() {
    let shop = Shop::open().await;
    for user_id in 1..=20 {
        shop.customer(user_id, 1_000_000).await;
    }
    let batches: Vec<Vec<_>> = (0..24)
        .map(|n| {
            let mut batch: Vec<_> = (1..=20)
                .map(|user_id| ask(OrderId::new(), user_id, 100))
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
    assert_eq!(count(&shop, "CAPTURED").await, 480);
    shop.check_books().await;
}

#[tokio::test]
async fn orders_and_top_ups_at_once_keep_the_books() {
    let shop = Shop::open().await;
    shop.customer(1, 1_000).await;
    let batches: Vec<_> = (0..30)
        .map(|_| [ask(OrderId::new(), 1, 70), ask(OrderId::new(), 1, 90)])
        .collect();
    let keys: Vec<_> = (0..30).map(|_| fresh_key()).collect();
    let settling = join_all(batches.iter().map(|batch| settle(&shop, batch)));
    let topping_up = join_all(keys.iter().map(|key| shop.top_up(1, key, 50)));
    let (_, answers) = tokio::join!(settling, topping_up);
    assert!(answers.iter().all(|answer| answer.status == 201));
    shop.check_books().await;
}

#[tokio::test]
async fn an_account_opened_while_its_order_is_decided_is_seen_or_not_but_never_half() {
    let shop = Shop::open().await;
    let batches: Vec<_> = (1..=20)
        .map(|user_id| [ask(OrderId::new(), user_id, 100)])
        .collect();
    let settling = join_all(batches.iter().map(|batch| settle(&shop, batch)));
    let opening = join_all((1..=20).map(|user_id| shop.customer(user_id, 100)));
    tokio::join!(settling, opening);
    let paid = count(&shop, "CAPTURED").await;
    let mut left = 0;
    for user_id in 1..=20 {
        left += shop.balance(user_id).await;
    }
    assert_eq!(left, 2_000 - 100 * paid);
    shop.check_books().await;
}
