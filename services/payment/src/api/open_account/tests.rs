//! Opening an account, asked in every way.

use axum::body::Body;
use futures_util::future::join_all;
use http::{Method, header};
use serde_json::json;

use crate::testing::{Shop, fresh_key, rubles};

const PATH: &str = "/api/v1/account";

#[tokio::test]
async fn an_account_is_opened_empty() {
    let shop = Shop::open().await;
    let answer = shop.open_account(7).await;
    assert_eq!(answer.status, 201);
    let account = answer.json();
    assert_eq!(account["user_id"], 7);
    assert_eq!(account["balance"], rubles(0));
    assert_eq!(shop.get(7, PATH).await.json(), account);
}

#[tokio::test]
async fn the_body_may_be_left_out() {
    let shop = Shop::open().await;
    let request = shop
        .request(7, Method::POST, PATH)
        .header("Idempotency-Key", "k")
        .body(Body::empty());
    assert_eq!(shop.send(request.unwrap()).await.status, 201);
}

#[tokio::test]
async fn a_second_account_is_the_same_account_and_changes_nothing() {
    let shop = Shop::open().await;
    shop.customer(7, 5_000).await;
    let first = shop.get(7, PATH).await.json();
    let before = shop.contents().await;
    let second = shop.open_account(7).await;
    assert_eq!(second.status, 200);
    assert_eq!(second.json(), first);
    assert_eq!(shop.contents().await, before);
}

#[tokio::test]
async fn a_repeated_key_gives_the_first_answer_again() {
    let shop = Shop::open().await;
    let first = shop.post(7, PATH, "k", &json!({})).await;
    shop.top_up(7, &fresh_key(), 5_000).await;
    let before = shop.contents().await;
    let again = shop.post(7, PATH, "k", &json!({})).await;
    assert_eq!((again.status, again.json()), (first.status, first.json()));
    assert_eq!(shop.contents().await, before);
}

#[tokio::test]
async fn a_key_used_for_something_else_is_refused() {
    let shop = Shop::open().await;
    shop.customer(7, 0).await;
    shop.top_up(7, "k", 5_000).await;
    let before = shop.contents().await;
    let answer = shop.post(7, PATH, "k", &json!({})).await;
    assert_eq!(answer.problem(), (422, "idempotency_key_reused".into()));
    assert_eq!(shop.contents().await, before);
}

#[tokio::test]
async fn the_same_key_of_another_user_is_another_key() {
    let shop = Shop::open().await;
    let a = shop.post(7, PATH, "k", &json!({})).await;
    let b = shop.post(8, PATH, "k", &json!({})).await;
    assert_eq!((a.status.as_u16(), b.status.as_u16()), (201, 201));
    assert_ne!(a.json()["id"], b.json()["id"]);
}

#[tokio::test]
async fn fifty_requests_under_one_key_at_once_get_fifty_equal_answers() {
    let shop = Shop::open().await;
    let body = json!({});
    let answers = join_all((0..50).map(|_| shop.post(7, PATH, "k", &body))).await;
    for answer in &answers {
        assert_eq!(answer.status, 201, "{}", answer.text);
        assert_eq!(answer.text, answers[0].text);
    }
}

#[tokio::test]
async fn fifty_requests_under_fifty_keys_at_once_open_one_account() {
    let shop = Shop::open().await;
    let answers = join_all((0..50).map(|_| shop.open_account(7))).await;
    let opened = answers.iter().filter(|answer| answer.status == 201).count();
    let found = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!((opened, found), (1, 49));
    assert!(answers.iter().all(|answer| answer.text == answers[0].text));
}

#[tokio::test]
async fn bad_input_is_refused_and_changes_nothing() {
    let shop = Shop::open().await;
    let before = shop.contents().await;
    let json = "application/json";
    let long = format!("{{\"padding\":\"{}\"}}", "x".repeat(16 * 1024));
    for (key, content_type, body, status, code) in [
        (None, json, "{}", 400, "idempotency_key_missing"),
        (Some(""), json, "{}", 400, "idempotency_key_invalid"),
        (Some("a key"), json, "{}", 400, "idempotency_key_invalid"),
        (Some("k"), json, "{", 400, "malformed_json"),
        (Some("k"), json, "null", 422, "invalid_body"),
        (Some("k"), json, "[]", 422, "invalid_body"),
        (Some("k"), json, "\"\"", 422, "invalid_body"),
        (Some("k"), json, "{\"user_id\":8}", 422, "invalid_body"),
        (Some("k"), "text/plain", "{}", 415, "unsupported_media_type"),
        (Some("k"), json, &long, 413, "body_too_large"),
    ] {
        let mut request = shop
            .request(7, Method::POST, PATH)
            .header(header::CONTENT_TYPE, content_type);
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        let answer = shop
            .send(request.body(Body::from(body.to_owned())).unwrap())
            .await;
        assert_eq!(
            answer.problem(),
            (status, code.into()),
            "{key:?} {body:.40}"
        );
    }
    assert_eq!(shop.contents().await, before);
}
