//! One order from the request to its end, as its owner sees it.

use std::time::Duration;

use serde_json::json;
use tests::{
    Customer, Shop,
    customer::{Order, new_key, order_call, read, rub},
    entrance::Call,
};

const SOON: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_paid_order_finishes_and_its_price_leaves_the_balance() {
    let shop = Shop::shared().await;
    let customer = Customer::with_balance(&shop.entrance(), 50_000).await;
    let answer = customer.send(order_call(&new_key(), 19_900)).await;
    let body = answer.expect(201);
    assert_eq!(answer.header("etag"), "\"1\"");
    let order: Order = read(body);
    assert_eq!(
        answer.header("location"),
        format!("/api/v1/orders/{}", order.id)
    );
    assert_eq!(order.id.get_version_num(), 7);
    assert_eq!((order.status.as_str(), order.version), ("NEW", 1));
    assert_eq!(order.user_id, customer.user_id);
    assert_eq!(order.decided_at, None);

    let ended = customer.ended(&[order], SOON).await.remove(0);
    assert_eq!((ended.status.as_str(), ended.version), ("FINISHED", 2));
    assert_eq!(ended.reason, None);
    assert!(ended.decided_at.is_some());
    assert_eq!(customer.balance().await, 30_100);
    assert_eq!(customer.check_books(50_000).await, 1);
}

#[tokio::test]
async fn an_order_without_an_account_is_cancelled_and_says_why() {
    let shop = Shop::shared().await;
    let customer = Customer::new(&shop.entrance()).await;
    let order = customer.place(100).await;
    let ended = customer.ended(&[order], SOON).await.remove(0);
    assert_eq!(ended.status, "CANCELLED");
    assert_eq!(ended.reason.as_deref(), Some("no_account"));
    customer
        .get("/api/v1/account")
        .await
        .expect_problem(404, "account_not_found");
}

#[tokio::test]
async fn an_order_tells_its_steps_in_the_order_of_time() {
    let shop = Shop::shared().await;
    let customer = Customer::with_balance(&shop.entrance(), 100).await;
    for (price, last, detail) in [
        (100, "finished", json!(null)),
        (1, "cancelled", json!("insufficient_funds")),
    ] {
        let order = customer.place(price).await;
        let ended = customer.ended(&[order], SOON).await.remove(0);
        let order = customer
            .get(&format!("/api/v1/orders/{}", ended.id))
            .await
            .expect(200);
        let timeline = order["timeline"].as_array().unwrap();
        let steps: Vec<_> = timeline
            .iter()
            .map(|item| item["step"].as_str().unwrap())
            .collect();
        assert_eq!(
            steps,
            ["placed", "payment_requested", "payment_decided", last]
        );
        let instants: Vec<_> = timeline
            .iter()
            .map(|item| item["at"].as_str().unwrap())
            .collect();
        assert!(instants.iter().all(|instant| instant.ends_with('Z')));
        assert_eq!(timeline[3]["detail"], detail);
        assert_eq!(order["trace_id"].as_str().unwrap().len(), 32);
    }
}

#[tokio::test]
async fn an_unchanged_order_is_not_sent_again() {
    let shop = Shop::shared().await;
    let customer = Customer::with_balance(&shop.entrance(), 100).await;
    let order = customer.place(100).await;
    customer.ended(std::slice::from_ref(&order), SOON).await;
    let path = format!("/api/v1/orders/{}", order.id);
    let answer = customer.get(&path).await;
    assert_eq!(answer.header("etag"), "\"2\"");
    let ask = |etag| customer.send(Call::get(&path).header("if-none-match", etag));
    let same = ask("\"2\"").await;
    assert_eq!((same.status, same.text.as_str()), (304, ""));
    assert_eq!(ask("\"1\"").await.status, 200);
}

#[tokio::test]
async fn a_list_is_read_page_by_page_without_gap_or_repeat() {
    let shop = Shop::shared().await;
    let customer = Customer::with_balance(&shop.entrance(), 1_000).await;
    let mut placed = Vec::new();
    for _ in 0..10 {
        placed.push(customer.place(10).await.id);
    }
    placed.reverse();

    let mut seen = Vec::new();
    let mut path = "/api/v1/orders?limit=4".to_owned();
    let mut sizes = Vec::new();
    loop {
        let mut page = customer.get(&path).await.expect(200);
        let orders: Vec<Order> = read(page["items"].take());
        sizes.push(orders.len());
        seen.extend(orders.iter().map(|order| order.id));
        let Some(cursor) = page["next_cursor"].as_str() else {
            break;
        };
        path = format!("/api/v1/orders?limit=4&cursor={cursor}");
        // A newer order must not push an older one onto the next page a second time.
        customer.place(10).await;
    }
    assert_eq!(sizes, [4, 4, 2]);
    assert_eq!(seen, placed);
}

#[tokio::test]
async fn opening_an_account_twice_gives_the_same_account() {
    let shop = Shop::shared().await;
    let customer = Customer::new(&shop.entrance()).await;
    let open = || {
        customer.send(
            Call::post("/api/v1/account")
                .header("idempotency-key", new_key())
                .json(&json!({})),
        )
    };
    let first = open().await.expect(201);
    customer.top_up(500).await;
    let again = open().await.expect(200);
    assert_eq!(again["id"], first["id"]);
    assert_eq!(again["balance"], rub(500));
    assert_eq!(customer.balance().await, 500);
}

#[tokio::test]
async fn a_ledger_shows_every_movement_with_the_balance_after_it() {
    let shop = Shop::shared().await;
    let customer = Customer::with_balance(&shop.entrance(), 300).await;
    let order = customer.place(120).await;
    customer.ended(std::slice::from_ref(&order), SOON).await;
    customer.top_up(7).await;
    let shown: Vec<_> = customer
        .entries()
        .await
        .into_iter()
        .map(|entry| {
            (
                entry.kind,
                entry.amount.amount_minor,
                entry.balance_after.amount_minor,
                entry.order_id,
            )
        })
        .collect();
    let expected = [
        ("TOP_UP".to_owned(), 7, 187, None),
        ("PAYMENT".to_owned(), -120, 180, Some(order.id)),
        ("TOP_UP".to_owned(), 300, 300, None),
    ];
    assert_eq!(shown, expected);
}
