//! The same request again: one effect, the same answer.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use tests::{
    Answer, Customer, Shop,
    customer::{Order, new_key, order_call, read, rub},
    entrance::Call,
};

const SOON: Duration = Duration::from_secs(20);

#[tokio::test]
async fn one_key_fifty_times_at_once_makes_one_order_one_debit_and_fifty_equal_answers() {
    let shop = Shop::shared().await;
    let customer = Customer::with_balance(&shop.entrance(), 1_000).await;
    let key = new_key();
    let answers = join_all((0..50).map(|_| customer.send(order_call(&key, 100)))).await;
    let first = &answers[0];
    for answer in &answers {
        assert_eq!(shown(answer), shown(first));
    }
    let order: Order = read(first.expect(201));

    customer.ended(std::slice::from_ref(&order), SOON).await;
    assert_eq!(customer.orders().await.len(), 1);
    assert_eq!(customer.check_books(1_000).await, 1);
    assert_eq!(customer.balance().await, 900);

    // Much later, when the order has ended, the answer is still the first one.
    let late = customer.send(order_call(&key, 100)).await;
    assert_eq!(shown(&late), shown(first));
    assert_eq!(customer.orders().await.len(), 1);
}

#[tokio::test]
async fn one_key_fifty_times_at_once_tops_up_once() {
    let shop = Shop::shared().await;
    let customer = Customer::with_balance(&shop.entrance(), 0).await;
    let key = new_key();
    let answers = join_all((0..50).map(|_| customer.send(top_up_call(&key, 100)))).await;
    for answer in &answers {
        assert_eq!(shown(answer), shown(&answers[0]));
        assert_eq!(answer.status, 201, "{}", answer.text);
    }
    assert_eq!(customer.balance().await, 100);
    assert_eq!(customer.entries().await.len(), 1);
}

#[tokio::test]
async fn a_key_used_for_another_request_is_refused_and_nothing_changes() {
    let shop = Shop::shared().await;
    let customer = Customer::with_balance(&shop.entrance(), 1_000).await;
    let key = new_key();
    assert_eq!(customer.send(top_up_call(&key, 5)).await.status, 201);
    customer
        .send(top_up_call(&key, 6))
        .await
        .expect_problem(422, "idempotency_key_reused");
    assert_eq!(customer.balance().await, 1_005);

    let key = new_key();
    let order: Order = read(customer.send(order_call(&key, 5)).await.expect(201));
    customer
        .send(order_call(&key, 6))
        .await
        .expect_problem(422, "idempotency_key_reused");
    customer.ended(std::slice::from_ref(&order), SOON).await;
    assert_eq!(customer.orders().await.len(), 1);
    assert_eq!(customer.balance().await, 1_000);
}

#[tokio::test]
async fn a_key_belongs_to_its_user() {
    let shop = Shop::shared().await;
    let entrance = shop.entrance();
    let key = new_key();
    let mut ids = Vec::new();
    for _ in 0..2 {
        let customer = Customer::with_balance(&entrance, 100).await;
        let order: Order = read(customer.send(order_call(&key, 100)).await.expect(201));
        assert_eq!(order.user_id, customer.user_id);
        ids.push(order.id);
    }
    assert_ne!(ids[0], ids[1]);
}

#[tokio::test]
async fn every_request_that_changes_something_wants_a_usable_key() {
    let shop = Shop::shared().await;
    let customer = Customer::with_balance(&shop.entrance(), 1_000).await;
    let calls = || {
        [
            Call::post("/api/v1/account").json(&json!({})),
            Call::post("/api/v1/account/top-ups").json(&json!({"amount": rub(1)})),
            Call::post("/api/v1/orders").json(&json!({"amount": rub(1), "description": "x"})),
        ]
    };
    for call in calls() {
        customer
            .send(call)
            .await
            .expect_problem(400, "idempotency_key_missing");
    }
    let too_long = "k".repeat(129);
    for key in ["", "two words", "tab\tinside", "ключ", &too_long] {
        for call in calls() {
            let answer = customer.send(call.header("idempotency-key", key)).await;
            let code = answer.json()["code"].as_str().unwrap().to_owned();
            assert_eq!(answer.status, 400, "{key:?}");
            assert!(
                matches!(
                    code.as_str(),
                    "idempotency_key_invalid" | "idempotency_key_missing"
                ),
                "{key:?}: {code}"
            );
        }
    }
    assert_eq!(customer.balance().await, 1_000);
    assert_eq!(customer.orders().await.len(), 0);

    let longest = "k".repeat(128);
    assert_eq!(customer.send(order_call(&longest, 1)).await.status, 201);
}

/// What a client can tell two answers apart by.
fn shown(answer: &Answer) -> (u16, &str, &str, &str) {
    (
        answer.status,
        answer.header("location"),
        answer.header("etag"),
        &answer.text,
    )
}

fn top_up_call(key: &str, amount_minor: i64) -> Call {
    Call::post("/api/v1/account/top-ups")
        .header("idempotency-key", key)
        .json(&json!({ "amount": rub(amount_minor) }))
}
