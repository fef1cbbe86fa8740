//! Deferred events: what cannot be settled yet waits in a row, holds up nobody, and is executed once.

use contracts::{Message as _, OrderPlaced};
use messaging::{
    consumer::Session,
    metrics::{Metrics, process_destination},
    topology::PAYMENT_ORDERS,
};
use prometheus_client::{encoding::text, registry::Registry};
use sqlx::PgPool;
use tests::{TestDatabase, exposition::Exposition, poll_until};
use tokio_util::sync::CancellationToken;

use crate::support::{
    Answer, DEADLINE, answer, broker, consumer, count, database, due_consumer, effects, event,
    letters, measured_consumer, placed, publish, settle_next,
};

/// An amount that the handler is told something about.
const TOLD: i64 = 17;

/// Makes what is deferred due at once.
async fn hurry(pool: &PgPool) {
    sqlx::query("update messaging.deferred set next_attempt_at = now()")
        .execute(pool)
        .await
        .unwrap();
}

async fn deferred(pool: &PgPool) -> i64 {
    count(pool, "messaging.deferred").await
}

/// One order whose predecessor is missing, deferred.
async fn defer_one(db: &TestDatabase) -> (serde_json::Value, tests::TestVhost, Session) {
    let (vhost, raw) = broker().await;
    answer(db, TOLD, Some(Answer::NotYet)).await;
    let consumer = consumer(db, &vhost);
    let mut session = consumer.connect().await.unwrap();
    let event = event(&placed(TOLD));
    publish(&raw, std::slice::from_ref(&event)).await;
    settle_next(&consumer, &mut session).await;
    (event, vhost, session)
}

#[tokio::test]
async fn an_event_before_its_predecessor_waits_and_is_settled_when_that_is_there() {
    let db = database().await;
    let pool = db.admin_pool();
    defer_one(&db).await;
    assert_eq!((effects(&pool).await, deferred(&pool).await), (0, 1));
    answer(&db, TOLD, None).await;
    hurry(&pool).await;
    due_consumer(&db).settle_due().await.unwrap();
    assert_eq!((effects(&pool).await, deferred(&pool).await), (1, 0));
    assert_eq!(letters(&pool).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_deferred_event_is_not_tried_before_its_time() {
    let db = database().await;
    let pool = db.admin_pool();
    defer_one(&db).await;
    answer(&db, TOLD, None).await;
    sqlx::query("update messaging.deferred set next_attempt_at = now() + interval '1 hour'")
        .execute(&pool)
        .await
        .unwrap();
    assert_eq!(due_consumer(&db).settle_due().await.unwrap(), 0);
    assert_eq!((effects(&pool).await, deferred(&pool).await), (0, 1));
}

#[tokio::test]
async fn a_deferred_event_that_is_delivered_again_is_a_duplicate_before_and_after() {
    let db = database().await;
    let pool = db.admin_pool();
    let (event, vhost, mut session) = defer_one(&db).await;
    let consumer = consumer(&db, &vhost);
    let raw = vhost.raw().await;
    answer(&db, TOLD, None).await;
    publish(&raw, std::slice::from_ref(&event)).await;
    settle_next(&consumer, &mut session).await;
    assert_eq!((effects(&pool).await, deferred(&pool).await), (0, 1));
    hurry(&pool).await;
    consumer.settle_due().await.unwrap();
    publish(&raw, &[event]).await;
    settle_next(&consumer, &mut session).await;
    assert_eq!((effects(&pool).await, deferred(&pool).await), (1, 0));
}

#[tokio::test]
async fn an_event_whose_predecessor_never_comes_becomes_a_letter_of_its_own_reason() {
    let db = database().await;
    let pool = db.admin_pool();
    defer_one(&db).await;
    let consumer = due_consumer(&db);
    for attempts in 2..=4 {
        assert_eq!(letters(&pool).await.len(), 0, "before attempt {attempts}");
        hurry(&pool).await;
        consumer.settle_due().await.unwrap();
    }
    assert_eq!((effects(&pool).await, deferred(&pool).await), (0, 0));
    assert_eq!(letters(&pool).await, ["unknown_order"]);
    let attempts: i32 = sqlx::query_scalar("select attempts from messaging.dead_letter")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(attempts, 4);
}

#[tokio::test]
async fn pauses_between_attempts_grow() {
    let db = database().await;
    let pool = db.admin_pool();
    defer_one(&db).await;
    let consumer = due_consumer(&db);
    let mut pauses = Vec::new();
    for _ in 0..3 {
        hurry(&pool).await;
        let before: time::OffsetDateTime = sqlx::query_scalar("select clock_timestamp()")
            .fetch_one(&pool)
            .await
            .unwrap();
        consumer.settle_due().await.unwrap();
        let next: Option<time::OffsetDateTime> =
            sqlx::query_scalar("select next_attempt_at from messaging.deferred")
                .fetch_optional(&pool)
                .await
                .unwrap();
        pauses.extend(next.map(|next| next - before >= time::Duration::milliseconds(20)));
    }
    assert_eq!(pauses, [true, true], "and the fourth attempt was the last");
}

#[tokio::test]
async fn a_culprit_that_fails_alone_for_a_passing_cause_holds_up_nobody() {
    let (db, (vhost, raw)) = tokio::join!(database(), broker());
    let pool = db.admin_pool();
    answer(&db, TOLD, Some(Answer::Fail)).await;
    let stop = CancellationToken::new();
    let running = tokio::spawn(consumer(&db, &vhost).run(stop.clone()));
    let events: Vec<_> = (0..100)
        .map(|n| event(&placed(if n == 61 { TOLD } else { 100 + n })))
        .collect();
    publish(&raw, &events).await;
    poll_until("99 effects and a letter", DEADLINE, async || {
        (effects(&pool).await == 99 && letters(&pool).await == ["exhausted"]).then_some(())
    })
    .await;
    assert_eq!(raw.depth(PAYMENT_ORDERS.name).await, Some(0));
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test]
async fn a_culprit_alone_in_hand_is_kept_until_others_show_that_it_is_to_blame() {
    let (db, (vhost, raw)) = tokio::join!(database(), broker());
    let pool = db.admin_pool();
    answer(&db, TOLD, Some(Answer::Fail)).await;
    let mut registry = Registry::default();
    let consumer = measured_consumer(&db, &vhost, Metrics::register(&mut registry));
    let mut session = consumer.connect().await.unwrap();
    publish(&raw, &[event(&placed(TOLD))]).await;
    let mut batch = session.next_batch().await.unwrap();
    consumer.settle(&mut session, &mut batch).await.unwrap_err();
    assert_eq!(deferred(&pool).await, 0);
    drop(session);

    let stop = CancellationToken::new();
    let running = tokio::spawn(consumer.run(stop.clone()));
    poll_until("the culprit delivered again", DEADLINE, async || {
        (consumed(&registry) >= 2.0).then_some(())
    })
    .await;
    publish(&raw, &[event(&placed(100))]).await;
    poll_until("the next event's effect", DEADLINE, async || {
        (effects(&pool).await == 1).then_some(())
    })
    .await;
    stop.cancel();
    running.await.unwrap();
    // The culprit twice, for it was delivered twice, and once what came in while it was tried again and again.
    assert!((consumed(&registry) - 3.0).abs() < f64::EPSILON);
}

/// How many events were counted as taken from the queue.
fn consumed(registry: &Registry) -> f64 {
    let mut text = String::new();
    text::encode(&mut text, registry).unwrap();
    let placed = process_destination(OrderPlaced::TYPE, PAYMENT_ORDERS);
    let labels = [("messaging_destination_name", &*placed)];
    let counted = Exposition::parse(&text).sum("messaging_client_consumed_messages_total", &labels);
    counted.unwrap()
}

#[tokio::test]
async fn replicas_that_find_the_same_rows_due_settle_each_once() {
    let db = database().await;
    let pool = db.admin_pool();
    let (vhost, raw) = broker().await;
    answer(&db, TOLD, Some(Answer::NotYet)).await;
    let first = consumer(&db, &vhost);
    let mut session = first.connect().await.unwrap();
    let events: Vec<_> = (0..90).map(|_| event(&placed(TOLD))).collect();
    publish(&raw, &events).await;
    settle_next(&first, &mut session).await;
    assert_eq!(deferred(&pool).await, 90);
    answer(&db, TOLD, None).await;
    for _ in 0..10 {
        hurry(&pool).await;
        let replicas = [due_consumer(&db), due_consumer(&db), due_consumer(&db)];
        let [one, two, three] = &replicas;
        let (one, two, three) =
            tokio::join!(one.settle_due(), two.settle_due(), three.settle_due());
        for settled in [one, two, three] {
            settled.unwrap();
        }
    }
    assert_eq!((effects(&pool).await, deferred(&pool).await), (90, 0));
}
