//! Bad requests on the original's paths: the original's codes, and nothing changes.

use serde_json::{Value, json};
use tests::{Answer, Customer, Original, Shop, entrance::Call};

/// Amounts the original's paths refuse, as JSON text.
const BAD_AMOUNTS: &[&str] = &[
    "0",
    "0.0",
    "-1000",
    "-0.01",
    "NaN",
    "Infinity",
    "1e400",
    "1e2",
    "0.001",
    "1.005",
    "\"100\"",
    "null",
    "true",
    "[1]",
    "1000000000000000000000000000000",
    "92233720368547758.08",
];

#[tokio::test]
async fn the_originals_paths_refuse_bad_amounts_and_nothing_changes() {
    let shop = Shop::shared().await;
    let user = funded(&shop.entrance()).await;
    for amount in BAD_AMOUNTS {
        expect_422(&user.top_up(amount).await, amount);
        expect_422(&user.try_order(amount).await, amount);
    }
    unchanged(&user).await;
}

#[tokio::test]
async fn the_originals_paths_refuse_bad_bodies_and_nothing_changes() {
    let shop = Shop::shared().await;
    let user = funded(&shop.entrance()).await;
    let id = user.user_id;
    let too_long = "x".repeat(501);
    for (path, body) in [
        ("/api/payments/accounts", String::new()),
        ("/api/payments/accounts", "{".to_owned()),
        ("/api/payments/accounts", "[]".to_owned()),
        ("/api/payments/accounts", "{}".to_owned()),
        ("/api/payments/accounts", r#"{"user_id": 0}"#.to_owned()),
        ("/api/payments/accounts", r#"{"user_id": -1}"#.to_owned()),
        (
            "/api/payments/accounts",
            r#"{"user_id": 9223372036854775808}"#.to_owned(),
        ),
        ("/api/payments/accounts", r#"{"user_id": 1.5}"#.to_owned()),
        ("/api/payments/accounts", r#"{"user_id": null}"#.to_owned()),
        (
            "/api/payments/accounts/topup",
            r#"{"amount": 1}"#.to_owned(),
        ),
        (
            "/api/payments/accounts/topup",
            format!(r#"{{"user_id": {id}}}"#),
        ),
        (
            "/api/orders/orders",
            format!(r#"{{"user_id": {id}, "amount": 1}}"#),
        ),
        (
            "/api/orders/orders",
            r#"{"user_id": 0, "amount": 1, "description": "x"}"#.to_owned(),
        ),
        (
            "/api/orders/orders",
            json!({"user_id": id, "amount": 1, "description": ""}).to_string(),
        ),
        (
            "/api/orders/orders",
            json!({"user_id": id, "amount": 1, "description": too_long}).to_string(),
        ),
        (
            "/api/orders/orders",
            json!({"user_id": id, "amount": 1, "description": 5}).to_string(),
        ),
    ] {
        expect_422(&user.post(path, &body).await, &body);
    }
    let too_large = format!(
        r#"{{"user_id": {id}, "amount": 1, "description": "x"}}{}"#,
        " ".repeat(16 * 1024)
    );
    let answer = user.post("/api/orders/orders", &too_large).await;
    assert!(matches!(answer.status, 413 | 422), "{}", answer.status);
    unchanged(&user).await;
}

#[tokio::test]
async fn the_originals_accounts_are_found_by_positive_ids_alone() {
    let shop = Shop::shared().await;
    let entrance = shop.entrance();
    let ask = |id: &str| entrance.send(Call::get(format!("/api/payments/accounts/{id}")));
    let unknown = Customer::new_user_id().to_string();
    assert_eq!(
        ask(&unknown).await.expect(404),
        json!({"detail": "Not found"})
    );
    for id in ["0", "-1", "abc", "9223372036854775808", "1.5"] {
        expect_422(&ask(id).await, id);
    }
    let nobody = Original::new(&entrance);
    assert_eq!(
        nobody.top_up("1").await.expect(404),
        json!({"detail": "Not found"})
    );
}

#[tokio::test]
async fn a_duplicate_account_is_answered_cleanly_and_keeps_its_money() {
    let shop = Shop::shared().await;
    let user = funded(&shop.entrance()).await;
    for _ in 0..3 {
        assert_eq!(
            user.create_account().await.expect(200),
            json!({"status": "created"})
        );
    }
    unchanged(&user).await;
}

#[tokio::test]
async fn amounts_of_the_original_are_exact() {
    let shop = Shop::shared().await;
    let user = Original::new(&shop.entrance());
    user.create_account().await;
    for (amount, balance) in [
        ("0.1", "0.1"),
        ("0.1", "0.2"),
        ("0.1", "0.3"),
        ("10", "10.3"),
        ("0.010", "10.31"),
        ("99999.99", "100010.3"),
    ] {
        assert_eq!(user.top_up(amount).await.status, 200);
        let text = user.account().await.text;
        // As text: a float parsed and printed again would hide what was sent.
        assert_eq!(text.replace(' ', ""), format!(r#"{{"balance":{balance}}}"#));
    }
}

async fn funded(entrance: &tests::Entrance) -> Original {
    let user = Original::new(entrance);
    user.create_account().await;
    assert_eq!(user.top_up("100").await.status, 200);
    user
}

#[track_caller]
fn expect_422(answer: &Answer, what: &str) {
    assert_eq!(answer.status, 422, "{what:.200}: {}", answer.text);
    let body: Value = answer.json();
    assert!(!body["detail"].is_null(), "{what:.200}: {body}");
}

async fn unchanged(user: &Original) {
    assert_eq!(user.account().await.expect(200), json!({"balance": 100.0}));
    let orders = user.orders().await;
    assert!(orders.iter().all(|order| order["user_id"] != user.user_id));
}
