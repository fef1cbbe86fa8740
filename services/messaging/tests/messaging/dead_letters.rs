//! Poison: each kind ends in dead letters with its reason, and neither blocks the queue nor disappears.

use contracts::cloud_event::BATCH_CONTENT_TYPE;
use messaging::{
    consumer::MAX_MESSAGE_BYTES,
    topology::{EXCHANGE, PAYMENT_ORDERS},
};
use serde_json::{Value, json};
use sqlx::Row;
use tests::{
    RawBroker, TestDatabase, TestVhost,
    lapin::{
        BasicProperties,
        options::{BasicGetOptions, BasicNackOptions},
    },
    poll_until,
};
use tokio_util::sync::CancellationToken;

use crate::support::{
    DEADLINE, broker, consumer, database, effects, event, letters, placed, publish,
};

/// An event with one attribute changed.
fn with(attribute: &str, value: Value) -> Value {
    let mut event = event(&placed(100));
    event[attribute] = value;
    event
}

fn without(attribute: &str) -> Value {
    let mut event = event(&placed(100));
    event.as_object_mut().unwrap().remove(attribute);
    event
}

fn batch(events: &[Value]) -> Vec<u8> {
    serde_json::to_vec(events).unwrap()
}

#[tokio::test]
async fn every_kind_of_poison_becomes_a_dead_letter_with_its_reason() {
    let (db, (vhost, raw)) = tokio::join!(database(), broker());
    let stop = CancellationToken::new();
    let running = tokio::spawn(consumer(&db, &vhost).run(stop.clone()));
    let nested = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000)).into_bytes();
    let poison: Vec<(&str, Vec<u8>, &str)> = vec![
        ("empty", Vec::new(), "malformed"),
        ("not UTF-8", b"\xff\xfe\x00".to_vec(), "malformed"),
        ("wrong JSON", b"[{".to_vec(), "malformed"),
        ("10,000 nested brackets", nested, "malformed"),
        ("no array", b"{}".to_vec(), "malformed"),
        ("1 MB", vec![b' '; 1024 * 1024], "too_large"),
        (
            "just too large",
            vec![b' '; MAX_MESSAGE_BYTES + 1],
            "too_large",
        ),
        ("missing id", batch(&[without("id")]), "event_id"),
        (
            "malformed id",
            batch(&[with("id", json!("seven"))]),
            "event_id",
        ),
        (
            "unknown type",
            batch(&[with("type", json!("order.eaten.v1"))]),
            "unknown_type",
        ),
        (
            "unknown version",
            batch(&[with("type", json!("order.placed.v2"))]),
            "unknown_type",
        ),
        (
            "a NUL in the type",
            batch(&[with("type", json!("order\0placed"))]),
            "unknown_type",
        ),
        ("missing subject", batch(&[without("subject")]), "malformed"),
        (
            "another subject",
            batch(&[with("subject", json!("somebody"))]),
            "invalid",
        ),
        ("no data", batch(&[without("data")]), "malformed"),
        (
            "wrong data",
            batch(&[with("data", json!({"order_id": "\0"}))]),
            "invalid",
        ),
    ];
    let pool = db.admin_pool();
    for (count, (name, body, class)) in poison.iter().enumerate() {
        let properties = BasicProperties::default().with_content_type(BATCH_CONTENT_TYPE.into());
        raw.publish(EXCHANGE, "order.placed.v1", properties, body)
            .await;
        let written = poll_until(name, DEADLINE, async || {
            Some(letters(&pool).await).filter(|all| all.len() > count)
        })
        .await;
        assert_eq!(written.last().unwrap(), class, "{name}");
    }
    raw.publish(
        EXCHANGE,
        "order.placed.v1",
        BasicProperties::default(),
        &batch(&[event(&placed(1))]),
    )
    .await;
    poll_until("no content type", DEADLINE, async || {
        (letters(&pool).await.last().unwrap() == "content_type").then_some(())
    })
    .await;
    assert_eq!(effects(&pool).await, 0);
    let kept = sqlx::query(
        "select body from messaging.dead_letter where reason_class = 'too_large' order by id limit 1",
    );
    let kept: Vec<u8> = kept.fetch_one(&pool).await.unwrap().get(0);
    assert_eq!(kept.len(), 1024 * 1024, "a dead letter is kept whole");

    let properties = BasicProperties::default().with_content_type(BATCH_CONTENT_TYPE.into());
    raw.publish(
        EXCHANGE,
        "order.placed.v1",
        properties,
        &batch(&[event(&placed(100))]),
    )
    .await;
    poll_until("the next good message", DEADLINE, async || {
        (effects(&pool).await == 1).then_some(())
    })
    .await;
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test]
async fn one_bad_event_spares_the_other_99() {
    let (db, (vhost, raw)) = tokio::join!(database(), broker());
    let stop = CancellationToken::new();
    let running = tokio::spawn(consumer(&db, &vhost).run(stop.clone()));
    let mut events: Vec<Value> = (0..99).map(|_| event(&placed(100))).collect();
    events.insert(50, json!([[["no event"]]]));
    let properties = BasicProperties::default().with_content_type(BATCH_CONTENT_TYPE.into());
    raw.publish(EXCHANGE, "order.placed.v1", properties, &batch(&events))
        .await;
    let pool = db.admin_pool();
    poll_until("99 effects", DEADLINE, async || {
        (effects(&pool).await == 99).then_some(())
    })
    .await;
    assert_eq!(letters(&pool).await, ["malformed"]);
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test]
async fn the_same_id_with_other_contents_is_a_conflict() {
    let (db, (vhost, raw)) = tokio::join!(database(), broker());
    let stop = CancellationToken::new();
    let running = tokio::spawn(consumer(&db, &vhost).run(stop.clone()));
    let first = event(&placed(100));
    let mut other = event(&placed(200));
    other["id"] = first["id"].clone();
    let properties = BasicProperties::default().with_content_type(BATCH_CONTENT_TYPE.into());
    raw.publish(
        EXCHANGE,
        "order.placed.v1",
        properties.clone(),
        &batch(&[first]),
    )
    .await;
    let pool = db.admin_pool();
    poll_until("the effect", DEADLINE, async || {
        (effects(&pool).await == 1).then_some(())
    })
    .await;
    for _ in 0..2 {
        raw.publish(
            EXCHANGE,
            "order.placed.v1",
            properties.clone(),
            &batch(std::slice::from_ref(&other)),
        )
        .await;
    }
    poll_until("the conflict is counted twice", DEADLINE, async || {
        let row = sqlx::query(
            "select occurrences from messaging.dead_letter where reason_class = 'conflict'",
        );
        row.fetch_optional(&pool)
            .await
            .unwrap()
            .filter(|row| row.get::<i32, _>(0) == 2)
            .map(|_| ())
    })
    .await;
    assert_eq!(effects(&pool).await, 1);
    assert_eq!(letters(&pool).await.len(), 1);
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test]
async fn an_id_in_dead_letters_is_not_executed() {
    let (db, (vhost, raw)) = tokio::join!(database(), broker());
    let stop = CancellationToken::new();
    let running = tokio::spawn(consumer(&db, &vhost).run(stop.clone()));
    let good = event(&placed(100));
    let mut bad = good.clone();
    bad["type"] = json!("order.placed.v9");
    let properties = BasicProperties::default().with_content_type(BATCH_CONTENT_TYPE.into());
    let pool = db.admin_pool();
    for (bytes, count) in [(batch(&[bad]), 1), (batch(&[good]), 2)] {
        raw.publish(EXCHANGE, "order.placed.v1", properties.clone(), &bytes)
            .await;
        poll_until("a letter", DEADLINE, async || {
            (letters(&pool).await.len() == count).then_some(())
        })
        .await;
    }
    assert_eq!(letters(&pool).await, ["unknown_type", "conflict"]);
    assert_eq!(effects(&pool).await, 0);
    stop.cancel();
    running.await.unwrap();
}

/// A consumer runs until it has kept what the broker gave up, and nothing else.
async fn keeps_the_brokers_letter(db: &TestDatabase, vhost: &TestVhost) {
    let stop = CancellationToken::new();
    let running = tokio::spawn(consumer(db, vhost).run(stop.clone()));
    let pool = db.admin_pool();
    poll_until("the letter", DEADLINE, async || {
        (letters(&pool).await == ["broker"]).then_some(())
    })
    .await;
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test]
async fn what_the_broker_gave_up_delivering_is_kept() {
    let (db, (vhost, raw)) = tokio::join!(database(), broker());
    let body = b"given up";
    raw.publish("", PAYMENT_ORDERS.dead, BasicProperties::default(), body)
        .await;
    keeps_the_brokers_letter(&db, &vhost).await;
    assert_eq!(raw.depth(PAYMENT_ORDERS.dead).await, Some(0));
}

/// Takes what waits first in the queue, if anything does, and gives it back.
async fn give_back(raw: &RawBroker, queue: &str) {
    let take = BasicGetOptions { no_ack: false };
    let taken = raw.channel().basic_get(queue.into(), take).await.unwrap();
    let again = BasicNackOptions {
        multiple: false,
        requeue: true,
    };
    if let Some(message) = taken {
        message.nack(again).await.unwrap();
    }
}

#[tokio::test]
async fn what_is_given_back_too_often_is_given_up_by_the_broker_and_kept() {
    let (db, (vhost, raw)) = tokio::join!(database(), broker());
    let events = [event(&placed(100))];
    publish(&raw, &events).await;
    poll_until("the broker gives it up", DEADLINE, async || {
        give_back(&raw, PAYMENT_ORDERS.name).await;
        (raw.depth(PAYMENT_ORDERS.dead).await? == 1).then_some(())
    })
    .await;

    keeps_the_brokers_letter(&db, &vhost).await;
    let pool = db.admin_pool();
    let (body, headers): (Vec<u8>, Value) =
        sqlx::query_as("select body, headers -> 'headers' from messaging.dead_letter")
            .fetch_one(&pool)
            .await
            .unwrap();
    assert_eq!(body, batch(&events));
    assert_eq!(headers["x-first-death-reason"], "delivery_limit");
    assert_eq!(headers["x-first-death-queue"], PAYMENT_ORDERS.name);
    assert_eq!(effects(&pool).await, 0);
    for queue in [PAYMENT_ORDERS.name, PAYMENT_ORDERS.dead] {
        assert_eq!(raw.depth(queue).await, Some(0), "{queue}");
    }
}
