//! The net under all handlers: a failure that is no problem yet (axum's own rejections, 404 and 405) becomes one.

use axum::{extract::Request, middleware::Next, response::Response};
use http::{HeaderMap, StatusCode, header::CONTENT_TYPE};

use crate::Problem;

/// Gives every bare failure its problem.
pub(super) async fn layer(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let status = response.status();
    let failed = status.is_client_error() || status.is_server_error();
    if failed && is_bare(response.headers()) {
        of(status).write_to(&mut response, None);
    }
    response
}

/// A failure without a body, or with a line of plain text, was written by a library and not by us.
fn is_bare(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .is_none_or(|value| value.as_bytes().starts_with(b"text/plain"))
}

fn of(status: StatusCode) -> Problem {
    let (code, title) = match status {
        StatusCode::BAD_REQUEST => ("bad_request", "The request cannot be understood"),
        StatusCode::UNAUTHORIZED => return Problem::unauthenticated(),
        StatusCode::FORBIDDEN => return Problem::forbidden(),
        StatusCode::NOT_FOUND => return Problem::not_found(),
        StatusCode::METHOD_NOT_ALLOWED => (
            "method_not_allowed",
            "This address does not take this method",
        ),
        StatusCode::REQUEST_TIMEOUT | StatusCode::GATEWAY_TIMEOUT => {
            ("timeout", "The request took too long")
        }
        StatusCode::PAYLOAD_TOO_LARGE => return super::body_too_large(),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => (
            "unsupported_media_type",
            "The body's content type is not supported",
        ),
        StatusCode::UNPROCESSABLE_ENTITY => ("invalid_request", "The request has another shape"),
        StatusCode::UPGRADE_REQUIRED => ("upgrade_required", "This address speaks WebSocket"),
        StatusCode::SERVICE_UNAVAILABLE => return Problem::unavailable(),
        status if status.is_client_error() => ("refused", "The request was refused"),
        _ => return Problem::unexplained(),
    };
    Problem::new(status, code, title)
}
