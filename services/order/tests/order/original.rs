//! The original's contract, and that only a demo has it.

use std::time::Duration;

use axum::body::Body;
use chassis::Profile;
use http::{Request, StatusCode};
use serde_json::{Value, json};

use crate::{
    fixture::{Answer, Shop},
    stream::Listening,
};

const PATH: &str = "/api/orders/orders";

async fn post(shop: &Shop, body: &str) -> Answer {
    let request = Request::post(PATH).header("content-type", "application/json");
    shop.send(request.body(Body::from(body.to_owned())).unwrap())
        .await
}

async fn list(shop: &Shop) -> Answer {
    shop.send(Request::get(PATH).body(Body::empty()).unwrap())
        .await
}

#[tokio::test]
async fn an_order_is_placed_and_listed_as_the_original_did() {
    let shop = Shop::open().await;
    let placed = post(
        &shop,
        r#"{"user_id": 7, "amount": 99.95, "description": "Laces"}"#,
    )
    .await;
    assert_eq!(
        (placed.status, placed.json),
        (StatusCode::OK, json!({"id": 1, "status": "NEW"}))
    );
    let placed = post(
        &shop,
        r#"{"user_id": 8, "amount": 100, "description": "Skates"}"#,
    )
    .await;
    assert_eq!(placed.json["id"], 2);
    let list = list(&shop).await;
    assert_eq!(list.status, StatusCode::OK);
    assert_eq!(
        list.json,
        json!([
            {"id": 2, "user_id": 8, "description": "Skates", "amount": 100.0, "status": "NEW"},
            {"id": 1, "user_id": 7, "description": "Laces", "amount": 99.95, "status": "NEW"},
        ])
    );
    assert_eq!(shop.count("messaging.outbox").await, 2);
}

#[tokio::test]
async fn amounts_are_exact_to_the_last_digit() {
    let shop = Shop::open().await;
    for (amount, minor) in [
        ("0.1", 10),
        ("0.01", 1),
        ("1.50", 150),
        ("999999999.99", 99_999_999_999),
    ] {
        let body = format!(r#"{{"user_id": 7, "amount": {amount}, "description": "x"}}"#);
        assert_eq!(post(&shop, &body).await.status, StatusCode::OK, "{amount}");
        let stored: i64 = sqlx::query_scalar(
            "select amount_minor from orders.orders order by number desc limit 1",
        )
        .fetch_one(&shop.admin)
        .await
        .unwrap();
        assert_eq!(stored, minor, "{amount}");
    }
    let response = Request::get(PATH).body(Body::empty()).unwrap();
    let text = tower::ServiceExt::oneshot(shop.router.clone(), response)
        .await
        .unwrap()
        .into_body();
    let text = http_body_util::BodyExt::collect(text)
        .await
        .unwrap()
        .to_bytes();
    let text = String::from_utf8(text.to_vec()).unwrap();
    for amount in [
        "\"amount\":0.1,",
        "\"amount\":0.01,",
        "\"amount\":1.5,",
        "\"amount\":999999999.99,",
    ] {
        assert!(text.contains(amount), "{text}");
    }
}

#[tokio::test]
async fn a_bad_body_is_a_422_with_a_detail_and_changes_nothing() {
    let shop = Shop::open().await;
    let before = shop.contents().await;
    let with =
        |amount: &str| format!(r#"{{"user_id": 7, "amount": {amount}, "description": "x"}}"#);
    let by = |user: &str| format!(r#"{{"user_id": {user}, "amount": 1, "description": "x"}}"#);
    let said = |text: &str| json!({"user_id": 7, "amount": 1, "description": text}).to_string();
    let huge = format!("1{}", "0".repeat(30));
    let mut bodies: Vec<String> = [
        "0",
        "-1000",
        "-0.01",
        "NaN",
        "1e400",
        "1e2",
        "0.001",
        "\"100\"",
        "null",
        "[]",
        "{}",
        &huge,
        "1000000000.01",
        "92233720368547758.08",
    ]
    .map(with)
    .to_vec();
    bodies.extend(["0", "-1", "9223372036854775808", "1.5", "\"1\"", "null"].map(by));
    bodies.extend([said(""), said(&"x".repeat(501)), said("a\0b")]);
    bodies
        .extend(["", "{", "null", "[]", r#"{"user_id": 7}"#, r#"[7, 1, "x"]"#].map(str::to_owned));
    bodies.push(r#"{"user_id": 7, "amount": 1, "description": "x", "colour": "red"}"#.to_owned());
    for body in bodies {
        let answer = post(&shop, &body).await;
        let excerpt: String = body.chars().take(120).collect();
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{excerpt}");
        assert!(answer.json["detail"].is_string(), "{excerpt}");
    }
    let plain = Request::post(PATH).header("content-type", "text/plain");
    let answer = shop.send(plain.body(by("7").into()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(shop.contents().await, before);
}

#[tokio::test]
async fn the_list_has_at_most_a_thousand_orders_the_newest() {
    let shop = Shop::open().await;
    shop.place_many(7, 600).await;
    shop.place_many(8, 600).await;
    let list = list(&shop).await.json;
    let numbers: Vec<i64> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|order| order["id"].as_i64().unwrap())
        .collect();
    assert_eq!(numbers, (201..=1_200).rev().collect::<Vec<_>>());
}

#[tokio::test]
async fn both_sockets_push_decisions_and_nothing_else() {
    let shop = Shop::open().await;
    let listening = Listening::start(&shop).await;
    let mut long = listening.connect_to("/api/orders/ws/7").await;
    let mut short = listening.connect_to("/ws/7").await;
    let theirs = shop.placed(8).await;
    let mine = shop.placed(7).await;
    shop.settle(&[theirs]).await;
    shop.settle(&[mine]).await;
    for stream in [&mut long, &mut short] {
        let decided = json!({"order_id": 2, "status": "FINISHED", "user_id": 7});
        assert_eq!(stream.next().await, decided);
        assert_eq!(
            stream.next_within(Duration::from_millis(200)).await,
            None::<Value>
        );
    }
}

#[tokio::test]
async fn outside_a_demo_the_originals_paths_do_not_exist() {
    let shop = Shop::open_as(Profile::Production).await;
    let before = shop.contents().await;
    let answer = post(&shop, r#"{"user_id": 7, "amount": 1, "description": "x"}"#).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert_eq!(list(&shop).await.status, StatusCode::NOT_FOUND);
    for path in ["/ws/7", "/api/orders/ws/7"] {
        let answer = shop
            .send(Request::get(path).body(Body::empty()).unwrap())
            .await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(shop.contents().await, before);
}
