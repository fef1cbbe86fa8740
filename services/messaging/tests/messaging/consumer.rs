//! Settling: once in effect, whatever is delivered again, wherever the consumer dies.

use std::{sync::Once, time::Duration};

use contracts::OrderPlaced;
use messaging::{
    broker::BrokerUrl,
    consumer::{Consumer, Discard, Event, Handler, Received, Schedule, Unsettled},
    failure::{Failure, Rejection},
    metrics::{InboxLabels, InboxOutcome, Metrics},
    topology::{PAYMENT_ORDERS, Queue},
    trace,
};
use sqlx::PgTransaction;
use tests::{BrokerUser, Login, Proxy, RawBroker, TestDatabase, poll_until};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::support::{
    DEADLINE, Effects, REFUSED_AMOUNT, broker, consumer, database, effects, event, letters, placed,
    publish, schedule,
};

async fn emptied(raw: &RawBroker) {
    poll_until("the queue is empty", DEADLINE, async || {
        (raw.depth(PAYMENT_ORDERS.name).await == Some(0)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_duplicate_delivery_changes_nothing() {
    let (db, (vhost, raw)) = tokio::join!(database(), broker());
    let consumer = consumer(&db, &vhost);
    let mut session = consumer.connect().await.unwrap();
    let event = event(&placed(100));
    publish(&raw, &[event.clone(), event.clone()]).await;
    publish(&raw, &[event]).await;
    let mut settled = 0;
    while settled < 2 {
        let mut batch = session.next_batch().await.unwrap();
        settled += batch.len();
        consumer.settle(&mut session, &mut batch).await.unwrap();
        batch.acknowledge().await.unwrap();
    }
    let pool = db.admin_pool();
    assert_eq!(effects(&pool).await, 1);
    assert_eq!(letters(&pool).await, Vec::<String>::new());
    assert_eq!(
        came_again(&db).await,
        [("inbox.received", None), ("inbox.duplicate", Some(2))]
    );
}

/// What an operator who follows the only event sees of its receipts, oldest first, and how often.
async fn came_again(db: &TestDatabase) -> Vec<(&'static str, Option<i32>)> {
    let event: Uuid = sqlx::query_scalar("select message_id from messaging.inbox")
        .fetch_one(&db.admin_pool())
        .await
        .unwrap();
    let mut connection = db.pool(Login::Writer).acquire().await.unwrap();
    let receipts = trace::received(&mut connection, PAYMENT_ORDERS.name, &[event]).await;
    let hops = receipts.unwrap().into_iter().map(|receipt| receipt.hop);
    hops.map(|hop| (hop.step, hop.attempts)).collect()
}

#[tokio::test]
async fn a_consumer_that_dies_between_commit_and_ack_has_its_effect_once() {
    let (db, (vhost, raw)) = tokio::join!(database(), broker());
    let consumer = consumer(&db, &vhost);
    publish(&raw, &[event(&placed(100))]).await;
    {
        let mut session = consumer.connect().await.unwrap();
        let mut batch = session.next_batch().await.unwrap();
        consumer.settle(&mut session, &mut batch).await.unwrap();
    }
    let pool = db.admin_pool();
    assert_eq!(effects(&pool).await, 1);
    let mut session = consumer.connect().await.unwrap();
    let mut again = session.next_batch().await.unwrap();
    assert!(again.redelivered());
    consumer.settle(&mut session, &mut again).await.unwrap();
    again.acknowledge().await.unwrap();
    assert_eq!(effects(&pool).await, 1);
}

/// A handler whose wire to the broker is cut as soon as its first batch is committed.
struct CutOff {
    wire: Proxy,
    first: Once,
}

impl Handler for CutOff {
    type Message = OrderPlaced;
    type Effect = ();
    const QUEUE: Queue = PAYMENT_ORDERS;

    fn decode(&self, event: &Event<'_>) -> Result<OrderPlaced, Rejection> {
        Effects.decode(event)
    }

    async fn settle(
        &self,
        tx: &mut PgTransaction<'_>,
        batch: &[Received<OrderPlaced>],
    ) -> Result<(Vec<Unsettled>, ()), Failure> {
        Effects.settle(tx, batch).await
    }

    async fn discard(
        &self,
        tx: &mut PgTransaction<'_>,
        received: &Received<OrderPlaced>,
    ) -> Result<Discard, Failure> {
        Effects.discard(tx, received).await
    }

    fn committed(&self, (): ()) {
        self.first.call_once(|| {
            // Held up first: what the consumer sends from now on cannot slip through before the wire's task sees the cut.
            self.wire.hold_up();
            self.wire.cut();
        });
    }
}

#[tokio::test]
async fn an_acknowledgement_lost_with_the_wire_brings_the_event_again_and_its_effect_once() {
    let (db, (vhost, raw)) = tokio::join!(database(), broker());
    let wire = vhost.proxy().await;
    let handler = CutOff {
        wire: wire.clone(),
        first: Once::new(),
    };
    let url = BrokerUrl::parse(&vhost.url_over(&wire, BrokerUser::Service)).unwrap();
    let metrics = Metrics::default();
    let consumer = Consumer::new(handler, db.pool(Login::Writer), url, metrics.clone());
    let stop = CancellationToken::new();
    let running = tokio::spawn(consumer.with_schedule(schedule()).run(stop.clone()));
    publish(&raw, &[event(&placed(100))]).await;
    let pool = db.admin_pool();
    poll_until(
        "what is settled is back in the queue",
        DEADLINE,
        async || {
            let is_back = raw.depth(PAYMENT_ORDERS.name).await? == 1;
            (effects(&pool).await == 1 && is_back).then_some(())
        },
    )
    .await;

    wire.restore();
    let settled = |outcome| {
        let queue = PAYMENT_ORDERS.name;
        let labels = InboxLabels { queue, outcome };
        metrics.inbox.messages.get_or_create_owned(&labels).get()
    };
    poll_until("it comes again", DEADLINE, async || {
        (settled(InboxOutcome::Fresh) + settled(InboxOutcome::Duplicate) == 2).then_some(())
    })
    .await;
    stop.cancel();
    running.await.unwrap();
    assert_eq!(effects(&pool).await, 1);
    assert_eq!(settled(InboxOutcome::Duplicate), 1);
    assert_eq!(
        came_again(&db).await,
        [("inbox.received", None), ("inbox.duplicate", Some(1))]
    );
    // With its consumer gone, whatever nobody acknowledged is ready again.
    poll_until("the broker knows the consumer gone", DEADLINE, async || {
        (!raw.is_consumed(PAYMENT_ORDERS.name).await).then_some(())
    })
    .await;
    assert_eq!(raw.depth(PAYMENT_ORDERS.name).await, Some(0));
}

#[tokio::test]
async fn a_consumer_that_dies_before_the_commit_has_its_effect_later() {
    let (db, (vhost, raw)) = tokio::join!(database(), broker());
    let consumer = consumer(&db, &vhost);
    publish(&raw, &[event(&placed(100))]).await;
    {
        let mut session = consumer.connect().await.unwrap();
        session.next_batch().await.unwrap();
    }
    let stop = CancellationToken::new();
    let running = tokio::spawn(consumer.run(stop.clone()));
    let pool = db.admin_pool();
    poll_until("the effect", DEADLINE, async || {
        (effects(&pool).await == 1).then_some(())
    })
    .await;
    stop.cancel();
    running.await.unwrap();
    emptied(&raw).await;
}

#[tokio::test]
async fn a_stale_acknowledgement_hits_no_other_message() {
    let (db, (vhost, raw)) = tokio::join!(database(), broker());
    let consumer = consumer(&db, &vhost);
    publish(&raw, &[event(&placed(1))]).await;
    let mut first = consumer.connect().await.unwrap();
    let stale = first.next_batch().await.unwrap();
    drop(first);
    let mut second = consumer.connect().await.unwrap();
    second.next_batch().await.unwrap();
    // The message is delivered again under the same tag, unsettled: the batch of the lost connection must not count for it.
    assert!(stale.acknowledge().await.is_err());
    drop(second);
    let mut third = consumer.connect().await.unwrap();
    assert!(third.next_batch().await.unwrap().redelivered());
}

#[tokio::test]
async fn a_subscription_that_delivers_nothing_is_made_anew_and_nothing_is_lost_with_the_old_one() {
    let (db, (vhost, raw)) = tokio::join!(database(), broker());
    let impatient = Schedule {
        trust: Duration::from_millis(5),
        ..schedule()
    };
    let stop = CancellationToken::new();
    let consumer = consumer(&db, &vhost).with_schedule(impatient);
    let running = tokio::spawn(consumer.run(stop.clone()));
    // Between the old one and the new one there is a moment without.
    for is_consumed in [true, false, true, false] {
        poll_until("a subscription, or none", DEADLINE, async || {
            (raw.is_consumed(PAYMENT_ORDERS.name).await == is_consumed).then_some(())
        })
        .await;
    }
    let events: Vec<_> = (0..200).map(|n| event(&placed(100 + n))).collect();
    for event in &events {
        publish(&raw, std::slice::from_ref(event)).await;
    }
    let pool = db.admin_pool();
    poll_until("all effects", DEADLINE, async || {
        (effects(&pool).await == 200).then_some(())
    })
    .await;
    emptied(&raw).await;
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test]
async fn one_culprit_is_found_by_halving_and_the_rest_stands() {
    let (db, (vhost, raw)) = tokio::join!(database(), broker());
    let stop = CancellationToken::new();
    let running = tokio::spawn(consumer(&db, &vhost).run(stop.clone()));
    let events: Vec<_> = (0..100)
        .map(|n| event(&placed(if n == 61 { REFUSED_AMOUNT } else { 100 + n })))
        .collect();
    publish(&raw, &events).await;
    let pool = db.admin_pool();
    poll_until("99 effects", DEADLINE, async || {
        (effects(&pool).await == 99).then_some(())
    })
    .await;
    poll_until("one letter", DEADLINE, async || {
        (letters(&pool).await == ["database"]).then_some(())
    })
    .await;
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test]
async fn a_passing_failure_is_tried_again_and_nothing_is_lost() {
    let (db, (vhost, raw)) = tokio::join!(database(), broker());
    let admin = db.admin_pool();
    sqlx::raw_sql("revoke insert on effects.effect from payments_writer")
        .execute(&admin)
        .await
        .unwrap();
    let stop = CancellationToken::new();
    let running = tokio::spawn(consumer(&db, &vhost).run(stop.clone()));
    publish(&raw, &[event(&placed(100))]).await;
    poll_until("the delivery is taken", DEADLINE, async || {
        (raw.depth(PAYMENT_ORDERS.name).await == Some(0)).then_some(())
    })
    .await;
    sqlx::raw_sql("grant insert on effects.effect to payments_writer")
        .execute(&admin)
        .await
        .unwrap();
    poll_until("the effect", DEADLINE, async || {
        (effects(&admin).await == 1).then_some(())
    })
    .await;
    assert_eq!(letters(&admin).await, Vec::<String>::new());
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test]
async fn two_consumers_share_a_queue_and_settle_each_event_once() {
    let (db, (vhost, raw)) = tokio::join!(database(), broker());
    let stop = CancellationToken::new();
    let running: Vec<_> = (0..2)
        .map(|_| tokio::spawn(consumer(&db, &vhost).run(stop.clone())))
        .collect();
    for _ in 0..20 {
        let events: Vec<_> = (0..20).map(|_| event(&placed(100))).collect();
        publish(&raw, &events).await;
        publish(&raw, &events).await;
    }
    let pool = db.admin_pool();
    poll_until("all effects", DEADLINE, async || {
        (effects(&pool).await >= 400).then_some(())
    })
    .await;
    emptied(&raw).await;
    stop.cancel();
    for consumer in running {
        consumer.await.unwrap();
    }
    assert_eq!(effects(&pool).await, 400);
}
