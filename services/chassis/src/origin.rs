//! The origin check of a WebSocket upgrade: it is a GET, which the CSRF layer lets pass, yet it carries the cookie.

use http::{
    HeaderMap, StatusCode, Uri,
    header::{HOST, ORIGIN},
};

use crate::Problem;

/// Refuses with 403 `cross_origin` unless the request comes from our own page or from no browser at all
/// (`Origin` absent, or its authority equal to `Host`).
pub fn require_same(headers: &HeaderMap) -> Result<(), Problem> {
    let mut origins = headers.get_all(ORIGIN).iter();
    let Some(origin) = origins.next() else {
        return Ok(());
    };
    let origin: Option<Uri> = origin.to_str().ok().and_then(|origin| origin.parse().ok());
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let same = origin
        .as_ref()
        .and_then(Uri::authority)
        .zip(host)
        .is_some_and(|(authority, host)| authority.as_str().eq_ignore_ascii_case(host));
    if same && origins.next().is_none() {
        Ok(())
    } else {
        Err(refusal())
    }
}

/// 403 `cross_origin`.
pub(crate) const fn refusal() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "cross_origin",
        "The request comes from another site's page",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn allowed(host: &'static str, origin: Option<&'static str>) -> bool {
        let mut headers = HeaderMap::from_iter([(HOST, HeaderValue::from_static(host))]);
        if let Some(origin) = origin {
            headers.insert(ORIGIN, HeaderValue::from_static(origin));
        }
        require_same(&headers).is_ok()
    }

    #[test]
    fn our_own_page_and_programs_may_connect() {
        assert!(allowed("localhost:8080", Some("http://localhost:8080")));
        assert!(allowed("shop.example", Some("https://shop.example")));
        assert!(allowed("localhost:8080", None));
    }

    #[test]
    fn another_sites_page_may_not_connect() {
        for origin in [
            "http://localhost:8081",
            "http://evil.example",
            "null",
            "localhost:8080.evil.example",
            "http://localhost",
            "",
        ] {
            assert!(!allowed("localhost:8080", Some(origin)), "{origin}");
        }
    }
}
