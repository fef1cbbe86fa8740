//! The original's acceptance scenario, and orders that compete for one balance.

use std::{collections::BTreeMap, time::Duration};

use futures_util::future::join_all;
use serde_json::{Value, json};
use tests::{Customer, Original, Shop};

/// Everything a test sets going has ended within this time.
const SOON: Duration = Duration::from_secs(30);

#[tokio::test]
async fn the_original_scenario_holds_twenty_times_in_a_row() {
    let shop = Shop::shared().await;
    let entrance = shop.entrance();
    for _ in 0..20 {
        scenario(&Original::new(&entrance), "/api/orders/ws").await;
    }
}

#[tokio::test]
async fn the_original_scenario_holds_for_fifty_users_at_once() {
    let shop = Shop::shared().await;
    let entrance = shop.entrance();
    let users: Vec<_> = (0..50).map(|_| Original::new(&entrance)).collect();
    join_all(users.iter().map(|user| scenario(user, "/ws"))).await;
}

#[tokio::test]
async fn five_orders_at_once_spend_a_balance_exactly() {
    spend_at_once(5, 1).await;
}

#[tokio::test]
async fn fifty_orders_at_once_spend_a_balance_exactly() {
    spend_at_once(50, 20).await;
}

/// Account, top-up of 100, an order of 200 that is too dear, five simultaneous orders of 100 of which one is paid.
async fn scenario(user: &Original, socket_path: &str) {
    assert_eq!(
        user.create_account().await.expect(200),
        json!({"status": "created"})
    );
    assert_eq!(
        user.top_up("100").await.expect(200),
        json!({"status": "ok"})
    );
    assert_eq!(user.account().await.expect(200), json!({"balance": 100.0}));

    let mut socket = user.socket(socket_path).await;
    let too_dear = user.order("200").await;
    let decision = socket.next().await;
    assert_eq!(
        decision,
        json!({"order_id": too_dear, "status": "CANCELLED", "user_id": user.user_id})
    );

    let mut five = join_all((0..5).map(|_| user.order("100"))).await;
    five.sort_unstable();
    let mut decided = BTreeMap::new();
    while decided.len() < five.len() {
        let decision = socket.next().await;
        assert_eq!(decision["user_id"], user.user_id);
        let number = decision["order_id"].as_i64().unwrap();
        decided.insert(number, decision["status"].as_str().unwrap().to_owned());
    }
    assert_eq!(decided.keys().copied().collect::<Vec<_>>(), five);
    let count = |status| {
        decided
            .values()
            .filter(|decided| *decided == status)
            .count()
    };
    assert_eq!(
        (count("FINISHED"), count("CANCELLED")),
        (1, 4),
        "{decided:?}"
    );
    assert_eq!(user.account().await.expect(200), json!({"balance": 0.0}));

    let listed = user.orders().await;
    decided.insert(too_dear, "CANCELLED".to_owned());
    for (number, status) in decided {
        let order: &Value = listed
            .iter()
            .find(|order| order["id"] == number)
            .expect("a new order is on the list");
        let amount = if number == too_dear { 200.0 } else { 100.0 };
        assert_eq!(
            order,
            &json!({
                "id": number,
                "user_id": user.user_id,
                "description": "test",
                "amount": amount,
                "status": status,
            })
        );
    }
}

async fn spend_at_once(orders: usize, affordable: usize) {
    const PRICE: i64 = 10_000;
    let shop = Shop::shared().await;
    let topped_up = PRICE * i64::try_from(affordable).unwrap() + PRICE - 1;
    let customer = Customer::with_balance(&shop.entrance(), topped_up).await;

    let placed = join_all((0..orders).map(|_| customer.place(PRICE))).await;
    let ended = customer.ended(&placed, SOON).await;

    let cancelled: Vec<_> = ended
        .iter()
        .filter(|order| order.status == "CANCELLED")
        .collect();
    assert_eq!(cancelled.len(), orders - affordable);
    for order in cancelled {
        assert_eq!(order.reason.as_deref(), Some("insufficient_funds"));
    }
    assert_eq!(customer.check_books(topped_up).await, affordable);
    assert_eq!(customer.balance().await, PRICE - 1);
}
