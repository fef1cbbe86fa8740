//! A broker that blocks publishers, as one does that runs out of memory.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::Value;
use tests::{
    Backing, Customer, Role, Series, Service, Shop, Wire, poll_until, reqwest::Method,
    shop::Layout, wire::repeats,
};

use crate::relays::{ARRIVED_WITHIN, KEYS, ONE, Relays, TWO};

/// Longer than a relay waits for a confirm, and than a lease holds.
const BLOCKED_FOR: Duration = Duration::from_secs(12);

const SOON: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_blocked_relay_waits_keeps_its_lanes_and_goes_on_in_order() {
    let backing = Backing::private().await;
    let turn = backing.turn().await;
    let relays = Relays::start(&backing.instance()).await;
    let wire = Wire::of(relays.shop.vhost()).await;
    let series = Series::open(relays.database(), KEYS).await;
    let owners = relays.owned_by(2).await;
    let writing = series.keep_writing();
    wire.moves_by(500, ARRIVED_WITHIN).await;
    turn.block_publishers().await;
    relays_are_blocked(&relays.shop).await;
    let before = wire.count();
    relays.leases_are_renewed_for(BLOCKED_FOR).await;
    assert_eq!(wire.count(), before, "nothing is taken");
    turn.unblock_publishers().await;
    let written = writing.stop().await;
    let arrivals = wire.complete(&written, ARRIVED_WITHIN).await;
    assert_eq!(relays.owned_by(2).await, owners);
    assert_eq!(repeats(&arrivals), 0, "to be blocked is no silence");
    for role in [ONE, TWO] {
        let metrics = relays.shop.metrics(role).await;
        assert!(!metrics.contains("outcome=\"timed_out\""), "{metrics}");
    }
}

/// Waits until the broker reads from no relay any more.
async fn relays_are_blocked(shop: &Shop) {
    let path = format!("vhosts/{}/connections", shop.vhost().name());
    poll_until("the broker blocks both relays", SOON, async || {
        let listed = shop
            .vhost()
            .management(Method::GET, &path, None)
            .await
            .ok()?;
        let states = listed.as_array()?.iter().filter(|connection| {
            let name = connection["client_properties"]["connection_name"].as_str();
            name.is_some_and(|name| name.starts_with("gozon relay"))
        });
        let states: Vec<&Value> = states.map(|connection| &connection["state"]).collect();
        (states == ["blocked", "blocked"]).then_some(())
    })
    .await;
}

#[tokio::test]
async fn consumers_settle_and_acknowledge_while_publishers_are_blocked() {
    let backing = Backing::private().await;
    let turn = backing.turn().await;
    let shop = Shop::start(&backing.instance(), Layout::Separately).await;
    let customer = Customer::with_balance(&shop.entrance(), 50).await;
    shop.stop(Role::Payment(1)).await;
    let placed = join_all((0..50).map(|_| customer.place(1))).await;
    let queue = "payment.orders.v1";
    poll_until("all orders are in the queue", SOON, async || {
        let batches = shop.raw_broker().await.peek(queue, 100).await;
        let events = batches.iter().map(|batch| {
            let events: Vec<Value> = serde_json::from_slice(&batch.data).unwrap();
            events.len()
        });
        (events.sum::<usize>() >= placed.len()).then_some(())
    })
    .await;
    turn.block_publishers().await;
    shop.start_again(Role::Payment(1)).await;
    let payments = shop.database(Service::Payments).admin_pool();
    poll_until("all orders are paid", SOON, async || {
        let paid: i64 = sqlx::query_scalar("select count(*) from payments.payment")
            .fetch_one(&payments)
            .await
            .unwrap();
        (paid == 50).then_some(())
    })
    .await;
    // What was not acknowledged would be back in the queue.
    shop.stop(Role::Payment(1)).await;
    assert_eq!(shop.raw_broker().await.depth(queue).await, Some(0));
    shop.start_again(Role::Payment(1)).await;
    turn.unblock_publishers().await;
    customer.ended(&placed, ARRIVED_WITHIN).await;
    assert_eq!(customer.check_books(50).await, 50);
}
