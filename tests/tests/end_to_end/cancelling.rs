//! A paid order given up by its owner: the money comes back once, and everybody sees each step.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use tests::{
    Customer, Shop,
    customer::{Order, cancel_call, new_key, read},
    entrance::Call,
};

const SOON: Duration = Duration::from_secs(20);

/// A customer with this much, and a paid order of this much of it.
async fn paid(shop: &Shop, balance: i64, price: i64) -> (Customer, Order) {
    let customer = Customer::with_balance(&shop.entrance(), balance).await;
    let order = customer.place(price).await;
    let order = customer.ended(&[order], SOON).await.remove(0);
    assert_eq!(order.status, "FINISHED");
    (customer, order)
}

#[tokio::test]
async fn a_paid_order_is_given_up_and_its_price_is_back_on_the_balance() {
    let shop = Shop::shared().await;
    let (customer, order) = paid(&shop, 50_000, 19_999).await;
    let answer = customer.send(cancel_call(&new_key(), &order)).await;
    let body = answer.expect(202);
    assert_eq!(answer.header("etag"), "\"3\"");
    let refunding: Order = read(body);
    assert_eq!(
        (refunding.status.as_str(), refunding.version),
        ("REFUNDING", 3)
    );
    let ended = customer.ended(&[order], SOON).await.remove(0);
    assert_eq!((ended.status.as_str(), ended.version), ("CANCELLED", 4));
    assert!(ended.is_refunded());
    assert_eq!(ended.decided_at, refunding.decided_at);
    assert_eq!(customer.balance().await, 50_000);
    assert_eq!(customer.check_books(50_000).await, 0);
    let path = format!("/api/v1/orders/{}", ended.id);
    let order = customer.get(&path).await.expect(200);
    let timeline = order["timeline"].as_array().unwrap();
    let steps: Vec<_> = timeline.iter().map(|it| it["step"].clone()).collect();
    assert_eq!(
        json!(steps),
        json!([
            "placed",
            "payment_requested",
            "payment_decided",
            "finished",
            "refund_requested",
            "refunded",
            "cancelled"
        ])
    );
}

#[tokio::test]
async fn what_comes_back_pays_for_the_next_order() {
    let shop = Shop::shared().await;
    let (customer, order) = paid(&shop, 100, 100).await;
    let declined = customer.place(100).await;
    let declined = customer.ended(&[declined], SOON).await.remove(0);
    assert_eq!(declined.reason.as_deref(), Some("insufficient_funds"));
    customer.cancel(&order).await;
    customer.ended(&[order], SOON).await;
    let next = customer.place(100).await;
    let next = customer.ended(&[next], SOON).await.remove(0);
    assert_eq!(next.status, "FINISHED");
    assert_eq!(customer.check_books(100).await, 1);
}

#[tokio::test]
async fn of_ten_cancellations_at_once_one_is_taken_and_one_refund_is_given() {
    let shop = Shop::shared().await;
    let (customer, order) = paid(&shop, 100, 60).await;
    let calls = (0..10).map(|_| customer.send(cancel_call(&new_key(), &order)));
    let mut answers = join_all(calls).await;
    answers.sort_by_key(|answer| answer.status);
    assert_eq!(answers[0].status, 202, "{}", answers[0].text);
    for answer in &answers[1..] {
        // Whoever comes while the money is on its way, or when it is back.
        let code = answer.json()["code"].clone();
        assert_eq!(answer.status, 409);
        assert!(
            ["order_refunding", "order_cancelled"]
                .map(|it| json!(it))
                .contains(&code),
            "{code}"
        );
    }
    customer.ended(&[order], SOON).await;
    assert_eq!(customer.check_books(100).await, 0);
    assert_eq!(customer.balance().await, 100);
}

#[tokio::test]
async fn a_repeated_cancellation_gets_its_answer_again_when_the_order_is_over() {
    let shop = Shop::shared().await;
    let (customer, order) = paid(&shop, 100, 60).await;
    let key = new_key();
    let first = customer.send(cancel_call(&key, &order)).await;
    customer.ended(std::slice::from_ref(&order), SOON).await;
    let again = customer.send(cancel_call(&key, &order)).await;
    assert_eq!(again.expect(202), first.expect(202));
    assert_eq!(again.header("etag"), first.header("etag"));
    assert_eq!(customer.check_books(100).await, 0);
    customer
        .send(cancel_call(&new_key(), &order))
        .await
        .expect_problem(409, "order_cancelled");
}

#[tokio::test]
async fn nobody_else_can_give_an_order_up_nor_learn_that_it_is_there() {
    let shop = Shop::shared().await;
    let (customer, order) = paid(&shop, 100, 60).await;
    let other = Customer::with_balance(&shop.entrance(), 100).await;
    other
        .send(cancel_call(&new_key(), &order))
        .await
        .expect_problem(404, "order_not_found");
    let path = format!("/api/v1/orders/{}/cancel", order.id);
    let without = Call::post(path).header("idempotency-key", new_key());
    customer
        .send(without)
        .await
        .expect_problem(428, "if_match_missing");
    let stale = Order {
        version: 1,
        ..order.clone()
    };
    customer
        .send(cancel_call(&new_key(), &stale))
        .await
        .expect_problem(412, "version_mismatch");
    assert_eq!(customer.order(order.id).await, order);
    assert_eq!(customer.check_books(100).await, 1);
}

#[tokio::test]
async fn a_socket_sees_an_order_being_refunded_and_then_cancelled() {
    let shop = Shop::shared().await;
    let (customer, order) = paid(&shop, 100, 60).await;
    let mut follow = customer.follow(None).await;
    customer.cancel(&order).await;
    let mut seen = Vec::new();
    while seen.last().is_none_or(|(status, _)| status != "CANCELLED") {
        let orders = follow.next().await.unwrap();
        let orders = orders.into_iter().filter(|it| it.version > order.version);
        seen.extend(orders.map(|it| (it.status, it.version)));
    }
    // One frame may tell both at once.
    assert!(seen.contains(&("CANCELLED".to_owned(), 4)), "{seen:?}");
    assert!(seen.is_sorted_by_key(|(_, version)| *version), "{seen:?}");
}
