//! The headers that tell a browser what our documents may do, which is little.

use axum::{
    Router,
    http::{
        HeaderValue,
        header::{
            CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
            X_FRAME_OPTIONS,
        },
    },
};
use tower_http::set_header::SetResponseHeaderLayer;

/// The page: everything from us, nothing inline, in nobody's frame.
pub(super) const PAGE_POLICY: &str = "default-src 'self'; base-uri 'none'; form-action 'self'; \
                                      frame-ancestors 'none'; object-src 'none'";

/// The documentation: Swagger UI also sets styles inline and draws its icons from `data:` addresses.
pub(super) const DOCS_POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; \
                                      img-src 'self' data:; base-uri 'none'; form-action 'self'; \
                                      frame-ancestors 'none'; object-src 'none'";

/// Puts a document's security headers around its routes.
pub(super) fn secured(router: Router, content_policy: &'static str) -> Router {
    let headers = [
        (CONTENT_SECURITY_POLICY, content_policy),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "same-origin"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("permissions-policy"),
            "camera=(), geolocation=(), microphone=(), payment=()",
        ),
    ];
    headers.into_iter().fold(router, |router, (name, value)| {
        let value = HeaderValue::from_static(value);
        router.layer(SetResponseHeaderLayer::overriding(name, value))
    })
}
