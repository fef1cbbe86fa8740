//! Topping up, asked in every way, also at once.

use axum::body::Body;
use futures_util::future::join_all;
use http::{Method, header};
use serde_json::json;
use sqlx::AssertSqlSafe;

use crate::{
    limits::{AMOUNT_MAX_MINOR, BALANCE_MAX_MINOR},
    testing::{Shop, fresh_key, rubles},
};

const PATH: &str = "/api/v1/account/top-ups";

/// An account of user 7 that holds this much, however much that is.
async fn rich(balance_minor: i64) -> Shop {
    let shop = Shop::open().await;
    shop.customer(7, 1).await;
    let statement = format!(
        "update payments.account set balance_minor = {balance_minor};
         update payments.ledger_entry set amount_minor = {balance_minor}, balance_after_minor = {balance_minor}"
    );
    sqlx::raw_sql(AssertSqlSafe(statement))
        .execute(&shop.admin)
        .await
        .unwrap();
    shop
}

#[tokio::test]
async fn a_top_up_raises_the_balance_by_one_entry() {
    let shop = Shop::open().await;
    shop.customer(7, 5_000).await;
    let answer = shop.top_up(7, &fresh_key(), 2_500).await;
    assert_eq!(answer.status, 201);
    let done = answer.json();
    assert_eq!(done["balance"], rubles(7_500));
    assert_eq!(done["entry"]["kind"], "TOP_UP");
    assert_eq!(done["entry"]["amount"], rubles(2_500));
    assert_eq!(done["entry"]["balance_after"], rubles(7_500));
    assert_eq!(done["entry"]["order_id"], json!(null));
    assert_eq!(shop.balance(7).await, 7_500);
    let listed = shop.get(7, "/api/v1/account/entries").await.json();
    assert_eq!(listed["items"][0], done["entry"]);
    shop.check_books().await;
}

#[tokio::test]
async fn a_repeated_key_gives_the_first_answer_again() {
    let shop = Shop::open().await;
    shop.customer(7, 0).await;
    let first = shop.top_up(7, "k", 5_000).await;
    shop.top_up(7, &fresh_key(), 1).await;
    let before = shop.contents().await;
    let again = shop.top_up(7, "k", 5_000).await;
    assert_eq!((again.status, &again.text), (first.status, &first.text));
    assert_eq!(shop.contents().await, before);
}

#[tokio::test]
async fn a_key_with_another_amount_is_refused() {
    let shop = Shop::open().await;
    shop.customer(7, 0).await;
    shop.top_up(7, "k", 5_000).await;
    let before = shop.contents().await;
    let answer = shop.top_up(7, "k", 5_001).await;
    assert_eq!(answer.problem(), (422, "idempotency_key_reused".into()));
    assert_eq!(shop.contents().await, before);
}

#[tokio::test]
async fn fifty_requests_under_one_key_at_once_top_up_once() {
    let shop = Shop::open().await;
    shop.customer(7, 0).await;
    let answers = join_all((0..50).map(|_| shop.top_up(7, "k", 100))).await;
    for answer in &answers {
        assert_eq!(answer.status, 201, "{}", answer.text);
        assert_eq!(answer.text, answers[0].text);
    }
    assert_eq!(shop.balance(7).await, 100);
    shop.check_books().await;
}

#[tokio::test]
async fn fifty_top_ups_at_once_all_count() {
    let shop = Shop::open().await;
    shop.customer(7, 0).await;
    let keys: Vec<_> = (0..50).map(|_| fresh_key()).collect();
    let answers = join_all(keys.iter().map(|key| shop.top_up(7, key, 100))).await;
    assert!(answers.iter().all(|answer| answer.status == 201));
    assert_eq!(shop.balance(7).await, 5_000);
    shop.check_books().await;
}

#[tokio::test]
async fn without_an_account_nothing_happens_and_the_key_stays_free() {
    let shop = Shop::open().await;
    let before = shop.contents().await;
    let refused = shop.top_up(7, "k", 5_000).await;
    assert_eq!(refused.problem(), (404, "account_not_found".into()));
    assert_eq!(shop.contents().await, before);
    shop.customer(7, 0).await;
    assert_eq!(shop.top_up(7, "k", 5_000).await.status, 201);
}

#[tokio::test]
async fn the_ceiling_is_reached_and_not_passed() {
    let shop = rich(BALANCE_MAX_MINOR - 100).await;
    let before = shop.contents().await;
    let refused = shop.top_up(7, "k", 101).await;
    assert_eq!(refused.problem(), (422, "balance_limit".into()));
    assert_eq!(shop.contents().await, before);
    assert_eq!(shop.top_up(7, "k", 100).await.status, 201);
    assert_eq!(shop.balance(7).await, BALANCE_MAX_MINOR);
    assert_eq!(shop.top_up(7, &fresh_key(), 1).await.status, 422);
    shop.check_books().await;
}

#[tokio::test]
async fn a_balance_beyond_the_ceiling_never_overflows() {
    let shop = rich(i64::MAX).await;
    let before = shop.contents().await;
    for amount_minor in [1, AMOUNT_MAX_MINOR] {
        let refused = shop.top_up(7, "k", amount_minor).await;
        assert_eq!(refused.problem(), (422, "balance_limit".into()));
    }
    assert_eq!(shop.contents().await, before);
}

#[tokio::test]
async fn of_many_top_ups_at_once_only_those_below_the_ceiling_count() {
    let shop = rich(BALANCE_MAX_MINOR - 300).await;
    let keys: Vec<_> = (0..10).map(|_| fresh_key()).collect();
    let answers = join_all(keys.iter().map(|key| shop.top_up(7, key, 100))).await;
    let done = answers.iter().filter(|answer| answer.status == 201).count();
    let refused = answers.iter().filter(|answer| answer.status == 422).count();
    assert_eq!((done, refused), (3, 7));
    assert_eq!(shop.balance(7).await, BALANCE_MAX_MINOR);
    shop.check_books().await;
}

#[tokio::test]
async fn the_smallest_and_the_largest_amount_are_taken() {
    let shop = Shop::open().await;
    shop.customer(7, 1).await;
    let answer = shop.top_up(7, &fresh_key(), AMOUNT_MAX_MINOR).await;
    assert_eq!(answer.json()["balance"], rubles(AMOUNT_MAX_MINOR + 1));
}

#[tokio::test]
async fn a_bad_amount_is_refused_and_changes_nothing() {
    let shop = Shop::open().await;
    shop.customer(7, 5_000).await;
    let before = shop.contents().await;
    let huge = "1000000000000000000000000000000";
    for (amount, status, code) in [
        ("0", 422, "amount_not_positive"),
        ("-1", 422, "amount_not_positive"),
        ("-9223372036854775808", 422, "amount_not_positive"),
        ("100000000001", 422, "amount_too_large"),
        ("9223372036854775807", 422, "amount_too_large"),
        ("9223372036854775808", 422, "invalid_body"),
        (huge, 422, "invalid_body"),
        ("1e2", 422, "invalid_body"),
        ("1.5", 422, "invalid_body"),
        ("0.001", 422, "invalid_body"),
        ("\"100\"", 422, "invalid_body"),
        ("null", 422, "invalid_body"),
        ("true", 422, "invalid_body"),
        ("[100]", 422, "invalid_body"),
        ("NaN", 400, "malformed_json"),
        ("Infinity", 400, "malformed_json"),
        ("+1", 400, "malformed_json"),
        ("01", 400, "malformed_json"),
    ] {
        let body = format!("{{\"amount\":{{\"amount_minor\":{amount},\"currency\":\"RUB\"}}}}");
        check_refusal(&shop, "application/json", &body, status, code).await;
    }
    assert_eq!(shop.contents().await, before);
}

#[tokio::test]
async fn a_bad_body_is_refused_and_changes_nothing() {
    let shop = Shop::open().await;
    shop.customer(7, 5_000).await;
    let before = shop.contents().await;
    let good = "{\"amount\":{\"amount_minor\":1,\"currency\":\"RUB\"}}";
    let deep = "[".repeat(10_000);
    let long = format!("{good}{}", " ".repeat(16 * 1024));
    let json = "application/json";
    for (content_type, body, status, code) in [
        (json, "", 400, "malformed_json"),
        (json, "{", 400, "malformed_json"),
        (json, "not json", 400, "malformed_json"),
        (json, deep.as_str(), 400, "malformed_json"),
        (json, "null", 422, "invalid_body"),
        (json, "{}", 422, "invalid_body"),
        (json, "[]", 422, "invalid_body"),
        (
            json,
            "[{\"amount_minor\":1,\"currency\":\"RUB\"}]",
            422,
            "invalid_body",
        ),
        (json, "{\"amount\":100}", 422, "invalid_body"),
        (json, "{\"amount\":null}", 422, "invalid_body"),
        (
            json,
            "{\"amount\":{\"amount_minor\":1}}",
            422,
            "invalid_body",
        ),
        (
            json,
            "{\"amount\":{\"amount_minor\":1,\"currency\":\"USD\"}}",
            422,
            "invalid_body",
        ),
        (
            json,
            "{\"amount\":{\"amount_minor\":1,\"currency\":\"RUB\"},\"user_id\":8}",
            422,
            "invalid_body",
        ),
        (json, long.as_str(), 413, "body_too_large"),
        ("text/plain", good, 415, "unsupported_media_type"),
        ("", good, 415, "unsupported_media_type"),
    ] {
        check_refusal(&shop, content_type, body, status, code).await;
    }
    assert_eq!(shop.contents().await, before);
}

#[tokio::test]
async fn without_a_key_or_a_session_nothing_happens() {
    let shop = Shop::open().await;
    shop.customer(7, 5_000).await;
    let before = shop.contents().await;
    let body = || Body::from("{\"amount\":{\"amount_minor\":1,\"currency\":\"RUB\"}}");
    let post = shop
        .request(7, Method::POST, PATH)
        .header(header::CONTENT_TYPE, "application/json");
    let answer = shop.send(post.body(body()).unwrap()).await;
    assert_eq!(answer.problem(), (400, "idempotency_key_missing".into()));
    let mut stranger = shop
        .request(7, Method::POST, PATH)
        .header("Idempotency-Key", "k");
    stranger
        .headers_mut()
        .unwrap()
        .remove(header::AUTHORIZATION);
    let answer = shop.send(stranger.body(body()).unwrap()).await;
    assert_eq!(answer.problem(), (401, "unauthenticated".into()));
    assert_eq!(shop.contents().await, before);
}

async fn check_refusal(shop: &Shop, content_type: &str, body: &str, status: u16, code: &str) {
    let request = shop
        .request(7, Method::POST, PATH)
        .header("Idempotency-Key", "k")
        .header(header::CONTENT_TYPE, content_type)
        .body(Body::from(body.to_owned()));
    let answer = shop.send(request.unwrap()).await;
    assert_eq!(answer.problem(), (status, code.into()), "{body:.60}");
}
