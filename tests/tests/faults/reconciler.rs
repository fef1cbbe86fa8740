//! What a broker loses is healed: orders whose request or whose answer is gone are asked for again, and end once.

use std::time::Duration;

use futures_util::future::join_all;
use tests::{
    Customer, Instance, RawBroker, Role, Service, Shop, customer::Order,
    lapin::options::QueueDeleteOptions, poll_until, shop::Layout,
};

/// Short enough for a test, and longer than any of its requests takes to commit.
const IMPATIENT: &[(&str, &str)] = &[
    ("GOZON_RECONCILE_AFTER_SECONDS", "3"),
    ("GOZON_RECONCILE_PAUSE_SECONDS", "2"),
];

const SOON: Duration = Duration::from_secs(30);

const HEALED_WITHIN: Duration = Duration::from_mins(1);

pub(crate) const REQUESTS: &str = "payment.orders.v1";
pub(crate) const ANSWERS: &str = "order.payments.v1";

/// A shop whose orders are asked for again after a few seconds.
pub(crate) async fn impatient_shop() -> Shop {
    Shop::start_with(&Instance::OfThisRun, Layout::Separately, IMPATIENT).await
}

async fn place_ten(customer: &Customer) -> Vec<Order> {
    join_all((0..10).map(|_| customer.place(1))).await
}

#[tokio::test]
async fn orders_whose_requests_were_lost_with_their_queue_are_paid_all_the_same() {
    let shop = impatient_shop().await;
    let customer = Customer::with_balance(&shop.entrance(), 5).await;
    shop.stop(Role::Payment(1)).await;
    let placed = place_ten(&customer).await;
    everything_is_published(&shop, Service::Orders).await;
    delete_queue(&shop, REQUESTS).await;
    // It waits for its queue, which the relay declares again when a repeated request comes back to it.
    shop.start_again(Role::Payment(1)).await;
    customer.ended(&placed, HEALED_WITHIN).await;
    assert_eq!(customer.check_books(5).await, 5);
    assert!(repeated_requests(&shop).await >= 10);
    nothing_stays_stuck(&shop).await;
    shop.assert_clean().await;
}

#[tokio::test]
async fn orders_whose_answers_were_lost_end_once_by_the_decision_that_stands() {
    let shop = impatient_shop().await;
    let customer = Customer::with_balance(&shop.entrance(), 5).await;
    shop.stop(Role::Payment(1)).await;
    let placed = place_ten(&customer).await;
    for replica in [Role::Order(1), Role::Order(2)] {
        shop.stop(replica).await;
    }
    shop.start_again(Role::Payment(1)).await;
    let payments = shop.database(Service::Payments).admin_pool();
    poll_until("all payments are decided", SOON, async || {
        let decided: i64 = sqlx::query_scalar("select count(*) from payments.payment")
            .fetch_one(&payments)
            .await
            .unwrap();
        (decided == 10).then_some(())
    })
    .await;
    everything_is_published(&shop, Service::Payments).await;
    delete_queue(&shop, ANSWERS).await;
    for replica in [Role::Order(1), Role::Order(2)] {
        shop.start_again(replica).await;
    }
    customer.ended(&placed, HEALED_WITHIN).await;
    assert_eq!(customer.check_books(5).await, 5);
    nothing_stays_stuck(&shop).await;
    shop.assert_clean().await;
}

#[tokio::test]
async fn while_the_relays_are_away_orders_are_visible_as_stuck_and_nothing_is_repeated() {
    let shop = impatient_shop().await;
    let customer = Customer::with_balance(&shop.entrance(), 5).await;
    for relay in [Role::OrdersRelay(1), Role::OrdersRelay(2)] {
        shop.kill(relay);
    }
    let placed = place_ten(&customer).await;
    poll_until("the orders are stuck", SOON, async || {
        (stuck_orders(&shop).await == 10).then_some(())
    })
    .await;
    assert_eq!(repeated_requests(&shop).await, 0, "none of them is lost");
    poll_until(
        "the one replica that reconciles shows them",
        SOON,
        async || {
            let replicas = [Role::Order(1), Role::Order(2)].map(|role| shop.metrics(role));
            let stuck = "gozon_stuck_orders{state=\"to_retry\"} 10";
            let shown = join_all(replicas).await;
            let showing = shown.iter().filter(|metrics| metrics.contains(stuck));
            (showing.count() == 1).then_some(())
        },
    )
    .await;
    shop.start_again(Role::OrdersRelay(1)).await;
    customer.ended(&placed, HEALED_WITHIN).await;
    assert_eq!(customer.check_books(5).await, 5);
    nothing_stays_stuck(&shop).await;
    shop.assert_clean().await;
}

#[tokio::test]
async fn a_refund_whose_request_was_lost_with_its_queue_is_given_all_the_same_and_once() {
    let shop = impatient_shop().await;
    let customer = Customer::with_balance(&shop.entrance(), 10).await;
    let placed = place_ten(&customer).await;
    let paid = customer.ended(&placed, SOON).await;
    everything_is_published(&shop, Service::Payments).await;
    shop.stop(Role::Payment(1)).await;
    for order in &paid {
        customer.cancel(order).await;
    }
    everything_is_published(&shop, Service::Orders).await;
    delete_queue(&shop, REQUESTS).await;
    shop.start_again(Role::Payment(1)).await;
    let ended = customer.ended(&placed, HEALED_WITHIN).await;
    assert!(ended.iter().all(Order::is_refunded), "{ended:?}");
    assert_eq!(customer.check_books(10).await, 0);
    assert_eq!(customer.balance().await, 10);
    assert!(repeated_requests(&shop).await >= 10);
    nothing_stays_stuck(&shop).await;
    shop.assert_clean().await;
}

#[tokio::test]
async fn a_refund_whose_answer_was_lost_ends_by_the_entry_that_stands() {
    let shop = impatient_shop().await;
    let customer = Customer::with_balance(&shop.entrance(), 10).await;
    let placed = place_ten(&customer).await;
    let paid = customer.ended(&placed, SOON).await;
    everything_is_published(&shop, Service::Payments).await;
    shop.stop(Role::Payment(1)).await;
    for order in &paid {
        customer.cancel(order).await;
    }
    for replica in [Role::Order(1), Role::Order(2)] {
        shop.stop(replica).await;
    }
    shop.start_again(Role::Payment(1)).await;
    let payments = shop.database(Service::Payments).admin_pool();
    poll_until("all refunds are entered", SOON, async || {
        let refunds: i64 =
            sqlx::query_scalar("select count(*) from payments.ledger_entry where kind = 'REFUND'")
                .fetch_one(&payments)
                .await
                .unwrap();
        (refunds == 10).then_some(())
    })
    .await;
    everything_is_published(&shop, Service::Payments).await;
    delete_queue(&shop, ANSWERS).await;
    for replica in [Role::Order(1), Role::Order(2)] {
        shop.start_again(replica).await;
    }
    customer.ended(&placed, HEALED_WITHIN).await;
    assert_eq!(customer.check_books(10).await, 0);
    assert_eq!(customer.balance().await, 10);
    nothing_stays_stuck(&shop).await;
    shop.assert_clean().await;
}

/// Waits until relays have settled every event that there is.
pub(crate) async fn everything_is_published(shop: &Shop, service: Service) {
    let admin = shop.database(service).admin_pool();
    poll_until("everything is published", SOON, async || {
        let waits: bool = sqlx::query_scalar(
            "select exists (
                 select from messaging.outbox join messaging.lane using (lane)
                 where not pg_visible_in_snapshot(xid, settled)
             )",
        )
        .fetch_one(&admin)
        .await
        .unwrap();
        (!waits).then_some(())
    })
    .await;
}

async fn delete_queue(shop: &Shop, queue: &str) {
    let broker: RawBroker = shop.raw_broker().await;
    let lost = broker
        .channel()
        .queue_delete(queue.into(), QueueDeleteOptions::default())
        .await
        .unwrap();
    assert!(lost > 0, "something was lost with the queue");
}

async fn count(shop: &Shop, statement: &'static str) -> i64 {
    sqlx::query_scalar(statement)
        .fetch_one(&shop.database(Service::Orders).admin_pool())
        .await
        .unwrap()
}

async fn repeated_requests(shop: &Shop) -> i64 {
    count(shop, "select count(*) from orders.repeated_request").await
}

async fn stuck_orders(shop: &Shop) -> i64 {
    count(shop, "select count(*) from orders.stuck").await
}

async fn nothing_stays_stuck(shop: &Shop) {
    poll_until("no order is stuck", SOON, async || {
        (stuck_orders(shop).await == 0).then_some(())
    })
    .await;
}
