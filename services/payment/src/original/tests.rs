//! The original's contract, as its clients use it and as nobody should.

use axum::body::Body;
use chassis::Profile;
use http::{Method, Request, header};
use serde_json::json;

use crate::testing::{Answer, Shop, migrated};

const ACCOUNTS: &str = "/api/payments/accounts";
const TOP_UP: &str = "/api/payments/accounts/topup";

async fn post(shop: &Shop, path: &str, body: &str) -> Answer {
    post_as(shop, path, "application/json", body).await
}

async fn post_as(shop: &Shop, path: &str, content_type: &str, body: &str) -> Answer {
    let request = Request::builder()
        .method(Method::POST)
        .uri(path)
        .header(header::CONTENT_TYPE, content_type)
        .body(Body::from(body.to_owned()));
    shop.send(request.unwrap()).await
}

async fn get(shop: &Shop, path: &str) -> Answer {
    shop.send(Request::get(path).body(Body::empty()).unwrap())
        .await
}

async fn balance(shop: &Shop) -> String {
    let answer = get(shop, "/api/payments/accounts/1").await;
    assert_eq!(answer.status, 200);
    answer.text
}

async fn with_account() -> Shop {
    let shop = Shop::open().await;
    assert_eq!(post(&shop, ACCOUNTS, r#"{"user_id": 1}"#).await.status, 200);
    shop
}

#[tokio::test]
async fn the_originals_first_steps_work_unchanged() {
    let shop = Shop::open().await;
    let opened = post(&shop, ACCOUNTS, r#"{"user_id": 1}"#).await;
    assert_eq!(
        (opened.status.as_u16(), opened.json()),
        (200, json!({ "status": "created" }))
    );
    let topped_up = post(&shop, TOP_UP, r#"{"user_id": 1, "amount": 100}"#).await;
    assert_eq!(
        (topped_up.status.as_u16(), topped_up.json()),
        (200, json!({ "status": "ok" }))
    );
    assert_eq!(balance(&shop).await, r#"{"balance":100.0}"#);
    shop.check_books().await;
}

#[tokio::test]
async fn a_second_account_gets_the_same_answer_and_changes_nothing() {
    let shop = with_account().await;
    post(&shop, TOP_UP, r#"{"user_id": 1, "amount": 5}"#).await;
    let before = shop.contents().await;
    let again = post(&shop, ACCOUNTS, r#"{"user_id": 1}"#).await;
    assert_eq!(
        (again.status.as_u16(), again.json()),
        (200, json!({ "status": "created" }))
    );
    assert_eq!(shop.contents().await, before);
}

#[tokio::test]
async fn a_tenth_three_times_is_exactly_three_tenths() {
    let shop = with_account().await;
    for _ in 0..3 {
        post(&shop, TOP_UP, r#"{"user_id": 1, "amount": 0.1}"#).await;
    }
    assert_eq!(balance(&shop).await, r#"{"balance":0.3}"#);
}

#[tokio::test]
async fn amounts_beyond_what_a_float_can_hold_are_exact() {
    let shop = with_account().await;
    for _ in 0..2 {
        let answer = post(&shop, TOP_UP, r#"{"user_id": 1, "amount": 999999999.99}"#).await;
        assert_eq!(answer.status, 200);
    }
    assert_eq!(balance(&shop).await, r#"{"balance":1999999999.98}"#);
    sqlx::query("update payments.account set balance_minor = 9007199254740993")
        .execute(&shop.admin)
        .await
        .unwrap();
    assert_eq!(balance(&shop).await, r#"{"balance":90071992547409.93}"#);
}

#[tokio::test]
async fn the_account_of_nobody_is_not_found() {
    let shop = Shop::open().await;
    let before = shop.contents().await;
    let read = get(&shop, "/api/payments/accounts/1").await;
    let topped_up = post(&shop, TOP_UP, r#"{"user_id": 1, "amount": 100}"#).await;
    for answer in [read, topped_up] {
        assert_eq!(
            (answer.status.as_u16(), answer.json()),
            (404, json!({ "detail": "Not found" }))
        );
    }
    assert_eq!(shop.contents().await, before);
}

#[tokio::test]
async fn a_bad_amount_is_refused_and_changes_nothing() {
    let shop = with_account().await;
    let before = shop.contents().await;
    for amount in [
        "0",
        "-0",
        "0.0",
        "-1",
        "-1000",
        "-0.01",
        "0.001",
        "100.005",
        "1e2",
        "1E2",
        "1e400",
        "-1e400",
        "NaN",
        "Infinity",
        "-Infinity",
        "\"100\"",
        "\"\"",
        "null",
        "true",
        "[100]",
        "{}",
        "01",
        "+1",
        ".5",
        "1.",
        "1,5",
        "1000000000000000000000000000000",
        "1000000000.01",
        "92233720368547758.07",
        "92233720368547758.08",
    ] {
        let body = format!(r#"{{"user_id": 1, "amount": {amount}}}"#);
        refused(&post(&shop, TOP_UP, &body).await, &body);
    }
    assert_eq!(shop.contents().await, before);
}

#[tokio::test]
async fn a_bad_user_id_is_refused_and_changes_nothing() {
    let shop = with_account().await;
    let before = shop.contents().await;
    for user_id in [
        "0",
        "-1",
        "9223372036854775808",
        "1.0",
        "1e0",
        "\"1\"",
        "null",
        "true",
        "[1]",
        "NaN",
    ] {
        for (path, body) in [
            (ACCOUNTS, format!(r#"{{"user_id": {user_id}}}"#)),
            (TOP_UP, format!(r#"{{"user_id": {user_id}, "amount": 1}}"#)),
        ] {
            refused(&post(&shop, path, &body).await, &body);
        }
    }
    for user_id in ["0", "-1", "9223372036854775808", "1.0", "one", "%00"] {
        refused(&get(&shop, &format!("{ACCOUNTS}/{user_id}")).await, user_id);
    }
    assert_eq!(shop.contents().await, before);
    assert_eq!(
        post(&shop, ACCOUNTS, r#"{"user_id": 9223372036854775807}"#)
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn a_bad_body_is_refused_and_changes_nothing() {
    let shop = with_account().await;
    let before = shop.contents().await;
    let deep = "[".repeat(10_000);
    for body in [
        "",
        "{",
        "not json",
        "null",
        "[]",
        "[1, 1]",
        "{}",
        &deep,
        r#"{"user_id": 1}"#,
        r#"{"amount": 1}"#,
        r#"{"user_id": 1, "amount": 1, "colour": "blue"}"#,
        r#"{"user_id": 1, "amount": 1, "amount": 2}"#,
    ] {
        refused(&post(&shop, TOP_UP, body).await, body);
    }
    for content_type in ["text/plain", "application/x-www-form-urlencoded", ""] {
        let answer = post_as(
            &shop,
            TOP_UP,
            content_type,
            r#"{"user_id": 1, "amount": 1}"#,
        )
        .await;
        refused(&answer, content_type);
    }
    let long = format!(r#"{{"user_id": 1, "amount": 1{}}}"#, " ".repeat(16 * 1024));
    assert_eq!(post(&shop, TOP_UP, &long).await.status, 413);
    assert_eq!(shop.contents().await, before);
}

#[tokio::test]
async fn in_production_these_paths_do_not_exist() {
    let demo = Shop::open().await;
    let shop = Shop::on(
        migrated().await,
        Profile::Production,
        demo.settings.broker.clone(),
    );
    for answer in [
        post(&shop, ACCOUNTS, r#"{"user_id": 1}"#).await,
        post(&shop, TOP_UP, r#"{"user_id": 1, "amount": 1}"#).await,
        get(&shop, "/api/payments/accounts/1").await,
    ] {
        assert_eq!(answer.problem(), (404, "not_found".into()));
    }
}

fn refused(answer: &Answer, what: &str) {
    assert_eq!(answer.status, 422, "{what:.60}: {}", answer.text);
    assert!(
        answer.json()["detail"].is_string(),
        "{what:.60}: {}",
        answer.text
    );
}
