//! The page's addresses, whether the page is built or not.

use axum::http::Request;
use http_body_util::BodyExt;
use tower::ServiceExt;

use super::*;

async fn ask(method: &str, path: &str, accept: &str) -> Response {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(ACCEPT, accept)
        .body(Body::empty())
        .unwrap();
    router().oneshot(request).await.unwrap()
}

#[tokio::test]
async fn an_unknown_address_of_an_api_is_a_problem_and_never_the_page() {
    for path in ["/api", "/api/", "/api/v1/nothing", "/ops/v1", "/ws/1"] {
        let response = ask("GET", path, "text/html").await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
        assert_eq!(
            response.headers()[CONTENT_TYPE],
            "application/problem+json",
            "{path}"
        );
    }
}

#[tokio::test]
async fn the_page_answers_where_a_person_goes_and_nowhere_else() {
    for path in ["/", "/orders/1", "/ops", "/apix"] {
        let response = ask("GET", path, "text/html,*/*;q=0.8").await;
        // 503 says that the page was not built into this test.
        let expected = if Files::get(INDEX).is_some() {
            200
        } else {
            503
        };
        assert_eq!(response.status().as_u16(), expected, "{path}");
        let content_type = response.headers()[CONTENT_TYPE].to_str().unwrap();
        assert!(content_type.starts_with("text/html"), "{content_type}");
    }
    for (method, path, accept) in [
        ("GET", "/assets/nothing.js", "*/*"),
        ("GET", "/../Cargo.toml", "*/*"),
        ("GET", "/%2e%2e/Cargo.toml", "*/*"),
        ("POST", "/", "text/html"),
    ] {
        let response = ask(method, path, accept).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{method} {path}");
    }
}

#[tokio::test]
async fn the_page_may_load_nothing_from_elsewhere() {
    let response = ask("GET", "/", "text/html").await;
    let policy = response.headers()["content-security-policy"]
        .to_str()
        .unwrap();
    assert!(policy.starts_with("default-src 'self';"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(response.headers()["x-content-type-options"], "nosniff");
}

fn file(contents: &'static [u8]) -> EmbeddedFile {
    let bytes: &[u8; 32] = &[7; 32];
    EmbeddedFile {
        data: Cow::Borrowed(contents),
        metadata: rust_embed::Metadata::__rust_embed_new(*bytes, None, None, "text/javascript"),
    }
}

#[tokio::test]
async fn hashed_files_are_kept_for_ever_and_the_index_is_asked_for_each_time() {
    let caching = |name: &str| {
        let response = answer(name, &file(b"x"), &HeaderMap::new());
        response.headers()[CACHE_CONTROL]
            .to_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(
        caching("assets/app-3f2a.js"),
        "public, max-age=31536000, immutable"
    );
    assert_eq!(caching("index.html"), "no-cache");
}

#[tokio::test]
async fn an_unchanged_file_is_not_sent_again() {
    let first = answer(INDEX, &file(b"x"), &HeaderMap::new());
    let headers = HeaderMap::from_iter([(IF_NONE_MATCH, first.headers()[ETAG].clone())]);
    let second = answer(INDEX, &file(b"x"), &headers);
    assert_eq!(second.status(), StatusCode::NOT_MODIFIED);
    let body = second.into_body().collect().await.unwrap().to_bytes();
    assert!(body.is_empty());
}
