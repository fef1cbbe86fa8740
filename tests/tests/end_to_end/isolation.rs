//! Nobody sees or touches what is another's.

use std::time::Duration;

use serde_json::json;
use tests::{Customer, Shop, customer::new_key, customer::rub, entrance::Call};

const SOON: Duration = Duration::from_secs(20);

#[tokio::test]
async fn everything_of_one_user_is_not_found_by_another() {
    let shop = Shop::shared().await;
    let entrance = shop.entrance();
    let anna = Customer::with_balance(&entrance, 1_000).await;
    let order = anna.place(100).await;
    anna.place(100).await;
    anna.ended(std::slice::from_ref(&order), SOON).await;
    let boris = Customer::new(&entrance).await;

    let path = format!("/api/v1/orders/{}", order.id);
    assert_eq!(anna.get(&path).await.status, 200);
    boris
        .get(&path)
        .await
        .expect_problem(404, "order_not_found");
    let conditional = Call::get(&path).header("if-none-match", "\"2\"");
    boris
        .send(conditional)
        .await
        .expect_problem(404, "order_not_found");
    boris
        .get("/api/v1/account")
        .await
        .expect_problem(404, "account_not_found");
    boris
        .get("/api/v1/account/entries")
        .await
        .expect_problem(404, "account_not_found");
    let top_up = Call::post("/api/v1/account/top-ups")
        .header("idempotency-key", new_key())
        .json(&json!({"amount": rub(1)}));
    boris
        .send(top_up)
        .await
        .expect_problem(404, "account_not_found");
    assert_eq!(boris.orders().await, []);
    assert_eq!(anna.balance().await, 800);
}

#[tokio::test]
async fn a_page_cursor_of_one_user_shows_another_nothing() {
    let shop = Shop::shared().await;
    let entrance = shop.entrance();
    let anna = Customer::with_balance(&entrance, 1_000).await;
    for _ in 0..3 {
        anna.place(1).await;
        anna.top_up(1).await;
    }
    let boris = Customer::with_balance(&entrance, 77).await;
    for path in ["/api/v1/orders", "/api/v1/account/entries"] {
        let page = anna.get(&format!("{path}?limit=1")).await.expect(200);
        let cursor = page["next_cursor"].as_str().unwrap();
        let answer = boris
            .get(&format!("{path}?limit=100&cursor={cursor}"))
            .await;
        if answer.status == 200 {
            let shown = answer.json();
            for item in shown["items"].as_array().unwrap() {
                assert_eq!(item["amount"], rub(77), "{item}");
            }
        } else {
            assert!((400..500).contains(&answer.status), "{}", answer.text);
        }
    }
}

#[tokio::test]
async fn a_socket_shows_its_own_users_orders_alone() {
    let shop = Shop::shared().await;
    let entrance = shop.entrance();
    let anna = Customer::with_balance(&entrance, 1_000).await;
    let boris = Customer::with_balance(&entrance, 1_000).await;
    let before = anna.follow(None).await;
    let mut socket = boris.follow(None).await;
    // A cursor stolen from somebody else opens nothing of theirs either.
    anna.place(100).await;
    let mut stolen = boris.follow(Some(&before.cursor)).await;
    assert_eq!(stolen.snapshot, []);
    anna.place(100).await;
    let own = boris.place(100).await;
    for socket in [&mut socket, &mut stolen] {
        loop {
            let orders = socket.next().await.unwrap();
            assert!(orders.iter().all(|order| order.user_id == boris.user_id));
            if orders
                .iter()
                .any(|order| order.id == own.id && order.has_ended())
            {
                break;
            }
        }
    }
}
