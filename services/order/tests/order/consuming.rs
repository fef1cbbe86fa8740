//! The consumer at the queue: decisions, duplicates of them, and what cannot be settled.

use std::time::Duration;

use contracts::{
    CloudEvent, DeclineReason, Message, OrderId, PaymentCaptured, PaymentDeclined, TraceContext,
    cloud_event::BATCH_CONTENT_TYPE,
};
use messaging::{
    broker::BrokerUrl,
    consumer::Schedule,
    dead_letter::{self, DiscardError, Filter},
    topology,
};
use order::Settlement;
use serde_json::{Value, json};
use tests::{
    BrokerUser, Login, RawBroker, TestVhost,
    lapin::{BasicProperties, types::ShortString},
    poll_until,
};
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

use crate::fixture::{Shop, captured, declined};

async fn read(shop: &Shop, id: OrderId) -> Value {
    shop.get(7, &format!("/api/v1/orders/{id}")).await.json
}

/// A consumer at work, and a way to publish to it past every relay.
struct Consuming {
    vhost: TestVhost,
    broker: RawBroker,
    ending: CancellationToken,
}

impl Consuming {
    async fn start(shop: &Shop, max_attempts: i32) -> Self {
        let vhost = TestVhost::create().await;
        topology::declare(&BrokerUrl::parse(vhost.url(BrokerUser::Owner)).unwrap())
            .await
            .unwrap();
        let url = BrokerUrl::parse(vhost.url(BrokerUser::Service)).unwrap();
        let schedule = Schedule {
            first_delay: Duration::from_millis(50),
            longest_delay: Duration::from_millis(50),
            max_attempts,
            poll: Duration::from_millis(20),
            ..Schedule::default()
        };
        let consumer = order::consumer(&shop.state, url, messaging::metrics::Metrics::default())
            .with_schedule(schedule);
        let ending = CancellationToken::new();
        tokio::spawn(consumer.run(ending.clone()));
        let broker = vhost.raw().await;
        Self {
            vhost,
            broker,
            ending,
        }
    }

    async fn publish(&self, kind: &str, batch: &[u8]) {
        let properties =
            BasicProperties::default().with_content_type(ShortString::from(BATCH_CONTENT_TYPE));
        assert!(
            self.broker
                .publish(topology::EXCHANGE, kind, properties, batch)
                .await
        );
    }
}

impl Drop for Consuming {
    fn drop(&mut self) {
        self.ending.cancel();
    }
}

fn event<M: Message>(message: &M) -> Value {
    let event = CloudEvent::new(message, &TraceContext::root(), OffsetDateTime::now_utc());
    serde_json::to_value(event).unwrap()
}

async fn becomes(shop: &Shop, id: OrderId, status: &str) {
    poll_until("the order is decided", Duration::from_secs(5), async || {
        (read(shop, id).await["status"] == status).then_some(())
    })
    .await;
}

#[tokio::test]
async fn decisions_come_from_the_queue_and_duplicates_of_them_change_nothing() {
    let shop = Shop::open().await;
    let consuming = Consuming::start(&shop, 3).await;
    let (paid, unpaid, last) = (
        shop.placed(7).await,
        shop.placed(7).await,
        shop.placed(7).await,
    );
    let batch = json!([event(&captured(paid))]).to_string();
    let declines = json!([event(&declined(unpaid, DeclineReason::NoAccount))]).to_string();
    for _ in 0..3 {
        consuming
            .publish(PaymentCaptured::TYPE, batch.as_bytes())
            .await;
        consuming
            .publish(PaymentDeclined::TYPE, declines.as_bytes())
            .await;
    }
    let end = json!([event(&captured(last))]).to_string();
    consuming
        .publish(PaymentCaptured::TYPE, end.as_bytes())
        .await;
    becomes(&shop, last, "FINISHED").await;
    assert_eq!(read(&shop, paid).await["status"], "FINISHED");
    assert_eq!(read(&shop, unpaid).await["reason"], "no_account");
    assert_eq!(shop.count("orders.status_history").await, 6);
    assert_eq!(shop.count("messaging.dead_letter").await, 0);
    assert!(!consuming.vhost.name().is_empty());
}

#[tokio::test]
async fn what_cannot_be_settled_becomes_dead_letters_and_holds_nothing_up() {
    let shop = Shop::open().await;
    let consuming = Consuming::start(&shop, 3).await;
    let paid = shop.placed(7).await;
    shop.settle(&[paid]).await;

    let good = shop.placed(7).await;
    let mut elements: Vec<Value> = (0..99).map(|_| event(&captured(paid))).collect();
    elements[50] = event(&captured(good));
    elements.insert(20, event(&declined(paid, DeclineReason::NoAccount)));
    elements.insert(40, event(&captured(OrderId::new())));
    let mut newer = event(&captured(good));
    newer["type"] = json!("payment.captured.v9");
    elements.insert(60, newer);
    let mut reasonless = event(&declined(good, DeclineReason::NoAccount));
    reasonless["data"]["reason"] = json!("bad_mood");
    elements.insert(70, reasonless);
    consuming
        .publish(
            PaymentCaptured::TYPE,
            &serde_json::to_vec(&elements).unwrap(),
        )
        .await;
    becomes(&shop, good, "FINISHED").await;

    let audit = shop.database.pool(Login::Audit);
    let classes = poll_until("four letters", Duration::from_secs(5), async || {
        let classes: Vec<String> =
            sqlx::query_scalar("select reason_class from messaging.dead_letter order by 1")
                .fetch_all(&audit)
                .await
                .unwrap();
        (classes.len() == 4).then_some(classes)
    })
    .await;
    assert_eq!(
        classes,
        ["conflict", "invalid", "unknown_order", "unknown_type"]
    );

    let next = shop.placed(7).await;
    consuming
        .publish(PaymentCaptured::TYPE, b"\xff\xfe not a batch")
        .await;
    let batch = json!([event(&captured(next))]).to_string();
    consuming
        .publish(PaymentCaptured::TYPE, batch.as_bytes())
        .await;
    poll_until(
        "the next good message is settled",
        Duration::from_secs(1),
        async || (read(&shop, next).await["status"] == "FINISHED").then_some(()),
    )
    .await;
}

#[tokio::test]
async fn a_decision_about_an_order_that_is_restored_later_is_settled_then() {
    let shop = Shop::open().await;
    let consuming = Consuming::start(&shop, i32::MAX).await;
    let lost = shop.placed(7).await;
    // The order's rows are gone for a while, as after a restore from a backup.
    sqlx::raw_sql(
        "create table public.kept as select * from orders.orders;
         create table public.kept_history as select * from orders.status_history;
         delete from orders.status_history; delete from orders.orders",
    )
    .execute(&shop.admin)
    .await
    .unwrap();
    let batch = json!([event(&captured(lost))]).to_string();
    consuming
        .publish(PaymentCaptured::TYPE, batch.as_bytes())
        .await;
    poll_until("the decision waits", Duration::from_secs(5), async || {
        (shop.count("messaging.deferred").await == 1).then_some(())
    })
    .await;
    sqlx::raw_sql("insert into orders.orders overriding system value select * from public.kept")
        .execute(&shop.admin)
        .await
        .unwrap();
    poll_until(
        "the decision is settled",
        Duration::from_secs(5),
        async || (shop.count("messaging.deferred").await == 0).then_some(()),
    )
    .await;
    assert_eq!(shop.count("messaging.dead_letter").await, 0);
    assert_eq!(read(&shop, lost).await["status"], "FINISHED");
}

#[tokio::test]
async fn a_valid_decision_among_the_dead_letters_is_not_discarded() {
    let shop = Shop::open().await;
    let consuming = Consuming::start(&shop, 1).await;
    // The order is lost, and its decision is the only word about somebody's money.
    let lost = OrderId::new();
    let batch = json!([event(&captured(lost))]).to_string();
    consuming
        .publish(PaymentCaptured::TYPE, batch.as_bytes())
        .await;
    poll_until(
        "the decision is a dead letter",
        Duration::from_secs(5),
        async || (shop.count("messaging.dead_letter").await == 1).then_some(()),
    )
    .await;
    let before = shop.contents().await;
    let mut tx = shop.writer.begin().await.unwrap();
    let settlement = Settlement::new(shop.status_bell.clone(), shop.metrics.clone());
    let filter = Filter::default();
    match dead_letter::discard(&mut tx, &settlement, &filter, "olga", "tidy up").await {
        Err(DiscardError::Refused(refused)) => {
            assert_eq!(refused.len(), 1);
            assert!(refused[0].why.contains(&lost.to_string()), "{refused:?}");
        }
        other => panic!("{other:?}"),
    }
    // Even if it is committed: the letter is still there, and no operation is on record.
    tx.commit().await.unwrap();
    assert_eq!(shop.contents().await, before);
    assert_eq!(shop.count("messaging.dead_letter").await, 1);
    assert_eq!(shop.count("messaging.operation").await, 0);
}
