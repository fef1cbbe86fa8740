//! Sessions over the router, without a port.

use std::time::Duration;

use axum::{
    body::Body,
    http::{HeaderMap, Request},
};
use chassis::{SessionKeys, identity::OperatorKey};
use http_body_util::BodyExt;
use secrecy::SecretString;
use serde_json::Value;
use tower::ServiceExt;

use super::*;

const OPERATOR_TOKEN: &str = "0123456789abcdef0123456789abcdef";

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Value,
}

async fn ask(request: Request<Body>) -> Answer {
    let state = WebState {
        session_keys: SessionKeys::parse("c2Vzc2lvbi1rZXktc2Vzc2lvbi1rZXktc2Vzc2lvbi1rZXk")
            .unwrap(),
        operator_key: OperatorKey::new(&SecretString::from(OPERATOR_TOKEN)).unwrap(),
        session_lifetime: Duration::from_hours(12),
        started: std::time::Instant::now(),
    };
    let router = axum::Router::from(demo_router().with_state(state));
    let (parts, body) = router.oneshot(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Answer {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body: serde_json::from_slice(&body).unwrap_or_default(),
    }
}

async fn sign_in(body: &str) -> Answer {
    let request = Request::post("/api/v1/session")
        .header("content-type", "application/json")
        .body(Body::from(body.to_owned()))
        .unwrap();
    ask(request).await
}

async fn read(header: &str, value: &str) -> Answer {
    let request = Request::get("/api/v1/session")
        .header(header, value)
        .body(Body::empty())
        .unwrap();
    ask(request).await
}

#[tokio::test]
async fn who_signs_in_is_known_by_cookie_and_by_token() {
    let signed_in = sign_in(r#"{"user_id": 7}"#).await;
    assert_eq!(signed_in.status, 200);
    assert_eq!(signed_in.body["user_id"], 7);
    assert_eq!(signed_in.body["mode"], "demo");
    assert_eq!(signed_in.body["roles"][0], "customer");

    let cookie = signed_in.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.contains("HttpOnly; SameSite=Strict"), "{cookie}");
    let by_cookie = read("cookie", cookie.split(';').next().unwrap()).await;
    let token = signed_in.body["token"].as_str().unwrap();
    let by_token = read("authorization", &format!("Bearer {token}")).await;
    for read in [by_cookie, by_token] {
        assert_eq!(read.status, 200);
        assert_eq!(read.body["user_id"], 7);
        assert_eq!(read.body["expires_at"], signed_in.body["expires_at"]);
        assert!(read.body.get("token").is_none());
    }
}

#[tokio::test]
async fn who_knows_the_operators_token_is_an_operator() {
    let body = format!(r#"{{"user_id": 7, "operator_token": "{OPERATOR_TOKEN}"}}"#);
    let signed_in = sign_in(&body).await;
    assert_eq!(signed_in.status, 200);
    assert_eq!(
        signed_in.body["roles"].to_string(),
        r#"["customer","operator"]"#
    );

    let wrong = format!(r#"{{"user_id": 7, "operator_token": "{OPERATOR_TOKEN}0"}}"#);
    let refused = sign_in(&wrong).await;
    assert_eq!(refused.status, 401);
    assert_eq!(refused.body["code"], "operator_token_invalid");
    assert!(!refused.headers.contains_key("set-cookie"));
}

#[tokio::test]
async fn without_a_session_one_is_nobody() {
    let answer = read("authorization", "Bearer nonsense").await;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.body["code"], "unauthenticated");
}

#[tokio::test]
async fn a_user_id_is_a_positive_64_bit_integer() {
    for id in [
        "0",
        "-1",
        "1.5",
        "9223372036854775808",
        "1000000000000000000000000000000",
    ] {
        let answer = sign_in(&format!("{{\"user_id\": {id}}}")).await;
        assert_eq!(answer.status, 422, "{id}");
        assert_eq!(answer.body["code"], "user_id_invalid", "{id}");
    }
    for body in [
        r#"{"user_id": "1"}"#,
        r#"{"user_id": null}"#,
        r#"{"user_id": 1, "roles": ["operator"]}"#,
        "{}",
    ] {
        let answer = sign_in(body).await;
        assert_eq!(answer.status, 422, "{body}");
        assert_eq!(answer.body["code"], "invalid_body", "{body}");
    }
}

#[tokio::test]
async fn signing_out_clears_the_cookie() {
    let request = Request::delete("/api/v1/session")
        .body(Body::empty())
        .unwrap();
    let answer = ask(request).await;
    assert_eq!(answer.status, 204);
    let cookie = answer.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("gozon_session=; Max-Age=0;"), "{cookie}");
}
