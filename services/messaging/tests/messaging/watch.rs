//! What the watches show: what there is, and nothing while nothing can be read.

use std::time::Duration;

use contracts::{TraceContext, metrics::Readings};
use messaging::{
    broker::BrokerUrl,
    consumers,
    metrics::{DatabaseLabels, DeadLetterLabels, Metrics, QueueLabels},
    outbox::append_all,
    topology::PAYMENT_ORDERS,
    watch::{OutboxWatch, QueueWatch, RowWatch},
};
use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};
use tests::{BrokerUser, Login, TestDatabase, poll_until};
use tokio_util::sync::CancellationToken;

use crate::{
    database_away::set_away,
    support::{DEADLINE, broker, database, event, placed, publish},
};

/// A watch reads every five seconds, and may take as long to find out that it cannot.
const TWO_LOOKS: Duration = Duration::from_secs(20);

const ORDERS: DatabaseLabels = DatabaseLabels { database: "orders" };

fn watch(db: &TestDatabase, metrics: &Metrics) -> OutboxWatch {
    OutboxWatch::new("orders", db.pool(Login::Relay), metrics.outbox.clone())
}

/// The one reading.
fn shown<V: Clone>(readings: &Readings<DatabaseLabels, V>) -> V {
    readings.shown()[0].1.clone()
}

async fn append(db: &TestDatabase, events: i64) {
    let messages: Vec<_> = (1..=events)
        .map(|amount| (placed(amount), TraceContext::root()))
        .collect();
    let mut tx = db.pool(Login::Writer).begin().await.unwrap();
    append_all(&mut tx, &messages).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn an_outbox_is_shown_with_its_relays_and_lanes() {
    let (db, metrics) = (database().await, Metrics::default());
    append(&db, 30).await;
    sqlx::raw_sql(
        "update messaging.outbox set appended_at = appended_at - interval '1 minute' where id = 1;
         insert into messaging.relay values ('alive', now()), ('silent', now() - interval '1 minute');
         update messaging.lane set owner = 'alive', lease_until = now() + interval '1 hour' where lane < 60;
         update messaging.lane set owner = 'silent', lease_until = now() - interval '1 second' where lane = 60;
         insert into messaging.parked (outbox_id, lane, key, event_id, type, body, reason)
         values (1, 1, gen_random_uuid(), gen_random_uuid(), 'x', '', 'too_large')",
    )
    .execute(&db.admin_pool())
    .await
    .unwrap();
    watch(&db, &metrics).read().await.unwrap();
    let outbox = &metrics.outbox;
    assert_eq!(outbox.pending.shown(), [(ORDERS, 30)]);
    let age = shown(&outbox.oldest_age);
    assert!((60.0..120.0).contains(&age), "{age}");
    assert_eq!(shown(&outbox.parked), 1);
    assert_eq!(shown(&outbox.partitions_ahead), 7);
    assert_eq!(shown(&outbox.lanes_without_owner), 4);
    assert_eq!(shown(&outbox.relays_alive), 1);
}

#[tokio::test]
async fn a_held_snapshot_is_shown_with_the_name_of_who_holds_it() {
    let (db, metrics) = (database().await, Metrics::default());
    let watch = watch(&db, &metrics);
    watch.read().await.unwrap();
    assert_eq!(metrics.outbox.oldest_snapshot_age.shown(), []);
    let options: PgConnectOptions = db.url(Login::Writer).parse().unwrap();
    let options = options.application_name("a report");
    let mut holder = PgConnection::connect_with(&options).await.unwrap();
    sqlx::raw_sql("begin isolation level repeatable read; select 1")
        .execute(&mut holder)
        .await
        .unwrap();
    watch.read().await.unwrap();
    let held = metrics.outbox.oldest_snapshot_age.shown();
    let names: Vec<_> = held
        .iter()
        .map(|(labels, _)| labels.application_name.as_str())
        .collect();
    assert_eq!(names, ["a report"]);
    assert!((0.0..60.0).contains(&held[0].1), "{held:?}");
}

#[tokio::test]
async fn dead_letters_and_deferred_events_are_shown_by_queue_and_reason() {
    let (db, metrics) = (database().await, Metrics::default());
    sqlx::raw_sql(
        "insert into messaging.dead_letter (consumer, body_digest, routing_key, headers, body, reason_class, reason, first_seen_at)
         select consumer, decode(lpad(to_hex(n), 2, '0'), 'hex'), 'x', '{}', '', class, 'told so', now() - interval '1 hour'
         from (values ('payment.orders.v1', 'conflict', 1), ('payment.orders.v1', 'conflict', 2),
                      ('payment.orders.v1', 'of a newer version', 3), ('order.payments.v1', 'invalid', 4)) as letter (consumer, class, n);
         insert into messaging.deferred (consumer, message_id, body_digest, type, routing_key, headers, body, attempts,
                                         next_attempt_at, reason_class, reason)
         select consumer, gen_random_uuid(), '', 'x', 'x', '{}', '', 1, now(), 'unknown_order', 'told so'
         from (values ('payment.orders.v1'), ('order.payments.v1')) as event (consumer)",
    )
    .execute(&db.admin_pool())
    .await
    .unwrap();
    let queue = PAYMENT_ORDERS.name;
    let pool = db.pool(Login::Writer);
    let watch = RowWatch::new(PAYMENT_ORDERS, pool, metrics.clone());
    watch.read().await.unwrap();
    let letters = metrics.queues.dead_letters.shown();
    let some: Vec<_> = letters.iter().filter(|(_, count)| *count > 0).collect();
    let label = |reason| DeadLetterLabels { queue, reason };
    assert_eq!(some, [&(label("conflict"), 2), &(label("other"), 1)]);
    for (labels, age) in metrics.queues.oldest_dead_letter_age.shown() {
        let is_old = (3_600.0..3_700.0).contains(&age);
        let has_letters = matches!(labels.reason, "conflict" | "other");
        assert_eq!(is_old, has_letters, "{labels:?} {age}");
    }
    let deferred = metrics.queues.deferred.shown();
    assert_eq!(deferred, [(QueueLabels { queue }, 1)]);
}

#[tokio::test]
async fn while_the_database_is_away_nothing_is_shown_of_it() {
    let (db, metrics) = (database().await, Metrics::default());
    let stop = CancellationToken::new();
    let running = tokio::spawn(watch(&db, &metrics).run(stop.clone()));
    let rows = RowWatch::new(PAYMENT_ORDERS, db.pool(Login::Writer), metrics.clone());
    let rows = tokio::spawn(rows.run(stop.clone()));
    let is_shown = || {
        let (outbox, queues) = (&metrics.outbox, &metrics.queues);
        [
            !outbox.pending.shown().is_empty(),
            !outbox.oldest_age.shown().is_empty(),
            !outbox.relays_alive.shown().is_empty(),
            !queues.dead_letters.shown().is_empty(),
            !queues.deferred.shown().is_empty(),
        ]
    };
    let becomes = async |expected: bool| {
        let what = format!("it is shown: {expected}");
        poll_until(&what, TWO_LOOKS, async || {
            (is_shown() == [expected; 5]).then_some(())
        })
        .await;
    };
    becomes(true).await;
    set_away(&db, true).await;
    becomes(false).await;
    set_away(&db, false).await;
    becomes(true).await;
    stop.cancel();
    running.await.unwrap();
    rows.await.unwrap();
}

#[tokio::test]
async fn a_queue_is_shown_filling_up_while_nobody_consumes_it() {
    let (vhost, raw) = broker().await;
    let metrics = Metrics::default();
    let stop = CancellationToken::new();
    let url = BrokerUrl::parse(vhost.url(BrokerUser::Relay)).unwrap();
    publish(&raw, &[event(&placed(1))]).await;
    publish(&raw, &[event(&placed(2))]).await;
    poll_until("both are in the queue", DEADLINE, async || {
        (raw.depth(PAYMENT_ORDERS.name).await? == 2).then_some(())
    })
    .await;
    let watch = QueueWatch::new(PAYMENT_ORDERS, url, metrics.queues.clone());
    let running = tokio::spawn(watch.run(stop.clone()));
    let expected = [(PAYMENT_ORDERS.name, 2), (PAYMENT_ORDERS.dead, 0)];
    let expected = expected.map(|(queue, count)| (QueueLabels { queue }, count));
    poll_until("they are shown", DEADLINE, async || {
        (metrics.queues.ready.shown() == expected).then_some(())
    })
    .await;
    let consumers = metrics.queues.consumers.shown();
    assert!(consumers.iter().all(|(_, count)| *count == 0));
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test]
async fn a_process_tells_of_its_consumer_for_all_to_see_until_it_stops() {
    let (db, metrics) = (database().await, Metrics::default());
    let labels = QueueLabels {
        queue: PAYMENT_ORDERS.name,
    };
    metrics.inbox.connected.get_or_create(&labels).set(1);
    metrics.inbox.unacknowledged.get_or_create(&labels).set(7);
    let told = async || {
        let mut connection = db.pool(Login::Writer).acquire().await.unwrap();
        consumers::list(&mut connection).await.unwrap()
    };
    let stop = CancellationToken::new();
    let pool = db.pool(Login::Writer);
    let watch = RowWatch::new(PAYMENT_ORDERS, pool, metrics.clone());
    let running = tokio::spawn(watch.run(stop.clone()));
    let consumer = poll_until("it tells of itself", DEADLINE, async || told().await.pop()).await;
    assert_eq!(consumer.queue, PAYMENT_ORDERS.name);
    assert_eq!(
        (consumer.connected, consumer.paused, consumer.unacknowledged),
        (true, false, 7)
    );
    stop.cancel();
    running.await.unwrap();
    assert_eq!(told().await, []);
}
