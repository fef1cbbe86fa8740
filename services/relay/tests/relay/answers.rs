//! What the broker does not take: its type rests alone, what can never be sent is parked, and the rest is written down.

use contracts::{DeclineReason, OrderId, PaymentDeclined, TraceContext};
use messaging::{
    outbox,
    topology::{ORDER_PAYMENTS, PAYMENT_ORDERS},
};
use serde_json::json;
use tests::{lapin::options::QueueDeleteOptions, poll_until, reqwest::Method};
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::support::{DEADLINE, World};

async fn append_declined(world: &World, count: usize) {
    let now = OffsetDateTime::now_utc();
    let messages: Vec<_> = (0..count)
        .map(|_| {
            let message = PaymentDeclined {
                order_id: OrderId::new(),
                reason: DeclineReason::NoAccount,
                received_at: Some(now),
                decided_at: now,
            };
            (message, TraceContext::root())
        })
        .collect();
    let mut tx = world.writer.begin().await.unwrap();
    outbox::append_all(&mut tx, &messages).await.unwrap();
    tx.commit().await.unwrap();
    world.doorbell.ring();
}

/// What the relay's user may configure in this world.
pub(crate) async fn may_configure(world: &World, pattern: &str) {
    let topology = r"^(gozon\.(events|dead-letters)|(payment|order)\..+)$";
    let permissions = json!({"configure": pattern, "write": topology, "read": topology});
    let path = format!("permissions/{}/relay", world.vhost.name());
    world
        .vhost
        .management(Method::PUT, &path, Some(&permissions))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_type_without_a_queue_rests_alone_until_its_queue_is_back() {
    let world = World::new().await;
    may_configure(&world, r"^gozon\.fence\..+$").await;
    world
        .raw
        .channel()
        .queue_delete(PAYMENT_ORDERS.name.into(), QueueDeleteOptions::default())
        .await
        .unwrap();
    let stop = CancellationToken::new();
    let running = tokio::spawn(world.relay("one").run(stop.clone()));
    let orders = world.append(250).await;
    append_declined(&world, 250).await;
    poll_until("the other type flows", DEADLINE, async || {
        (world.raw.depth(ORDER_PAYMENTS.name).await? > 2).then_some(())
    })
    .await;
    assert_eq!(world.raw.depth(PAYMENT_ORDERS.name).await, None);
    may_configure(&world, ".*").await;
    poll_until("the queue is declared again", DEADLINE, async || {
        world.raw.depth(PAYMENT_ORDERS.name).await
    })
    .await;
    let times = world.all_arrived(&orders).await;
    assert!(times.values().all(|count| *count == 1), "{times:?}");
    stop.cancel();
    running.await.unwrap();
}

/// An event as no program of ours would append it.
pub(crate) async fn append_raw(world: &World, key: Uuid, bytes: i32) {
    sqlx::query(
        r#"insert into messaging.outbox (lane, key, event_id, type, traceparent, body)
           values (7, $1, gen_random_uuid(), 'order.placed.v1', '', convert_to('"' || repeat('x', $2) || '"', 'utf8'))"#,
    )
    .bind(key)
    .bind(bytes)
    .execute(&world.db.admin_pool())
    .await
    .unwrap();
}

#[tokio::test]
async fn what_can_never_be_sent_is_parked_with_its_keys_later_events_and_the_rest_flows() {
    let world = World::new().await;
    let key = Uuid::now_v7();
    let mut relay = world.relay("one");
    relay.upkeep().await.unwrap();
    append_raw(&world, key, 110_000).await;
    append_raw(&world, key, 10).await;
    let orders = world.append(20).await;
    assert_eq!(relay.step(&world.stop).await.unwrap(), 22);
    relay.leave().await.unwrap();
    append_raw(&world, key, 10).await;
    let mut heir = world.relay("heir");
    heir.upkeep().await.unwrap();
    assert_eq!(heir.step(&world.stop).await.unwrap(), 1);
    assert_eq!(world.arrived().await.len(), orders.len());
    let reasons: Vec<String> =
        sqlx::query_scalar("select reason from messaging.parked order by outbox_id")
            .fetch_all(&world.db.admin_pool())
            .await
            .unwrap();
    assert_eq!(reasons, ["too_large", "behind", "behind"]);
}
