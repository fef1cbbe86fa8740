//! The `Idempotency-Key` header: a client's name for one intended change, however often it is sent.

use axum::extract::FromRequestParts;
use http::{StatusCode, request::Parts};

use crate::Problem;

/// The longest key accepted.
const KEY_LENGTH_MAX: usize = 128;

/// Extractor: the key's text, 1 to 128 visible ASCII characters; 400 when it is missing or anything else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKeyHeader(pub String);

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKeyHeader {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut given = parts.headers.get_all("idempotency-key").iter();
        let key = given.next().ok_or_else(missing)?;
        let bytes = key.as_bytes();
        let valid =
            (1..=KEY_LENGTH_MAX).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic);
        match key.to_str() {
            Ok(text) if valid && given.next().is_none() => Ok(Self(text.to_owned())),
            _ => Err(invalid()),
        }
    }
}

fn missing() -> Problem {
    Problem::new(
        StatusCode::BAD_REQUEST,
        "idempotency_key_missing",
        "This request needs an Idempotency-Key",
    )
    .detail("Send Idempotency-Key with a new random value; repeat the value when you repeat the request.")
}

fn invalid() -> Problem {
    Problem::new(
        StatusCode::BAD_REQUEST,
        "idempotency_key_invalid",
        "The Idempotency-Key cannot be used",
    )
    .detail("An Idempotency-Key is one header of 1 to 128 visible ASCII characters.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::extract::Request;

    async fn extract(keys: &[&str]) -> Result<String, &'static str> {
        let mut request = Request::builder();
        for key in keys {
            request = request.header("Idempotency-Key", *key);
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        IdempotencyKeyHeader::from_request_parts(&mut parts, &())
            .await
            .map(|IdempotencyKeyHeader(key)| key)
            .map_err(|problem| problem.code())
    }

    #[tokio::test]
    async fn a_key_is_one_to_128_visible_ascii_characters() {
        let longest = "k".repeat(128);
        let too_long = "k".repeat(129);
        assert_eq!(extract(&["a-1"]).await, Ok("a-1".to_owned()));
        assert_eq!(extract(&[&longest]).await, Ok(longest.clone()));
        assert_eq!(extract(&[]).await, Err("idempotency_key_missing"));
        for key in ["", "a b", "ключ", &too_long] {
            assert_eq!(extract(&[key]).await, Err("idempotency_key_invalid"));
        }
        assert_eq!(extract(&["a", "b"]).await, Err("idempotency_key_invalid"));
    }
}
