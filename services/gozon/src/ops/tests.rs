//! Who is let in, and what is refused before any database is asked. What the database answers is tested from outside.

use std::time::Duration;

use axum::{body::Body, http::Request};
use chassis::Principal;
use contracts::UserId;
use http_body_util::BodyExt;
use messaging::doorbell::{Channel, Doorbell};
use secrecy::SecretString;
use serde_json::Value;
use sqlx::postgres::PgPoolOptions;
use time::OffsetDateTime;
use tower::ServiceExt;

use super::*;

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

fn sessions() -> SessionKeys {
    SessionKeys::parse("c2Vzc2lvbi1rZXktc2Vzc2lvbi1rZXktc2Vzc2lvbi1rZXk").unwrap()
}

fn router(operator_key: &OperatorKey) -> axum::Router {
    // Nobody listens there, and nobody is asked.
    let pool = PgPoolOptions::new()
        .acquire_timeout(Duration::from_millis(10))
        .connect_lazy("postgres://nobody@127.0.0.1:9/nothing")
        .unwrap();
    let bell = || Doorbell::new(Channel::Outbox);
    let settlers = [
        Settler::Order(order::Settlement::new(bell(), order::Metrics::default())),
        Settler::Payment(payment::Settlement::new(
            bell(),
            payment::Metrics::default(),
        )),
    ];
    let states = settlers.map(|settler| OpsState {
        settler: Arc::new(settler),
        pool: pool.clone(),
        session_keys: sessions(),
        operator_key: operator_key.clone(),
    });
    let routers = states.map(super::router);
    let routers = routers.into_iter().map(axum::Router::from);
    routers.fold(axum::Router::new(), axum::Router::merge)
}

fn key() -> OperatorKey {
    OperatorKey::new(&SecretString::from(TOKEN)).unwrap()
}

async fn ask(
    operator_key: OperatorKey,
    token: Option<&str>,
    call: (&str, &str, &str),
) -> (u16, String) {
    let (method, path, body) = call;
    let mut request = Request::builder().method(method).uri(path);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let request = request
        .header("content-type", "application/json")
        .body(Body::from(body.to_owned()))
        .unwrap();
    let response = router(&operator_key).oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    (status, body["code"].as_str().unwrap_or_default().to_owned())
}

/// Every operation of the operators' API, as its description lists them.
fn every_call() -> Vec<(&'static str, String)> {
    let documents = Service::ALL.map(|service| openapi(service).paths.paths);
    let items = documents.into_iter().flatten();
    items
        .map(|(path, item)| {
            let method = if item.get.is_some() { "GET" } else { "POST" };
            (method, path.replace("{id}", "1").replace("{order}", "1"))
        })
        .collect()
}

#[tokio::test]
async fn only_operators_are_let_in_anywhere() {
    let now = OffsetDateTime::now_utc();
    let user = UserId::try_from(7).unwrap();
    let session = |principal: &Principal| sessions().issue(principal, now, Duration::from_mins(1));
    let customer = session(&Principal::customer(user));
    let operator = session(&Principal::operator(user));
    let calls = every_call();
    assert!(calls.len() >= 16, "{calls:?}");
    for (method, path) in &calls {
        let call = (*method, path.as_str(), "{}");
        let refused = |status: u16, code: &str| (status, code.to_owned());
        assert_eq!(
            ask(key(), None, call).await,
            refused(401, "unauthenticated"),
            "{path}"
        );
        assert_eq!(
            ask(key(), Some("x"), call).await,
            refused(401, "unauthenticated"),
            "{path}"
        );
        assert_eq!(
            ask(key(), Some(&customer), call).await,
            refused(403, "forbidden"),
            "{path}"
        );
        // Without a key there are no operators, whatever a session says.
        let none = OperatorKey::none;
        assert_eq!(
            ask(none(), Some(TOKEN), call).await,
            refused(401, "unauthenticated"),
            "{path}"
        );
        assert_eq!(
            ask(none(), Some(&operator), call).await,
            refused(403, "forbidden"),
            "{path}"
        );
        for token in [TOKEN, &operator] {
            let (status, code) = ask(key(), Some(token), call).await;
            assert!(![401, 403].contains(&status), "{path}: {status} {code}");
        }
    }
}

#[tokio::test]
async fn what_is_out_of_range_is_refused_with_a_code_of_its_own() {
    let redrive = "/ops/v1/payment/dead-letters/redrive";
    let cancel = "/ops/v1/payment/dead-letters/cancel-redrive";
    let discard = "/ops/v1/payment/dead-letters/discard";
    for (call, code) in [
        (
            ("POST", discard, r#"{"ids": [], "reason": "x"}"#),
            "ids_out_of_range",
        ),
        (("POST", discard, r#"{"ids": [1]}"#), "invalid_body"),
        (
            ("POST", redrive, r#"{"rate_per_second": 0}"#),
            "rate_out_of_range",
        ),
        (
            ("POST", redrive, r#"{"rate_per_second": 1001}"#),
            "rate_out_of_range",
        ),
        (
            ("POST", redrive, r#"{"request_id": "mine"}"#),
            "invalid_body",
        ),
        (
            ("GET", "/ops/v1/order/operations?request_id=mine", ""),
            "invalid_query",
        ),
        (("POST", redrive, r#"{"limit": 0}"#), "limit_out_of_range"),
        (
            ("POST", redrive, r#"{"limit": 10001}"#),
            "limit_out_of_range",
        ),
        (
            ("POST", redrive, r#"{"filter": {"reason": "whim"}}"#),
            "reason_unknown",
        ),
        (
            (
                "POST",
                redrive,
                r#"{"filter": {"queue": "order.payments.v1"}}"#,
            ),
            "queue_unknown",
        ),
        (("POST", redrive, r#"{"colour": "blue"}"#), "invalid_body"),
        (
            ("POST", cancel, r#"{"filter": {"ids": [0]}}"#),
            "ids_out_of_range",
        ),
        (
            ("GET", "/ops/v1/order/dead-letters?limit=501", ""),
            "limit_out_of_range",
        ),
        (
            ("GET", "/ops/v1/order/dead-letters?ids=1,x", ""),
            "ids_out_of_range",
        ),
        (
            ("GET", "/ops/v1/order/dead-letters?cursor=x", ""),
            "invalid_query",
        ),
        (
            ("GET", "/ops/v1/order/operations?limit=0", ""),
            "limit_out_of_range",
        ),
        (
            ("GET", "/ops/v1/order/orders/1/trace?events=x", ""),
            "events_invalid",
        ),
    ] {
        assert_eq!(
            ask(key(), Some(TOKEN), call).await,
            (422, code.to_owned()),
            "{call:?}"
        );
    }
    for (path, code) in [
        ("/ops/v1/order/orders/none/trace", "order_not_found"),
        ("/ops/v1/payment/orders/1/trace", "order_not_found"),
        ("/ops/v1/payment/dead-letters/none", "dead_letter_not_found"),
    ] {
        let answer = ask(key(), Some(TOKEN), ("GET", path, "")).await;
        assert_eq!(answer, (404, code.to_owned()), "{path}");
    }
}
