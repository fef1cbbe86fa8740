//! Where a request carries its session: `Authorization: Bearer`, else the cookie.

use http::{
    HeaderMap,
    header::{AUTHORIZATION, COOKIE},
};

/// The cookie that carries a session.
pub const SESSION_COOKIE: &str = "gozon_session";

/// The session token of a request. A bearer token counts before the cookie, even if it is no good: who sends one
/// means it.
pub(super) fn session_token(headers: &HeaderMap) -> Option<&str> {
    match headers.get(AUTHORIZATION) {
        Some(value) => bearer(value.to_str().ok()?),
        None => cookie(headers),
    }
}

fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(name, value)| (name == SESSION_COOKIE).then_some(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};

    fn token(headers: &[(HeaderName, &'static str)]) -> Option<String> {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.clone(), HeaderValue::from_static(value)))
            .collect();
        session_token(&headers).map(str::to_owned)
    }

    #[test]
    fn a_session_comes_from_bearer_or_cookie() {
        assert_eq!(token(&[(AUTHORIZATION, "Bearer abc")]), Some("abc".into()));
        assert_eq!(token(&[(AUTHORIZATION, "bearer abc")]), Some("abc".into()));
        assert_eq!(
            token(&[(COOKIE, "theme=dark; gozon_session=abc")]),
            Some("abc".into())
        );
        assert_eq!(
            token(&[(AUTHORIZATION, "Bearer abc"), (COOKIE, "gozon_session=def")]),
            Some("abc".into())
        );
        assert_eq!(token(&[(COOKIE, "not_gozon_session=abc")]), None);
        assert_eq!(token(&[(AUTHORIZATION, "Basic abc")]), None);
        assert_eq!(token(&[]), None);
    }
}
