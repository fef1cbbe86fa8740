//! A short time in the life of a shop, in which something of everything happens: orders paid, declined, refunded and refused, a
//! message that nobody can settle, a queue that is lost, sockets that come and go, a snapshot that somebody holds.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use futures_util::future::join_all;
use serde_json::{Value, json};
use sqlx::PgConnection;
use tests::{
    Customer, Login, RawBroker, Service, Shop,
    lapin::{BasicProperties, options::QueueDeleteOptions},
    poll_until,
};
use uuid::Uuid;

/// For a shop that is soon too busy, and soon asks again for what was lost. Every trace is recorded.
pub(crate) const SETTINGS: [(&str, &str); 4] = [
    ("GOZON_UNCOMMITTED_MAX", "2"),
    ("GOZON_RECONCILE_AFTER_SECONDS", "2"),
    ("GOZON_RECONCILE_PAUSE_SECONDS", "1"),
    ("GOZON_TRACE_RATIO", "1"),
];

/// Customers place an order each at about this interval.
const PACE: Duration = Duration::from_millis(100);

/// An order is accepted within this time, and the broker has its queue again.
const SOON: Duration = Duration::from_secs(30);

/// The queue that is lost for a moment.
const QUEUE: &str = "order.payments.v1";

/// Lives until it is over.
pub(crate) async fn life(shop: &Shop, over: &AtomicBool) {
    let entrance = shop.entrance();
    let mut customers = vec![Customer::new(&entrance).await];
    for balance in [0, 5, 1_000_000, 1_000_000, 1_000_000] {
        customers.push(Customer::with_balance(&entrance, balance).await);
    }
    let broker = shop.raw_broker().await;
    publish(&broker, b"poison").await;
    // The second of them is about the same order with other contents.
    for amount_minor in [1, 2] {
        let event = order_placed(customers[0].user_id, amount_minor);
        publish(&broker, json!([event]).to_string().as_bytes()).await;
    }
    let _held = [
        hold_snapshot(shop, Service::Orders).await,
        hold_snapshot(shop, Service::Payments).await,
    ];
    let orders = join_all(
        customers
            .iter()
            .map(|customer| keeps_ordering(customer, over)),
    );
    let (_, ()) = tokio::join!(orders, lose_a_queue(&broker));
}

/// Orders one after the other, and gives each up that was paid; looks at the page meanwhile, and closes it each time.
async fn keeps_ordering(customer: &Customer, over: &AtomicBool) {
    let mut pace = tokio::time::interval(PACE);
    while !over.load(Ordering::Relaxed) {
        pace.tick().await;
        let mut socket = customer.follow(None).await;
        let order = customer.place_surely(1, SOON).await;
        customer.orders().await;
        customer.get("/api/v1/account").await;
        let ended = socket.ended(order.id).await;
        if ended.status == "FINISHED" {
            customer.cancel_surely(&ended, SOON).await;
        }
    }
}

/// Publishes a request for payment past the outbox.
async fn publish(broker: &RawBroker, body: &[u8]) {
    let properties = BasicProperties::default()
        .with_delivery_mode(2)
        .with_content_type("application/cloudevents-batch+json".into());
    let routed = broker.publish("gozon.events", "order.placed.v1", properties, body);
    assert!(routed.await);
}

/// An event about one and the same order.
fn order_placed(user_id: i64, amount_minor: i64) -> Value {
    const ORDER: Uuid = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001);
    json!({
        "specversion": "1.0",
        "id": Uuid::now_v7(),
        "type": "order.placed.v1",
        "source": "/gozon/order",
        "subject": ORDER,
        "time": "2026-01-01T00:00:00Z",
        "datacontenttype": "application/json",
        "data": {
            "order_id": ORDER,
            "user_id": user_id,
            "amount": { "amount_minor": amount_minor, "currency": "RUB" },
            "placed_at": "2026-01-01T00:00:00Z",
        },
    })
}

/// What is published for it comes back until the relay has declared it again.
async fn lose_a_queue(broker: &RawBroker) {
    poll_until("the queue is consumed", SOON, async || {
        broker.is_consumed(QUEUE).await.then_some(())
    })
    .await;
    let all = QueueDeleteOptions::default();
    broker
        .channel()
        .queue_delete(QUEUE.into(), all)
        .await
        .unwrap();
}

/// A session that has looked at a database and is kept open.
async fn hold_snapshot(shop: &Shop, service: Service) -> PgConnection {
    let pool = shop.database(service).pool(Login::Relay);
    let mut connection = pool.acquire().await.unwrap().detach();
    let held = "set application_name = 'a report'; \
                set idle_in_transaction_session_timeout = 0; \
                begin isolation level repeatable read; \
                select count(*) from messaging.lane";
    sqlx::raw_sql(held).execute(&mut connection).await.unwrap();
    connection
}
