//! The role's routes together, without a port.

use std::time::Duration;

use axum::{
    body::Body,
    http::{HeaderMap, Request},
};
use chassis::Profile;
use http_body_util::BodyExt;
use secrecy::SecretString;
use tower::ServiceExt;

use super::*;

const KEY: &str = "0123456789abcdef0123456789abcdef";

async fn get(identity: Identity, path: &str) -> (u16, HeaderMap, String) {
    ask(identity, Request::get(path)).await
}

async fn ask(
    identity: Identity,
    request: axum::http::request::Builder,
) -> (u16, HeaderMap, String) {
    let config = WebConfig {
        profile: Profile::Demo,
        identity,
        session_keys: SessionKeys::parse("c2Vzc2lvbi1rZXktc2Vzc2lvbi1rZXktc2Vzc2lvbi1rZXk")
            .unwrap(),
        operator_key: OperatorKey::new(&SecretString::from(KEY)).unwrap(),
        session_lifetime: Duration::from_hours(12),
    };
    let request = request.body(Body::empty()).unwrap();
    let response = router(&config).oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let text = String::from_utf8_lossy(&body).into_owned();
    (parts.status.as_u16(), parts.headers, text)
}

#[tokio::test]
async fn the_documentation_is_served_whole_from_here() {
    let (status, headers, index) = get(Identity::Demo, "/api/docs/").await;
    assert_eq!(status, 200);
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'self';"), "{policy}");
    let sources = index.split('"').filter(|text| text.starts_with("./"));
    let sources: Vec<_> = sources.collect();
    assert!(!sources.is_empty(), "{index}");
    for source in sources {
        let path = source.replacen("./", "/api/docs/", 1);
        assert_eq!(get(Identity::Demo, &path).await.0, 200, "{path}");
    }
    // Were there a script in the index itself, its policy would refuse it.
    assert!(!index.contains("<script>"), "{index}");
}

#[tokio::test]
async fn the_documentation_shows_our_document_and_asks_nobody_else() {
    let (_, _, script) = get(Identity::Demo, "/api/docs/swagger-initializer.js").await;
    assert!(script.contains("/api/openapi.json"), "{script}");
    assert!(!script.contains("https://"), "{script}");
    let (status, _, document) = get(Identity::Demo, "/api/openapi.json").await;
    assert_eq!(status, 200);
    let document: serde_json::Value = serde_json::from_str(&document).unwrap();
    assert_eq!(document["info"]["title"], "Gozon");
}

#[tokio::test]
async fn operators_alone_are_told_how_the_role_is() {
    let path = "/ops/v1/web/health";
    assert_eq!(get(Identity::None, path).await.0, 401);
    let request = Request::get(path).header("authorization", format!("Bearer {KEY}"));
    let (status, _, health) = ask(Identity::None, request).await;
    assert_eq!(status, 200);
    let health: serde_json::Value = serde_json::from_str(&health).unwrap();
    assert_eq!(health["version"], env!("CARGO_PKG_VERSION"));
    assert!(health["up_seconds"].as_f64().unwrap() >= 0.0, "{health}");
}

#[tokio::test]
async fn nobody_signs_in_where_there_is_no_identity_for_it() {
    let sign_in = || Request::post("/api/v1/session");
    let (status, ..) = ask(Identity::None, sign_in()).await;
    assert_eq!(status, 405);
    let (status, ..) = ask(Identity::Demo, sign_in()).await;
    assert_eq!(status, 415);
}
