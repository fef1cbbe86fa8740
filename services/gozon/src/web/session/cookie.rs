//! The session cookie: out of reach of scripts, of other sites, and of plain HTTP where the page came by HTTPS.

use std::time::Duration;

use axum::http::HeaderMap;
use chassis::identity::SESSION_COOKIE;

/// `Set-Cookie` that carries a session.
pub(super) fn carrying(token: &str, lifetime: Duration, headers: &HeaderMap) -> String {
    let secure = secure(headers);
    let seconds = lifetime.as_secs();
    format!(
        "{SESSION_COOKIE}={token}; Max-Age={seconds}; HttpOnly; SameSite=Strict; Path=/{secure}"
    )
}

/// `Set-Cookie` that ends it.
pub(super) fn cleared(headers: &HeaderMap) -> String {
    let secure = secure(headers);
    format!("{SESSION_COOKIE}=; Max-Age=0; HttpOnly; SameSite=Strict; Path=/{secure}")
}

/// TLS ends before us; whoever ends it says so. A client that lies only makes its own cookie stricter.
fn secure(headers: &HeaderMap) -> &'static str {
    let https = headers
        .get("x-forwarded-proto")
        .is_some_and(|scheme| scheme == "https");
    if https { "; Secure" } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn the_cookie_is_secure_where_the_page_is() {
        let mut headers = HeaderMap::new();
        assert_eq!(
            carrying("abc", Duration::from_hours(1), &headers),
            "gozon_session=abc; Max-Age=3600; HttpOnly; SameSite=Strict; Path=/"
        );
        headers.insert("x-forwarded-proto", HeaderValue::from_static("https"));
        assert!(cleared(&headers).ends_with("; Secure"));
    }
}
