//! Bad input: each gets its problem, and nothing changes.

use axum::body::Body;
use http::{Request, StatusCode, request::Builder};

use crate::fixture::{Answer, Shop, order_of};

fn post(shop: &Shop) -> Builder {
    Request::post("/api/v1/orders")
        .header("authorization", shop.bearer(7))
        .header("content-type", "application/json")
        .header("idempotency-key", "bad")
}

fn code(answer: &Answer) -> (u16, &str) {
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    assert!(answer.json["trace_id"].is_string());
    (
        answer.status.as_u16(),
        answer.json["code"].as_str().unwrap(),
    )
}

fn amount(text: &str) -> String {
    format!(
        r#"{{"amount": {{"amount_minor": {text}, "currency": "RUB"}}, "description": "Laces"}}"#
    )
}

#[tokio::test]
async fn a_bad_body_gets_its_problem_and_changes_nothing() {
    let shop = Shop::open().await;
    shop.placed(7).await;
    let before = shop.contents().await;
    let description = |text: &str| order_of(100, text).to_string();
    for (body, status, expected) in [
        (amount("0"), 422, "amount_not_positive"),
        (amount("-1"), 422, "amount_not_positive"),
        (amount("-9223372036854775808"), 422, "amount_not_positive"),
        (amount("100000000001"), 422, "amount_too_large"),
        (amount("9223372036854775807"), 422, "amount_too_large"),
        (amount("9223372036854775808"), 422, "invalid_body"),
        (amount(&format!("1{}", "0".repeat(30))), 422, "invalid_body"),
        (amount("100.001"), 422, "invalid_body"),
        (amount("100.0"), 422, "invalid_body"),
        (amount("\"100\""), 422, "invalid_body"),
        (amount("null"), 422, "invalid_body"),
        (amount("NaN"), 400, "malformed_json"),
        (amount("1e400"), 422, "invalid_body"),
        (r#"{"amount": 100, "description": "Laces"}"#.to_owned(), 422, "invalid_body"),
        (
            r#"{"amount": {"amount_minor": 100, "currency": "USD"}, "description": "Laces"}"#.to_owned(),
            422,
            "invalid_body",
        ),
        (
            r#"{"amount": {"amount_minor": 100, "currency": "RUB", "vat": 20}, "description": "Laces"}"#.to_owned(),
            422,
            "invalid_body",
        ),
        (
            r#"{"amount": {"amount_minor": 100, "currency": "RUB"}, "description": "Laces", "colour": "red"}"#
                .to_owned(),
            422,
            "invalid_body",
        ),
        (
            r#"[{"amount_minor": 100, "currency": "RUB"}, "Laces"]"#.to_owned(),
            422,
            "invalid_body",
        ),
        (description(""), 422, "description_empty"),
        (description(&"щ".repeat(501)), 422, "description_too_long"),
        (description("a\0b"), 422, "description_invalid"),
        (r#"{"amount": {"amount_minor": 100, "currency": "RUB"}}"#.to_owned(), 422, "invalid_body"),
        ("null".to_owned(), 422, "invalid_body"),
        ("[]".to_owned(), 422, "invalid_body"),
        ("{".to_owned(), 400, "malformed_json"),
        (String::new(), 400, "malformed_json"),
        (description(&"x".repeat(17_000)), 413, "body_too_large"),
    ] {
        let excerpt: String = body.chars().take(120).collect();
        let answer = shop.send(post(&shop).body(body.into()).unwrap()).await;
        assert_eq!(code(&answer), (status, expected), "{excerpt}");
    }
    assert_eq!(shop.contents().await, before);
}

#[tokio::test]
async fn bad_headers_get_their_problem_and_change_nothing() {
    let shop = Shop::open().await;
    let before = shop.contents().await;
    let body = || Body::from(order_of(100, "Laces").to_string());
    let signed = || Request::post("/api/v1/orders").header("authorization", shop.bearer(7));
    let json = "application/json";
    let long_key = "k".repeat(129);
    for (request, status, expected) in [
        (
            signed().header("content-type", json),
            400,
            "idempotency_key_missing",
        ),
        (
            signed()
                .header("content-type", json)
                .header("idempotency-key", ""),
            400,
            "idempotency_key_invalid",
        ),
        (
            signed()
                .header("content-type", json)
                .header("idempotency-key", "a b"),
            400,
            "idempotency_key_invalid",
        ),
        (
            signed()
                .header("content-type", json)
                .header("idempotency-key", long_key),
            400,
            "idempotency_key_invalid",
        ),
        (
            signed().header("idempotency-key", "k"),
            415,
            "unsupported_media_type",
        ),
        (
            signed()
                .header("idempotency-key", "k")
                .header("content-type", "text/plain"),
            415,
            "unsupported_media_type",
        ),
        (
            Request::post("/api/v1/orders")
                .header("idempotency-key", "k")
                .header("content-type", json),
            401,
            "unauthenticated",
        ),
        (
            Request::post("/api/v1/orders")
                .header("authorization", "Bearer nonsense")
                .header("idempotency-key", "k")
                .header("content-type", json),
            401,
            "unauthenticated",
        ),
    ] {
        let answer = shop.send(request.body(body()).unwrap()).await;
        assert_eq!(code(&answer), (status, expected));
    }
    assert_eq!(shop.contents().await, before);
}

#[tokio::test]
async fn limits_hold_at_their_edges() {
    let shop = Shop::open().await;
    for (key, body) in [
        ("a", order_of(1, "x")),
        ("b", order_of(100_000_000_000, &"щ".repeat(500))),
        (&"k".repeat(128), order_of(1, "x")),
    ] {
        assert_eq!(shop.place(7, key, &body).await.status, StatusCode::CREATED);
    }
}

#[tokio::test]
async fn bad_addresses_and_queries_get_their_problem() {
    let shop = Shop::open().await;
    for (path, status, expected) in [
        ("/api/v1/orders/not-a-uuid", 404, "order_not_found"),
        ("/api/v1/orders/0", 404, "order_not_found"),
        ("/api/v1/orders/%00", 404, "order_not_found"),
        (
            "/api/v1/orders/018f0000-0000-7000-8000-000000000000",
            404,
            "order_not_found",
        ),
        ("/api/v1/orders?limit=0", 422, "limit_out_of_range"),
        ("/api/v1/orders?limit=101", 422, "limit_out_of_range"),
        ("/api/v1/orders?limit=-1", 422, "limit_out_of_range"),
        ("/api/v1/orders?limit=ten", 422, "invalid_query"),
        ("/api/v1/orders?cursor=nonsense", 422, "cursor_invalid"),
        ("/api/v1/orders?cursor=", 422, "cursor_invalid"),
        ("/api/v1/orders?colour=red", 422, "invalid_query"),
        ("/api/v1/orders/a/b", 404, "not_found"),
    ] {
        assert_eq!(code(&shop.get(7, path).await), (status, expected), "{path}");
    }
    let delete = Request::delete("/api/v1/orders").header("authorization", shop.bearer(7));
    let answer = shop.send(delete.body(Body::empty()).unwrap()).await;
    assert_eq!(code(&answer), (405, "method_not_allowed"));
}
