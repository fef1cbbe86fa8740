//! The original's acceptance scenario, and orders that compete for one balance.

use std::time::Duration;

use futures_util::future::join_all;
use tests::{Customer, Original, Shop, original::acceptance_scenario};

/// Everything a test sets going has ended within this time.
const SOON: Duration = Duration::from_secs(30);

#[tokio::test]
async fn the_original_scenario_holds_twenty_times_in_a_row() {
    let shop = Shop::shared().await;
    let entrance = shop.entrance();
    for _ in 0..20 {
        acceptance_scenario(&Original::new(&entrance), "/api/orders/ws").await;
    }
}

#[tokio::test]
async fn the_original_scenario_holds_for_fifty_users_at_once() {
    let shop = Shop::shared().await;
    let entrance = shop.entrance();
    let users: Vec<_> = (0..50).map(|_| Original::new(&entrance)).collect();
    join_all(users.iter().map(|user| acceptance_scenario(user, "/ws"))).await;
}

#[tokio::test]
async fn five_orders_at_once_spend_a_balance_exactly() {
    spend_at_once(5, 1).await;
}

#[tokio::test]
async fn fifty_orders_at_once_spend_a_balance_exactly() {
    spend_at_once(50, 20).await;
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
