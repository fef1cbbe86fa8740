//! The admin router, without a port.

use axum::body::Body;
use http::Request;
use http_body_util::BodyExt;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::*;

async fn ask(readiness: Readiness, method: &str, path: &str, body: &str) -> (u16, String) {
    let admin = Admin {
        readiness: Arc::new(readiness),
        registry: Arc::new(metrics::registry("1.2.3")),
        log_filter: LogFilter::detached(),
    };
    let request = Request::builder()
        .method(method)
        .uri(path)
        .body(Body::from(body.to_owned()))
        .unwrap();
    let response = router(admin).oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8_lossy(&body).into_owned())
}

fn broken() -> Readiness {
    let mut readiness = Readiness::new(CancellationToken::new());
    readiness.check("orders database", async || Err("connection refused".into()));
    readiness
}

#[tokio::test]
async fn a_process_lives_though_its_database_is_away() {
    let (status, _) = ask(broken(), "GET", "/livez", "").await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn readiness_names_what_is_not_ready() {
    let (status, body) = ask(broken(), "GET", "/readyz", "").await;
    assert_eq!(status, 503);
    let report: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(report["ready"], false);
    assert_eq!(report["checks"][0]["name"], "orders database");
    assert_eq!(report["checks"][0]["detail"], "connection refused");
}

#[tokio::test]
async fn a_stopping_process_is_not_ready() {
    let stopping = CancellationToken::new();
    let ready = || Readiness::new(stopping.clone());
    assert_eq!(ask(ready(), "GET", "/readyz", "").await.0, 200);
    stopping.cancel();
    assert_eq!(ask(ready(), "GET", "/readyz", "").await.0, 503);
}

#[tokio::test]
async fn metrics_are_openmetrics_text() {
    let (status, body) = ask(broken(), "GET", "/metrics", "").await;
    assert_eq!(status, 200);
    assert!(body.ends_with("# EOF\n"), "{body}");
}

#[tokio::test]
async fn the_log_filter_is_changed_or_refused_with_a_sentence() {
    let (status, body) = ask(broken(), "PUT", "/log-level", "order=loud").await;
    assert_eq!(status, 400);
    assert!(body.contains("order=loud"), "{body}");
    let (status, _) = ask(broken(), "PUT", "/log-level", "info,order=debug\n").await;
    assert_eq!(status, 204);
}
