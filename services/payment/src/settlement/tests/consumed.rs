//! Settlement behind its queue: a real broker, and consumers that compete or die.

use ::tests::{BrokerUser, TestVhost, poll_until};
use chassis::Profile;
use contracts::{CloudEvent, Message, OrderPlaced, RefundRequested};
use messaging::{
    broker::BrokerUrl,
    doorbell::WokenBy,
    publisher::{Answer, Outgoing, Publisher},
    topology,
};
use serde_json::json;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::*;
use crate::testing::migrated;

const SOON: Duration = Duration::from_secs(10);

/// A shop with its broker, and whoever publishes to it.
struct Line {
    shop: Shop,
    publisher: Publisher,
    _vhost: TestVhost,
}

/// A consumer at work.
struct Running {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Line {
    async fn open() -> Self {
        let vhost = TestVhost::create().await;
        let url = |user| BrokerUrl::parse(vhost.url(user)).unwrap();
        topology::declare(&url(BrokerUser::Owner)).await.unwrap();
        let publisher = Publisher::connect(&url(BrokerUser::Relay), "test")
            .await
            .unwrap();
        let shop = Shop::on(migrated().await, Profile::Demo, url(BrokerUser::Service));
        Self {
            shop,
            publisher,
            _vhost: vhost,
        }
    }

    fn consume(&self) -> Running {
        let stop = CancellationToken::new();
        let consumer = consumer(&self.shop.settings);
        let task = tokio::spawn({
            let stop = stop.clone();
            async move { consumer.run(stop).await }
        });
        Running { stop, task }
    }

    /// Publishes a message of these events, which are all of the type of the first.
    async fn publish(&self, events: &[Value]) {
        let kind = match events[0]["type"].as_str() {
            Some(RefundRequested::TYPE) => RefundRequested::TYPE,
            _ => OrderPlaced::TYPE,
        };
        let message = Outgoing {
            kind: kind.to_owned(),
            message_id: Uuid::now_v7(),
            body: serde_json::to_vec(events).unwrap(),
        };
        let answer = self.publisher.send(message).await;
        assert!(matches!(answer, Answer::Confirmed), "{answer:?}");
    }

    /// Takes what is in the queue and settles it, as a consumer does that dies before it acknowledges.
    async fn settle_and_die(&self) {
        let consumer = consumer(&self.shop.settings);
        let mut session = consumer.connect().await.unwrap();
        let mut batch = session.next_batch().await.unwrap();
        consumer.settle(&mut session, &mut batch).await.unwrap();
    }

    /// The same, and acknowledges. Says whether it was delivered before.
    async fn settle(&self) -> bool {
        let consumer = consumer(&self.shop.settings);
        let mut session = consumer.connect().await.unwrap();
        let mut batch = session.next_batch().await.unwrap();
        consumer.settle(&mut session, &mut batch).await.unwrap();
        batch.acknowledge().await.unwrap();
        batch.redelivered()
    }

    /// The reasons of the dead letters, in the order in which they came.
    async fn dead_letters(&self) -> Vec<String> {
        sqlx::query_scalar("select reason_class from messaging.dead_letter order by id")
            .fetch_all(&self.shop.admin)
            .await
            .unwrap()
    }

    async fn wait_until_decided(&self, orders: i64) {
        let decided = async || {
            let count = count(&self.shop, "CAPTURED").await + count(&self.shop, "DECLINED").await;
            (count == orders).then_some(())
        };
        poll_until("all orders are decided", SOON, decided).await;
    }
}

impl Running {
    async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }
}

fn placed(order_id: OrderId, user_id: i64, amount_minor: i64) -> Value {
    let placed = OrderPlaced {
        order_id,
        user_id: user(user_id),
        amount: Money::rub(amount_minor),
        placed_at: Some(OffsetDateTime::now_utc()),
    };
    let event = CloudEvent::new(&placed, &TraceContext::root(), OffsetDateTime::now_utc());
    serde_json::to_value(event).unwrap()
}

fn refund_requested(order_id: OrderId, user_id: i64, amount_minor: i64) -> Value {
    let requested = RefundRequested {
        order_id,
        user_id: user(user_id),
        amount: Money::rub(amount_minor),
        requested_at: Some(OffsetDateTime::now_utc()),
    };
    let event = CloudEvent::new(&requested, &TraceContext::root(), OffsetDateTime::now_utc());
    serde_json::to_value(event).unwrap()
}

#[tokio::test]
async fn a_consumer_that_dies_between_commit_and_ack_has_refunded_once() {
    let line = Line::open().await;
    line.shop.customer(1, 10_000).await;
    let order_id = OrderId::new();
    line.publish(&[placed(order_id, 1, 100)]).await;
    line.settle().await;
    line.publish(&[refund_requested(order_id, 1, 100)]).await;
    line.settle_and_die().await;
    let before = line.shop.contents().await;
    assert!(line.settle().await, "the broker delivers it again");
    assert_eq!(line.shop.contents().await, before);
    // And even an inbox that has forgotten gives nothing back twice.
    line.publish(&[refund_requested(order_id, 1, 100)]).await;
    line.settle_and_die().await;
    let forget = sqlx::raw_sql("truncate messaging.inbox");
    forget.execute(&line.shop.admin).await.unwrap();
    assert!(line.settle().await, "the broker delivers it again");
    assert_eq!(line.shop.balance(1).await, 10_000);
    assert_eq!(answers(&line.shop, order_id).await.len(), 4);
    line.shop.check_books().await;
}

#[tokio::test]
async fn refunds_at_once_through_competing_consumers_give_back_what_was_paid() {
    let line = Line::open().await;
    line.shop.customer(1, 10_000).await;
    let consumers = [line.consume(), line.consume(), line.consume()];
    let orders: Vec<_> = (0..50).map(|_| OrderId::new()).collect();
    for order_id in &orders {
        line.publish(&[placed(*order_id, 1, 200)]).await;
    }
    line.wait_until_decided(50).await;
    for order_id in orders.iter().chain(&orders) {
        line.publish(&[refund_requested(*order_id, 1, 200)]).await;
    }
    poll_until("all requests are answered", SOON, async || {
        let answered: i64 = sqlx::query_scalar(
            "select count(*) from messaging.outbox where type = 'payment.refunded.v1'",
        )
        .fetch_one(&line.shop.admin)
        .await
        .unwrap();
        (answered == 100).then_some(())
    })
    .await;
    for consumer in consumers {
        consumer.stop().await;
    }
    assert_eq!(line.shop.balance(1).await, 10_000);
    line.shop.check_books().await;
}

#[tokio::test]
async fn fifty_orders_at_once_through_competing_consumers_spend_the_money_once() {
    let line = Line::open().await;
    line.shop.customer(1, 10_000).await;
    let consumers = [line.consume(), line.consume(), line.consume()];
    for _ in 0..50 {
        line.publish(&[placed(OrderId::new(), 1, 10_000)]).await;
    }
    line.wait_until_decided(50).await;
    for consumer in consumers {
        consumer.stop().await;
    }
    assert_eq!(count(&line.shop, "CAPTURED").await, 1);
    assert_eq!(line.shop.balance(1).await, 0);
    line.shop.check_books().await;
}

#[tokio::test]
async fn a_settled_batch_rings_for_the_relay() {
    let line = Line::open().await;
    let mut bell = line.shop.settings.outbox_bell.bell();
    line.publish(&[placed(OrderId::new(), 1, 100)]).await;
    line.settle().await;
    assert_eq!(bell.wait(Duration::ZERO).await, WokenBy::Signal);
}

#[tokio::test]
async fn a_consumer_that_dies_after_the_commit_costs_nothing_when_all_is_delivered_again() {
    let line = Line::open().await;
    line.shop.customer(1, 10_000).await;
    line.publish(&[
        placed(OrderId::new(), 1, 100),
        placed(OrderId::new(), 2, 100),
    ])
    .await;
    line.settle_and_die().await;
    let before = line.shop.contents().await;
    assert!(line.settle().await, "the broker delivers it again");
    assert_eq!(line.shop.contents().await, before);
    assert_eq!(line.shop.balance(1).await, 9_900);
}

#[tokio::test]
async fn the_decision_stands_even_when_the_inbox_has_forgotten() {
    let line = Line::open().await;
    line.shop.customer(1, 10_000).await;
    let order_id = OrderId::new();
    line.publish(&[placed(order_id, 1, 100)]).await;
    line.settle_and_die().await;
    let forget = sqlx::raw_sql("truncate messaging.inbox");
    forget.execute(&line.shop.admin).await.unwrap();
    assert!(line.settle().await, "the broker delivers it again");
    let answers = answers(&line.shop, order_id).await;
    assert_eq!(answers.len(), 2);
    assert_eq!(answers[0]["data"], answers[1]["data"]);
    assert_eq!(line.shop.balance(1).await, 9_900);
    line.shop.check_books().await;
}

#[tokio::test]
async fn a_bad_event_among_99_good_ones_becomes_a_dead_letter_and_the_rest_is_paid() {
    let line = Line::open().await;
    line.shop.customer(1, 9_900).await;
    let mut events: Vec<_> = (0..99).map(|_| placed(OrderId::new(), 1, 100)).collect();
    let mut bad = placed(OrderId::new(), 1, 100);
    bad["data"]["amount"]["amount_minor"] = json!(-100_000);
    events.insert(50, bad);
    line.publish(&events).await;
    line.settle().await;
    assert_eq!(line.dead_letters().await, ["invalid"]);
    assert_eq!(count(&line.shop, "CAPTURED").await, 99);
    assert_eq!(line.shop.balance(1).await, 0);
    line.shop.check_books().await;
}

#[tokio::test]
async fn every_bad_event_becomes_a_dead_letter_with_its_reason_and_the_next_good_one_is_paid() {
    let line = Line::open().await;
    line.shop.customer(1, 10_000).await;
    let running = line.consume();
    let mut expected = Vec::new();
    for (path, value, reason) in [
        ("/data/amount/amount_minor", json!(0), "invalid"),
        ("/data/amount/amount_minor", json!(-1), "invalid"),
        ("/data/amount/amount_minor", json!(1e30), "invalid"),
        (
            "/data/amount/amount_minor",
            json!(100_000_000_001_i64),
            "invalid",
        ),
        ("/data/amount/amount_minor", json!(1.5), "invalid"),
        ("/data/amount/amount_minor", json!("100"), "invalid"),
        ("/data/amount/currency", json!("USD"), "invalid"),
        ("/data/user_id", json!(0), "invalid"),
        ("/data/user_id", json!(-1), "invalid"),
        ("/data/user_id", json!("one"), "invalid"),
        ("/data/order_id", json!("seventeen"), "invalid"),
        ("/data", json!([]), "invalid"),
        ("/subject", json!(OrderId::new()), "invalid"),
        ("/type", json!("order.placed.v2"), "unknown_type"),
        ("/type", json!("order.vanished.v1"), "unknown_type"),
        ("/id", json!("seventeen"), "event_id"),
    ] {
        let mut event = placed(OrderId::new(), 1, 100);
        *event.pointer_mut(path).unwrap() = value;
        line.publish(&[event]).await;
        expected.push(reason);
    }
    line.publish(&[placed(OrderId::new(), 1, 100)]).await;
    line.wait_until_decided(1).await;
    running.stop().await;
    assert_eq!(line.dead_letters().await, expected);
    assert_eq!(line.shop.balance(1).await, 9_900);
    line.shop.check_books().await;
}

#[tokio::test]
async fn an_order_decided_under_other_contents_becomes_a_dead_letter_and_spares_its_batch() {
    let line = Line::open().await;
    line.shop.customer(1, 10_000).await;
    let order_id = OrderId::new();
    line.publish(&[placed(order_id, 1, 100)]).await;
    line.settle().await;
    line.publish(&[placed(order_id, 1, 200), placed(OrderId::new(), 1, 300)])
        .await;
    line.settle().await;
    assert_eq!(line.dead_letters().await, ["conflict"]);
    assert_eq!(line.shop.balance(1).await, 9_600);
    line.shop.check_books().await;
}
