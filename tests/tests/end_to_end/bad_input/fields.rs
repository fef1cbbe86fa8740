//! What stands in a body: amounts, descriptions, user ids.

use serde_json::json;
use tests::{Customer, Shop, customer::rub, entrance::Call};

use super::{customer, post, refuse, unchanged};

/// Bodies that are wrong wherever a JSON object is expected: what, body, status, code.
const NO_OBJECT: &[(&str, &[u8], u16, &str)] = &[
    ("nothing", b"", 400, "malformed_json"),
    ("half an object", b"{", 400, "malformed_json"),
    ("single quotes", b"{'amount': 1}", 400, "malformed_json"),
    (
        "not UTF-8",
        b"{\"description\": \"\xff\xfe\"}",
        400,
        "malformed_json",
    ),
    ("an array", b"[]", 422, "invalid_body"),
    ("a number", b"1", 422, "invalid_body"),
    ("null", b"null", 422, "invalid_body"),
];

/// Amounts that are wrong wherever one is expected, as JSON text.
const AMOUNTS: &[(&str, u16, &str)] = &[
    (
        r#"{"amount_minor": 0, "currency": "RUB"}"#,
        422,
        "amount_not_positive",
    ),
    (
        r#"{"amount_minor": -1, "currency": "RUB"}"#,
        422,
        "amount_not_positive",
    ),
    (
        r#"{"amount_minor": -9223372036854775808, "currency": "RUB"}"#,
        422,
        "amount_not_positive",
    ),
    (
        r#"{"amount_minor": 100000000001, "currency": "RUB"}"#,
        422,
        "amount_too_large",
    ),
    (
        r#"{"amount_minor": 9223372036854775807, "currency": "RUB"}"#,
        422,
        "amount_too_large",
    ),
    (
        r#"{"amount_minor": 9223372036854775808, "currency": "RUB"}"#,
        422,
        "invalid_body",
    ),
    (
        r#"{"amount_minor": 1000000000000000000000000000000, "currency": "RUB"}"#,
        422,
        "invalid_body",
    ),
    (
        r#"{"amount_minor": NaN, "currency": "RUB"}"#,
        400,
        "malformed_json",
    ),
    (
        r#"{"amount_minor": Infinity, "currency": "RUB"}"#,
        400,
        "malformed_json",
    ),
    (
        r#"{"amount_minor": 1e400, "currency": "RUB"}"#,
        422,
        "invalid_body",
    ),
    (
        r#"{"amount_minor": 1e2, "currency": "RUB"}"#,
        422,
        "invalid_body",
    ),
    (
        r#"{"amount_minor": 1.001, "currency": "RUB"}"#,
        422,
        "invalid_body",
    ),
    (
        r#"{"amount_minor": "100", "currency": "RUB"}"#,
        422,
        "invalid_body",
    ),
    (
        r#"{"amount_minor": null, "currency": "RUB"}"#,
        422,
        "invalid_body",
    ),
    (
        r#"{"amount_minor": true, "currency": "RUB"}"#,
        422,
        "invalid_body",
    ),
    (
        r#"{"amount_minor": 100, "currency": "USD"}"#,
        422,
        "invalid_body",
    ),
    (
        r#"{"amount_minor": 100, "currency": "rub"}"#,
        422,
        "invalid_body",
    ),
    (r#"{"amount_minor": 100}"#, 422, "invalid_body"),
    (r#"{"currency": "RUB"}"#, 422, "invalid_body"),
    (
        r#"{"amount_minor": 100, "amount_minor": 1, "currency": "RUB"}"#,
        422,
        "invalid_body",
    ),
    (
        r#"{"amount_minor": 100, "currency": "RUB", "discount": 1}"#,
        422,
        "invalid_body",
    ),
    ("100", 422, "invalid_body"),
    ("null", 422, "invalid_body"),
];

#[tokio::test]
async fn a_bad_order_is_refused_and_nothing_changes() {
    let (_shop, customer) = customer().await;
    let path = "/api/v1/orders";
    refuse_no_objects(&customer, path).await;
    for &(amount, status, code) in AMOUNTS {
        let body = format!(r#"{{"amount": {amount}, "description": "A lamp"}}"#);
        refuse(&customer, path, &body, status, code).await;
    }
    let long = "ы".repeat(501);
    for (description, code) in [
        ("", "description_empty"),
        (long.as_str(), "description_too_long"),
    ] {
        let body = json!({"amount": rub(1), "description": description}).to_string();
        refuse(&customer, path, &body, 422, code).await;
    }
    for body in [
        json!({"amount": rub(1)}),
        json!({"description": "A lamp"}),
        json!({"amount": rub(1), "description": null}),
        json!({"amount": rub(1), "description": 5}),
        json!({"amount": rub(1), "description": ["A lamp"]}),
        json!({"amount": rub(1), "description": "A lamp", "user_id": 1}),
        json!({"amount": rub(1), "description": "A lamp", "status": "FINISHED"}),
    ] {
        refuse(&customer, path, &body.to_string(), 422, "invalid_body").await;
    }
    // Postgres cannot store a NUL, and a refusal is better than an error from there.
    let nul = json!({"amount": rub(1), "description": "a\u{0}b"}).to_string();
    let answer = post(&customer, path, "application/json", nul).await;
    assert_eq!(answer.status, 422, "{}", answer.text);
    unchanged(&customer).await;
}

#[tokio::test]
async fn a_description_may_have_five_hundred_characters_of_any_script() {
    let (_shop, customer) = customer().await;
    let longest = "ы".repeat(500);
    for description in [
        longest.as_str(),
        "x",
        " ",
        "<script>alert(1)</script>",
        "';--",
        "🎁\n",
    ] {
        let body = json!({"amount": rub(1), "description": description}).to_string();
        let answer = post(&customer, "/api/v1/orders", "application/json", body).await;
        assert_eq!(answer.expect(201)["description"], description);
    }
}

#[tokio::test]
async fn a_bad_top_up_is_refused_and_nothing_changes() {
    let (_shop, customer) = customer().await;
    let path = "/api/v1/account/top-ups";
    refuse_no_objects(&customer, path).await;
    for &(amount, status, code) in AMOUNTS {
        let body = format!(r#"{{"amount": {amount}}}"#);
        refuse(&customer, path, &body, status, code).await;
    }
    let unknown = json!({"amount": rub(1), "user_id": 1}).to_string();
    refuse(&customer, path, &unknown, 422, "invalid_body").await;
    unchanged(&customer).await;
}

#[tokio::test]
async fn a_top_up_of_no_account_is_not_found() {
    let shop = Shop::shared().await;
    let customer = Customer::new(&shop.entrance()).await;
    let body = json!({"amount": rub(1)}).to_string();
    let answer = post(
        &customer,
        "/api/v1/account/top-ups",
        "application/json",
        body,
    )
    .await;
    answer.expect_problem(404, "account_not_found");
    customer
        .get("/api/v1/account")
        .await
        .expect_problem(404, "account_not_found");
}

#[tokio::test]
async fn a_bad_account_is_refused() {
    let shop = Shop::shared().await;
    let customer = Customer::new(&shop.entrance()).await;
    for body in [r#"{"user_id": 1}"#, r#"{"balance": 5}"#, "[]"] {
        refuse(&customer, "/api/v1/account", body, 422, "invalid_body").await;
    }
    customer
        .get("/api/v1/account")
        .await
        .expect_problem(404, "account_not_found");
}

#[tokio::test]
async fn a_user_id_is_a_positive_64_bit_integer() {
    let shop = Shop::shared().await;
    let entrance = shop.entrance();
    let sign_in = |user_id: &str| {
        let body = format!(r#"{{"user_id": {user_id}}}"#);
        entrance.send(Call::post("/api/v1/session").body("application/json", body))
    };
    for user_id in ["0", "-1", "-9223372036854775808"] {
        sign_in(user_id)
            .await
            .expect_problem(422, "user_id_invalid");
    }
    for user_id in [
        "9223372036854775808",
        "1000000000000000000000000000000",
        "1.5",
        "1e3",
        "\"1\"",
        "null",
        "true",
        "[1]",
    ] {
        let answer = sign_in(user_id).await;
        let code = answer.json()["code"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        assert_eq!(answer.status, 422, "{user_id}: {}", answer.text);
        assert!(
            matches!(code.as_str(), "user_id_invalid" | "invalid_body"),
            "{user_id}: {code}"
        );
    }
    sign_in("NaN").await.expect_problem(400, "malformed_json");
    let unknown = json!({"user_id": 1, "roles": ["operator"]});
    entrance
        .send(Call::post("/api/v1/session").json(&unknown))
        .await
        .expect_problem(422, "invalid_body");
    // The largest there is.
    let largest = Customer::sign_in(&entrance, i64::MAX).await;
    largest.open_account().await;
    assert_eq!(largest.balance().await, 0);
}

async fn refuse_no_objects(customer: &Customer, path: &str) {
    for &(what, body, status, code) in NO_OBJECT {
        let answer = post(customer, path, "application/json", body).await;
        let found = answer.json()["code"].clone();
        assert_eq!(
            (answer.status, found.as_str()),
            (status, Some(code)),
            "{path}, {what}: {}",
            answer.text
        );
    }
}
