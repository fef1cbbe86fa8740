//! RabbitMQ restarted under the shop.

use std::time::Duration;

use futures_util::future::join_all;
use tests::{
    Backing, Customer, Role, Shop,
    backing::Server,
    exposition::Exposition,
    poll_until,
    shop::{GONE_WITHIN, Layout},
};

use crate::load::{Load, start_unhealed_on};

const ENDED_WITHIN: Duration = Duration::from_mins(1);

#[tokio::test]
async fn a_hundred_orders_accepted_while_the_broker_is_down_all_end() {
    let backing = Backing::private().await;
    let turn = backing.turn().await;
    let shop = start_unhealed_on(&backing.instance(), Layout::Together).await;
    let customer = Customer::with_balance(&shop.entrance(), 50).await;
    turn.kill(Server::RabbitMq).await;
    // The outbox takes what the broker cannot.
    let placed = join_all((0..100).map(|_| customer.place(1))).await;
    turn.start().await;
    customer.ended(&placed, ENDED_WITHIN).await;
    assert_eq!(customer.check_books(50).await, 50);
    shop.assert_clean().await;
}

#[tokio::test]
async fn a_hundred_orders_queued_in_the_broker_survive_its_restart() {
    let backing = Backing::private().await;
    let turn = backing.turn().await;
    let shop = start_unhealed_on(&backing.instance(), Layout::Separately).await;
    let customer = Customer::with_balance(&shop.entrance(), 50).await;
    // Nobody takes them out of the queue.
    shop.stop(Role::Payment(1)).await;
    let placed = join_all((0..100).map(|_| customer.place(1))).await;
    let broker = shop.raw_broker().await;
    poll_until("all orders are in the queue", GONE_WITHIN, async || {
        let batches = broker.peek("payment.orders.v1", 200).await;
        let events: usize = batches
            .iter()
            .map(|batch| {
                let events: Vec<serde_json::Value> = serde_json::from_slice(&batch.data).unwrap();
                events.len()
            })
            .sum();
        (events >= placed.len()).then_some(())
    })
    .await;
    turn.restart(Server::RabbitMq).await;
    shop.start_again(Role::Payment(1)).await;
    customer.ended(&placed, ENDED_WITHIN).await;
    assert_eq!(customer.check_books(50).await, 50);
    shop.assert_clean().await;
}

#[tokio::test]
async fn the_broker_restarted_and_killed_under_load_loses_and_doubles_nothing() {
    let backing = Backing::private().await;
    let turn = backing.turn().await;
    let shop = start_unhealed_on(&backing.instance(), Layout::Together).await;
    let load = Load::new(&shop.entrance(), 10, 100).await;
    load.survives(&shop, async {
        load.accepted(10).await;
        turn.restart(Server::RabbitMq).await;
        load.accepted(60).await;
        turn.kill(Server::RabbitMq).await;
        turn.start().await;
    })
    .await;
}

#[tokio::test]
async fn relays_that_have_nothing_to_send_connect_again_all_the_same() {
    let backing = Backing::private().await;
    let turn = backing.turn().await;
    let shop = start_unhealed_on(&backing.instance(), Layout::Together).await;
    relays_become(&shop, 1.0).await;
    turn.kill(Server::RabbitMq).await;
    relays_become(&shop, 0.0).await;
    turn.start().await;
    relays_become(&shop, 1.0).await;
}

/// Waits until the relays of both databases say so of their connections.
async fn relays_become(shop: &Shop, connected: f64) {
    poll_until("what the relays say", ENDED_WITHIN, async || {
        let metrics = Exposition::parse(&shop.metrics(Role::All).await);
        let all = ["orders", "payments"].iter().all(|database| {
            metrics.sum("gozon_relay_connected", &[("database", database)]) == Some(connected)
        });
        all.then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_a_frozen_broker_never_confirmed_is_published_again() {
    let backing = Backing::private().await;
    let turn = backing.turn().await;
    let shop = start_unhealed_on(&backing.instance(), Layout::Together).await;
    let customer = Customer::with_balance(&shop.entrance(), 50).await;
    shop.lanes_shared().await;
    // Enough orders for both relays of the order database to have their connections.
    let before = join_all((0..20).map(|_| customer.place(1))).await;
    customer.ended(&before, ENDED_WITHIN).await;

    let broker = turn.freeze_broker().await;
    let placed = join_all((0..20).map(|_| customer.place(1))).await;
    poll_until("a publish gets no answer", ENDED_WITHIN, async || {
        let metrics = shop.metrics(Role::All).await;
        let unanswered = |line: &&str| {
            line.starts_with("gozon_relay_publishes_total{")
                && (line.contains("\"timed_out\"") || line.contains("\"failed\""))
                && !line.ends_with(" 0")
        };
        metrics.lines().find(unanswered).map(drop)
    })
    .await;
    broker.kill().await;
    turn.start().await;
    customer.ended(&placed, ENDED_WITHIN).await;
    assert_eq!(customer.check_books(50).await, 40);
    shop.assert_clean().await;
}
