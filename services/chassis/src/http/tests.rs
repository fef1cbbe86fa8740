//! The common layers around a small router.

use std::time::Duration;

use axum::{
    body::{Body, Bytes},
    response::Html,
    routing::{get, post},
};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;
use prometheus_client::registry::Registry;
use serde_json::Value;
use tower::ServiceExt;

use super::*;
use crate::Problem;

const OPTIONS: TraceOptions = TraceOptions::unrecorded("test");

fn app() -> Router {
    let router = Router::new()
        .route("/length", post(async |body: Bytes| body.len().to_string()))
        .route("/number/{number}", get(number))
        .route(
            "/panic",
            get(async || -> &'static str { panic!("on purpose") }),
        )
        .route("/slow", get(std::future::pending::<String>))
        .route(
            "/original",
            get(async || {
                let detail = serde_json::json!({"detail": "Not found"});
                (StatusCode::NOT_FOUND, axum::Json(detail))
            }),
        )
        .route(
            "/compressed",
            get(async || ([("content-encoding", "gzip")], Problem::not_found())),
        )
        .route(
            "/page",
            get(async || (StatusCode::SERVICE_UNAVAILABLE, Html("not built"))),
        );
    finish(
        router,
        &HttpMetrics::register(&mut Registry::default()),
        OPTIONS,
    )
}

async fn number(axum::extract::Path(number): axum::extract::Path<u32>) -> String {
    number.to_string()
}

async fn answer(request: Request<Body>) -> (StatusCode, HeaderMap, Bytes) {
    let response = app().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    (
        parts.status,
        parts.headers,
        body.collect().await.unwrap().to_bytes(),
    )
}

fn request(method: Method, path: &str) -> http::request::Builder {
    Request::builder().method(method).uri(path)
}

/// Sends a request that must be refused with a problem of this status and code, and returns the headers.
async fn check_problem(request: Request<Body>, status: u16, code: &str) -> HeaderMap {
    let (answered, headers, body) = answer(request).await;
    let problem: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(answered.as_u16(), status, "{problem}");
    assert_eq!(headers["content-type"], "application/problem+json");
    assert_eq!(problem["status"], status);
    assert_eq!(problem["code"], code);
    assert_eq!(problem["trace_id"], headers["trace-id"].to_str().unwrap());
    headers
}

fn empty(method: Method, path: &str) -> Request<Body> {
    request(method, path).body(Body::empty()).unwrap()
}

#[tokio::test]
async fn an_unknown_address_is_a_404_problem() {
    check_problem(empty(Method::GET, "/nowhere"), 404, "not_found").await;
}

/// A layer inside compresses what a problem, with its trace, then replaces.
#[tokio::test]
async fn a_problem_is_not_said_to_be_compressed_when_it_is_not() {
    let request = empty(Method::GET, "/compressed");
    let headers = check_problem(request, 404, "not_found").await;
    assert!(!headers.contains_key("content-encoding"), "{headers:?}");
}

#[tokio::test]
async fn a_wrong_method_is_a_405_problem_that_says_which_are_right() {
    let headers = check_problem(empty(Method::DELETE, "/length"), 405, "method_not_allowed").await;
    assert_eq!(headers["allow"], "POST");
}

#[tokio::test]
async fn a_rejection_by_axum_is_a_problem() {
    check_problem(empty(Method::GET, "/number/x"), 400, "bad_request").await;
}

#[tokio::test]
async fn a_panic_is_a_500_problem() {
    check_problem(empty(Method::GET, "/panic"), 500, "internal").await;
}

#[tokio::test(start_paused = true)]
async fn a_slow_handler_is_a_504_problem() {
    check_problem(empty(Method::GET, "/slow"), 504, "timeout").await;
}

#[tokio::test]
async fn answers_that_explain_themselves_are_left_alone() {
    let (status, headers, body) = answer(empty(Method::GET, "/original")).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_eq!(headers["content-type"], "application/json");
    assert_eq!(body, r#"{"detail":"Not found"}"#);
    let (_, _, body) = answer(empty(Method::GET, "/page")).await;
    assert_eq!(body, "not built");
}

#[tokio::test]
async fn a_body_may_have_16_kib_and_not_a_byte_more() {
    let post = |length: usize| {
        request(Method::POST, "/length")
            .body(Body::from(vec![b'x'; length]))
            .unwrap()
    };
    let (status, _, body) = answer(post(BODY_BYTES_MAX)).await;
    assert_eq!((status, body), (StatusCode::OK, Bytes::from("16384")));
    check_problem(post(BODY_BYTES_MAX + 1), 413, "body_too_large").await;
    check_problem(post(8 * 1024 * 1024), 413, "body_too_large").await;
}

#[tokio::test(start_paused = true)]
async fn a_body_that_trickles_is_a_408_problem() {
    let drops = futures_util::stream::unfold((), async |()| {
        tokio::time::sleep(Duration::from_secs(1)).await;
        Some((Ok::<_, std::io::Error>(Bytes::from_static(b"x")), ()))
    });
    let trickle = request(Method::POST, "/length")
        .body(Body::from_stream(Box::pin(drops)))
        .unwrap();
    check_problem(trickle, 408, "body_too_slow").await;
}

#[tokio::test]
async fn a_change_from_another_sites_page_is_refused() {
    let post = |headers: &[(&str, &str)]| {
        let mut request = request(Method::POST, "/length").header("host", "shop.example");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(Body::empty()).unwrap()
    };
    for headers in [
        &[("sec-fetch-site", "cross-site")][..],
        &[("sec-fetch-site", "same-site")],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
    ] {
        check_problem(post(headers), 403, "cross_origin").await;
    }
    for headers in [
        &[][..],
        &[("sec-fetch-site", "same-origin")],
        &[("origin", "https://shop.example")],
    ] {
        let (status, _, _) = answer(post(headers)).await;
        assert_eq!(status, StatusCode::OK, "{headers:?}");
    }
}

#[tokio::test]
async fn a_clients_trace_is_continued_in_answer_and_problem() {
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let continued = request(Method::GET, "/nowhere")
        .header("traceparent", parent)
        .body(Body::empty())
        .unwrap();
    let headers = check_problem(continued, 404, "not_found").await;
    assert_eq!(headers["trace-id"], "0af7651916cd43dd8448eb211c80319c");
}

#[tokio::test]
async fn an_answer_is_nobody_elses_and_never_sniffed() {
    let (_, headers, _) = answer(empty(Method::GET, "/number/1")).await;
    assert_eq!(headers["cache-control"], "private, no-cache");
    assert_eq!(headers["x-content-type-options"], "nosniff");
}

#[tokio::test]
async fn requests_are_counted_by_route_and_not_by_address() {
    let mut registry = Registry::default();
    let router = Router::new().route("/number/{number}", get(number));
    let app = finish(router, &HttpMetrics::register(&mut registry), OPTIONS);
    for path in ["/number/1", "/number/2", "/nowhere/3", "/nowhere/4"] {
        app.clone().oneshot(empty(Method::GET, path)).await.unwrap();
    }
    let text = crate::metrics::text(&registry).unwrap();
    let count = |route: &str, status: u16| {
        format!(
            "http_server_request_duration_seconds_count{{http_request_method=\"GET\",\
             http_route=\"{route}\",http_response_status_code=\"{status}\"}} 2"
        )
    };
    assert!(text.contains(&count("/number/{number}", 200)), "{text}");
    assert!(text.contains(&count("other", 404)), "{text}");
}
