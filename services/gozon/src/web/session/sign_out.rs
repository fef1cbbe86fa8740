//! `DELETE /api/v1/session`: the browser forgets its session.

use axum::{
    http::{HeaderMap, StatusCode, header::SET_COOKIE},
    response::{AppendHeaders, IntoResponse},
};

use super::cookie;

/// Sign out
///
/// The cookie is cleared. A token stays valid until it expires.
#[utoipa::path(
    delete,
    path = "/api/v1/session",
    tag = "session",
    responses((status = 204, description = "Signed out"))
)]
pub(crate) async fn sign_out(headers: HeaderMap) -> impl IntoResponse {
    let cookie = cookie::cleared(&headers);
    (
        StatusCode::NO_CONTENT,
        AppendHeaders([(SET_COOKIE, cookie)]),
    )
}
