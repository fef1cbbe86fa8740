//! Sessions: who is let in, and as whom.

use serde_json::{Value, json};
use tests::{
    Customer, Shop,
    customer::{new_key, order_call, rub},
    entrance::Call,
    follow::open_socket,
};

#[tokio::test]
async fn a_session_says_who_it_is_until_it_is_ended() {
    let shop = Shop::shared().await;
    let entrance = shop.entrance();
    let user_id = Customer::new_user_id();
    let opened = entrance
        .send(Call::post("/api/v1/session").json(&json!({ "user_id": user_id })))
        .await;
    let body = opened.expect(200);
    assert_eq!(body["user_id"], user_id);
    assert_eq!(body["roles"], json!(["customer"]));
    assert_eq!(body["mode"], "demo");
    let cookie = opened.header("set-cookie");
    for attribute in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    let cookie = cookie.split(';').next().unwrap();
    assert!(cookie.starts_with("gozon_session="), "{cookie}");

    let shown = entrance
        .send(Call::get("/api/v1/session").header("cookie", cookie))
        .await
        .expect(200);
    assert_eq!(shown["user_id"], user_id);
    assert_eq!(shown.get("token").unwrap_or(&Value::Null), &Value::Null);

    let ended = entrance
        .send(Call::new(tests::reqwest::Method::DELETE, "/api/v1/session").header("cookie", cookie))
        .await;
    assert_eq!(ended.status, 204, "{}", ended.text);
    let cleared = ended.header("set-cookie");
    assert!(
        cleared.starts_with("gozon_session=;") || cleared.contains("Max-Age=0"),
        "{cleared}"
    );
}

#[tokio::test]
async fn without_a_valid_session_nothing_is_shown_and_nothing_done() {
    let shop = Shop::shared().await;
    let entrance = shop.entrance();
    let customer = Customer::with_balance(&entrance, 100).await;
    let order = customer.place(1).await;
    let (head, signature) = customer.token.rsplit_once('.').unwrap();
    let other = Customer::new(&entrance).await;
    let (_, other_signature) = other.token.rsplit_once('.').unwrap();
    // {"alg":"none","typ":"JWT"} and the same claims, unsigned.
    let claims = head.split('.').nth(1).unwrap();
    let unsigned = format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{claims}.");
    let tokens = [
        String::new(),
        "not-a-token".to_owned(),
        unsigned,
        format!("{head}."),
        format!("{head}.{other_signature}"),
        format!("{head}.{signature}x"),
    ];
    let calls = || {
        [
            Call::get("/api/v1/session"),
            Call::get("/api/v1/account"),
            Call::get("/api/v1/account/entries"),
            Call::get("/api/v1/orders"),
            Call::get(format!("/api/v1/orders/{}", order.id)),
            order_call(&new_key(), 1),
            Call::post("/api/v1/account")
                .header("idempotency-key", new_key())
                .json(&json!({})),
            Call::post("/api/v1/account/top-ups")
                .header("idempotency-key", new_key())
                .json(&json!({"amount": rub(1)})),
        ]
    };
    for call in calls() {
        entrance
            .send(call)
            .await
            .expect_problem(401, "unauthenticated");
    }
    for token in &tokens {
        for call in calls() {
            entrance
                .send(call.bearer(token))
                .await
                .expect_problem(401, "unauthenticated");
        }
        let cookie = format!("gozon_session={token}");
        let call = Call::get("/api/v1/orders").header("cookie", cookie);
        entrance
            .send(call)
            .await
            .expect_problem(401, "unauthenticated");
    }
    assert_eq!(customer.orders().await.len(), 1);
}

#[tokio::test]
async fn a_socket_wants_a_session_and_a_page_of_ours() {
    let shop = Shop::shared().await;
    let entrance = shop.entrance();
    let customer = Customer::new(&entrance).await;
    let url = entrance.url("/api/v1/events");
    let cookie = format!("gozon_session={}", customer.token);
    let own_origin = format!("http://127.0.0.1:{}", url.port().unwrap());
    let bearer = format!("Bearer {}", customer.token);

    let refusals: [(u16, &[(&'static str, &str)]); 4] = [
        (401, &[]),
        (401, &[("authorization", "Bearer nonsense")]),
        (
            403,
            &[("cookie", &cookie), ("origin", "http://evil.example")],
        ),
        (403, &[("cookie", &cookie), ("origin", "null")]),
    ];
    for (status, headers) in refusals {
        let error = open_socket(url.clone(), headers).await.unwrap_err();
        let tokio_tungstenite::tungstenite::Error::Http(response) = error else {
            panic!("{headers:?}: {error}");
        };
        assert_eq!(response.status().as_u16(), status, "{headers:?}");
    }
    for headers in [
        &[("cookie", cookie.as_str()), ("origin", &own_origin)][..],
        &[("authorization", &bearer)],
    ] {
        open_socket(url.clone(), headers).await.unwrap();
    }
}

#[tokio::test]
async fn another_site_cannot_use_a_visitors_cookie() {
    let shop = Shop::shared().await;
    let entrance = shop.entrance();
    let customer = Customer::with_balance(&entrance, 100).await;
    let cookie = format!("gozon_session={}", customer.token);
    let call = |site, origin: &str| {
        order_call(&new_key(), 1)
            .header("cookie", &cookie)
            .header("sec-fetch-site", site)
            .header("origin", origin)
    };
    let forged = entrance
        .send(call("cross-site", "http://evil.example"))
        .await;
    forged.expect_problem(403, "cross_origin");
    assert_eq!(customer.orders().await.len(), 0);

    let url = entrance.url("/");
    let own = format!("http://127.0.0.1:{}", url.port().unwrap());
    let honest = entrance.send(call("same-origin", &own)).await;
    assert_eq!(honest.status, 201, "{}", honest.text);
}
