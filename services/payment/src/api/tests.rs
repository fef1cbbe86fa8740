//! What holds for every endpoint, and their description.

use std::collections::HashSet;

use axum::body::Body;
use chassis::Profile;
use http::{Method, Request};
use serde_json::{Value, json};

use crate::testing::{Shop, fresh_key, rubles};

#[tokio::test]
async fn nothing_of_user_a_is_shown_to_or_changed_by_user_b() {
    let shop = Shop::open().await;
    shop.customer(1, 5_000).await;
    shop.top_up(1, "key-of-a", 100).await;
    let account_of_a = shop.get(1, "/api/v1/account").await.json();
    let entries_of_a = shop.get(1, "/api/v1/account/entries").await.json();

    for path in ["/api/v1/account", "/api/v1/account/entries"] {
        assert_eq!(
            shop.get(2, path).await.problem(),
            (404, "account_not_found".into())
        );
    }
    let refused = shop.top_up(2, "key-of-a", 100).await;
    assert_eq!(refused.problem(), (404, "account_not_found".into()));

    shop.customer(2, 70).await;
    let topped_up = shop.top_up(2, "key-of-a", 100).await;
    assert_eq!(topped_up.json()["balance"], rubles(170));
    let account_of_b = shop.get(2, "/api/v1/account").await.json();
    assert_eq!(
        (&account_of_b["user_id"], &account_of_b["balance"]),
        (&json!(2), &rubles(170))
    );
    let entries_of_b = shop.get(2, "/api/v1/account/entries").await.json();
    assert_eq!(entries_of_b["items"].as_array().unwrap().len(), 2);

    assert_eq!(shop.get(1, "/api/v1/account").await.json(), account_of_a);
    assert_eq!(
        shop.get(1, "/api/v1/account/entries").await.json(),
        entries_of_a
    );
}

#[tokio::test]
async fn without_a_session_everything_is_refused() {
    let shop = Shop::open().await;
    shop.customer(1, 5_000).await;
    let before = shop.contents().await;
    for (method, path) in [
        (Method::GET, "/api/v1/account"),
        (Method::POST, "/api/v1/account"),
        (Method::POST, "/api/v1/account/top-ups"),
        (Method::GET, "/api/v1/account/entries"),
    ] {
        for authorization in ["", "Bearer", "Bearer nonsense", "Basic MTox"] {
            let request = Request::builder()
                .method(&method)
                .uri(path)
                .header("Authorization", authorization)
                .header("Idempotency-Key", fresh_key());
            let answer = shop.send(request.body(Body::empty()).unwrap()).await;
            assert_eq!(
                answer.problem(),
                (401, "unauthenticated".into()),
                "{method} {path}"
            );
        }
    }
    assert_eq!(shop.contents().await, before);
}

#[tokio::test]
async fn a_path_without_the_method_is_a_405() {
    let shop = Shop::open().await;
    let answer = shop.get(1, "/api/v1/account/top-ups").await;
    assert_eq!(answer.problem(), (405, "method_not_allowed".into()));
}

#[tokio::test]
async fn while_the_database_is_away_the_answer_is_a_503_that_says_when_to_try_again() {
    let shop = Shop::open().await;
    shop.customer(1, 5_000).await;
    shop.settings.api_pool.unmeasured().close().await;
    shop.settings.writer_pool.unmeasured().close().await;
    let read = shop.get(1, "/api/v1/account").await;
    let write = shop.top_up(1, "k", 100).await;
    let original = shop.get(1, "/api/payments/accounts/1").await;
    for answer in [read, write, original] {
        assert_eq!(answer.problem(), (503, "unavailable".into()));
        assert_eq!(answer.headers["retry-after"], "1");
    }
}

#[test]
fn the_description_lists_every_path_of_its_profile() {
    let paths = |profile| -> Vec<String> {
        let document = serde_json::to_value(crate::openapi(profile)).unwrap();
        document["paths"]
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect()
    };
    let own = [
        "/api/v1/account",
        "/api/v1/account/entries",
        "/api/v1/account/top-ups",
    ];
    assert_eq!(paths(Profile::Production), own);
    let original = [
        "/api/payments/accounts",
        "/api/payments/accounts/topup",
        "/api/payments/accounts/{user_id}",
    ];
    assert_eq!(paths(Profile::Demo), [&original[..], &own[..]].concat());
}

#[test]
fn every_operation_is_described_with_its_failures() {
    let document = serde_json::to_value(crate::openapi(Profile::Demo)).unwrap();
    let mut ids = HashSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            assert!(operation["summary"].is_string(), "{method} {path}");
            assert!(
                ids.insert(operation["operationId"].to_string()),
                "{method} {path}"
            );
            let responses = operation["responses"].as_object().unwrap();
            assert!(
                responses.keys().any(|status| status.starts_with('4')),
                "{method} {path}"
            );
            if path.starts_with("/api/v1/") {
                assert_ne!(operation["security"], Value::Null, "{method} {path}");
            }
        }
    }
}
