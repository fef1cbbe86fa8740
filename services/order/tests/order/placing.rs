//! Placing an order.

use std::time::Duration;

use http::{StatusCode, header::LOCATION};
use messaging::doorbell::WokenBy;
use serde_json::{Value, json};

use crate::fixture::{Shop, order_of, rub};

#[tokio::test]
async fn a_placed_order_is_answered_whole_and_can_be_read_at_its_location() {
    let shop = Shop::open().await;
    let answer = shop.place(7, "first", &order_of(19_900, "Коньки")).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    assert_eq!(answer.headers["etag"], "\"1\"");
    for (field, value) in [
        ("number", json!(1)),
        ("user_id", json!(7)),
        ("description", json!("Коньки")),
        ("amount", rub(19_900)),
        ("status", json!("NEW")),
        ("reason", Value::Null),
        ("version", json!(1)),
        ("decided_at", Value::Null),
    ] {
        assert_eq!(answer.json[field], value, "{field}");
    }
    let location = answer.headers[LOCATION].to_str().unwrap().to_owned();
    assert_eq!(
        location,
        format!("/api/v1/orders/{}", answer.json["id"].as_str().unwrap())
    );
    let read = shop.get(7, &location).await;
    assert_eq!(read.status, StatusCode::OK);
    assert_eq!(read.json["created_at"], answer.json["created_at"]);
}

#[tokio::test]
async fn an_order_its_history_its_key_and_its_event_are_one_commit() {
    let shop = Shop::open().await;
    let id = shop.placed(7).await;
    let tables = [
        "orders.orders",
        "orders.status_history",
        "messaging.outbox",
        "messaging.idempotency_key",
    ];
    for table in tables {
        assert_eq!(shop.count(table).await, 1, "{table}");
    }
    let body: Vec<u8> = sqlx::query_scalar("select body from messaging.outbox where key = $1")
        .bind(id.as_uuid())
        .fetch_one(&shop.admin)
        .await
        .unwrap();
    let event: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(event["type"], "order.placed.v1");
    assert_eq!(event["data"]["order_id"], id.to_string());
    assert_eq!(event["data"]["amount"], rub(19_900));
}

#[tokio::test]
async fn an_order_keeps_the_trace_of_its_request() {
    let shop = Shop::open().await;
    let request = http::Request::post("/api/v1/orders")
        .header("authorization", shop.bearer(7))
        .header("idempotency-key", "traced")
        .header("content-type", "application/json")
        .header(
            "traceparent",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        );
    let body = order_of(100, "Laces").to_string();
    let placed = shop.send(request.body(body.into()).unwrap()).await;
    let read = shop
        .get(7, placed.headers[LOCATION].to_str().unwrap())
        .await;
    assert_eq!(read.json["trace_id"], "0af7651916cd43dd8448eb211c80319c");
    let traceparent: String = sqlx::query_scalar("select traceparent from messaging.outbox")
        .fetch_one(&shop.admin)
        .await
        .unwrap();
    assert!(traceparent.starts_with("00-0af7651916cd43dd8448eb211c80319c-"));
}

#[tokio::test]
async fn a_placed_order_rings_for_who_publishes_it_and_who_shows_it() {
    let shop = Shop::open().await;
    let mut to_publish = shop.outbox_bell.bell();
    let mut to_show = shop.status_bell.bell();
    shop.placed(7).await;
    assert_eq!(to_publish.wait(Duration::ZERO).await, WokenBy::Signal);
    // Not at once: its decision may come first.
    assert_eq!(to_show.wait(Duration::from_secs(1)).await, WokenBy::Signal);
}

#[tokio::test]
async fn when_the_event_cannot_be_appended_nothing_is_placed() {
    let shop = Shop::open().await;
    shop.damage("revoke insert on messaging.outbox from orders_writer")
        .await;
    let before = shop.contents().await;
    let answer = shop.place(7, "unlucky", &order_of(100, "Laces")).await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(shop.contents().await, before);
}

#[tokio::test]
async fn after_the_tables_were_emptied_and_restarted_new_orders_are_new_to_everybody() {
    let shop = Shop::open().await;
    let before = shop.placed(7).await;
    shop.damage("truncate orders.orders, orders.status_history restart identity")
        .await;
    let answer = shop
        .place(7, "another", &order_of(19_900, "A pair of skates"))
        .await;
    assert_eq!(answer.json["number"], 1, "the number starts over");
    assert_ne!(
        answer.json["id"],
        before.to_string(),
        "the id that payments know an order by does not"
    );
    let keys: i64 = sqlx::query_scalar("select count(distinct key) from messaging.outbox")
        .fetch_one(&shop.admin)
        .await
        .unwrap();
    assert_eq!(keys, 2);
}

#[tokio::test]
async fn while_the_database_is_away_the_answer_is_503_with_retry_after() {
    let shop = Shop::open().await;
    shop.placed(7).await;
    shop.wire.cut();
    let refused = shop.place(7, "away", &order_of(100, "Laces")).await;
    shop.wire.restore();
    assert_eq!(
        refused.status,
        StatusCode::SERVICE_UNAVAILABLE,
        "{:?}",
        refused.json
    );
    assert_eq!(refused.json["code"], "unavailable");
    assert!(refused.headers.contains_key("retry-after"));
    let again = shop.place(7, "away", &order_of(100, "Laces")).await;
    assert_eq!(
        again.status,
        StatusCode::CREATED,
        "the pool recovers by itself"
    );
}
