//! Bad requests of `/api/v1`: each gets its problem, and nothing changes.

use serde_json::{Value, json};
use tests::{
    Answer, Customer, Shop,
    customer::{new_key, rub},
    entrance::Call,
    reqwest::Method,
    shop::SharedShop,
};

const BALANCE: i64 = 1_000;

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
async fn a_body_over_sixteen_kibibytes_is_refused() {
    let (_shop, customer) = customer().await;
    for size in [16 * 1024 + 1, 1 << 20] {
        // The excess is white space, which would be fine by itself.
        for (path, mut body) in valid_bodies() {
            body.push_str(&" ".repeat(size - body.len()));
            let answer = post(&customer, path, "application/json", body).await;
            answer.expect_problem(413, "body_too_large");
        }
    }
    unchanged(&customer).await;
}

#[tokio::test]
async fn a_deeply_nested_body_is_refused() {
    let (_shop, customer) = customer().await;
    let nested = "[".repeat(10_000);
    for (path, _) in valid_bodies() {
        refuse(&customer, path, &nested, 400, "malformed_json").await;
    }
    unchanged(&customer).await;
}

#[tokio::test]
async fn a_body_that_does_not_say_it_is_json_is_refused() {
    let (_shop, customer) = customer().await;
    for (path, body) in valid_bodies() {
        for content_type in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/xml",
            "application/jsonp",
        ] {
            let answer = post(&customer, path, content_type, body.clone()).await;
            answer.expect_problem(415, "unsupported_media_type");
        }
    }
    unchanged(&customer).await;
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

#[tokio::test]
async fn an_id_nobody_has_is_not_found() {
    let (_shop, customer) = customer().await;
    for id in [
        "01890a5d-ac96-774b-bcce-b302099a8057",
        "00000000-0000-0000-0000-000000000000",
        "not-a-uuid",
        "17",
        "%00",
        "%F0%9F%8E%81",
        "..%2f..",
        "01890a5d-ac96-774b-bcce-b302099a80577777",
    ] {
        let answer = customer.get(&format!("/api/v1/orders/{id}")).await;
        answer.expect_problem(404, "order_not_found");
    }
}

#[tokio::test]
async fn a_limit_out_of_range_is_refused() {
    let (_shop, customer) = customer().await;
    for path in ["/api/v1/orders", "/api/v1/account/entries"] {
        for limit in ["0", "101", "-1"] {
            let answer = customer.get(&format!("{path}?limit={limit}")).await;
            answer.expect_problem(422, "limit_out_of_range");
        }
        for query in [
            "limit=ten",
            "limit=1.5",
            "limit=99999999999999999999",
            "cursor=nonsense",
            "cursor=%00",
            "colour=blue",
        ] {
            let answer = customer.get(&format!("{path}?{query}")).await;
            assert!(
                matches!(answer.status, 400 | 422),
                "{path}?{query}: {} {}",
                answer.status,
                answer.text
            );
            let code = answer.json()["code"].as_str().unwrap().to_owned();
            answer.expect_problem(answer.status, &code);
        }
    }
}

#[tokio::test]
async fn an_unknown_path_or_method_is_a_problem_too() {
    let (_shop, customer) = customer().await;
    for path in ["/api/v1/nowhere", "/api/nowhere", "/api/v2/orders", "/api/"] {
        customer.get(path).await.expect_problem(404, "not_found");
    }
    for (method, path) in [
        (Method::DELETE, "/api/v1/orders"),
        (Method::PUT, "/api/v1/account"),
        (
            Method::PATCH,
            "/api/v1/orders/01890a5d-ac96-774b-bcce-b302099a8057",
        ),
        (Method::GET, "/api/v1/account/top-ups"),
    ] {
        let call = Call::new(method, path);
        customer
            .send(call)
            .await
            .expect_problem(405, "method_not_allowed");
    }
}

/// Somebody with money, in the shop that stands as long as the test holds it.
async fn customer() -> (SharedShop, Customer) {
    let shop = Shop::shared().await;
    let customer = Customer::with_balance(&shop.entrance(), BALANCE).await;
    (shop, customer)
}

async fn post(
    customer: &Customer,
    path: &str,
    content_type: &str,
    body: impl Into<Vec<u8>>,
) -> Answer {
    let call = Call::post(path)
        .header("idempotency-key", new_key())
        .body(content_type, body);
    customer.send(call).await
}

async fn refuse(customer: &Customer, path: &str, body: &str, status: u16, code: &str) {
    let answer = post(customer, path, "application/json", body).await;
    let found = serde_json::from_str::<Value>(&answer.text).unwrap_or_default()["code"].clone();
    assert_eq!(
        (answer.status, found.as_str()),
        (status, Some(code)),
        "{path} {body:.200}: {}",
        answer.text
    );
    answer.expect_problem(status, code);
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

/// A request that would be accepted for each path that takes one.
fn valid_bodies() -> [(&'static str, String); 2] {
    [
        (
            "/api/v1/orders",
            json!({"amount": rub(1), "description": "A lamp"}).to_string(),
        ),
        (
            "/api/v1/account/top-ups",
            json!({"amount": rub(1)}).to_string(),
        ),
    ]
}

async fn unchanged(customer: &Customer) {
    assert_eq!(customer.balance().await, BALANCE);
    assert_eq!(customer.entries().await.len(), 1);
    assert_eq!(customer.orders().await, []);
}
