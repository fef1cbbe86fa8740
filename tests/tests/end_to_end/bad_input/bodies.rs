//! Bodies that are refused before anybody reads what stands in them.

use serde_json::json;
use tests::customer::rub;

use super::{customer, post, refuse, unchanged};

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
