//! A JSON body: refused as 415, 400 (not JSON) or 422 (JSON of another shape).

use axum::{
    body::Bytes,
    extract::{FromRequest, OptionalFromRequest, Request},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode, header::CONTENT_TYPE};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use crate::Problem;

/// Extractor and answer: a JSON body. `Option<Json<T>>` also takes a request without a body.
#[derive(Debug, Clone, Copy, Default)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(unsupported_media_type());
        }
        parse(&body(request, state).await?)
    }
}

impl<T: DeserializeOwned, S: Send + Sync> OptionalFromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, Problem> {
        let is_json = is_json(request.headers());
        let body = body(request, state).await?;
        if body.is_empty() {
            Ok(None)
        } else if is_json {
            parse(&body).map(Some)
        } else {
            Err(unsupported_media_type())
        }
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

/// The whole body; its limits and deadline are the work of [`crate::http`].
async fn body<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    Bytes::from_request(request, state)
        .await
        .map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => crate::http::body_too_large(),
            _ => crate::http::body_incomplete(),
        })
}

fn is_json(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| {
            let essence = value.split(';').next().unwrap_or_default().trim();
            essence.eq_ignore_ascii_case("application/json")
        })
}

/// First whether it is JSON at all, then whether it has the shape: so each gets its own code, whichever comes first in
/// the text.
fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<Json<T>, Problem> {
    let raw: &RawValue = serde_json::from_slice(body).map_err(|error| malformed_json(&error))?;
    // An array would do for a struct in serde's eyes, its fields by position.
    if !raw.get().starts_with('{') {
        return Err(invalid_body("the body is not an object".to_owned()));
    }
    serde_json::from_str(raw.get())
        .map(Json)
        .map_err(|error| invalid_body(error.to_string()))
}

fn malformed_json(error: &serde_json::Error) -> Problem {
    Problem::new(
        StatusCode::BAD_REQUEST,
        "malformed_json",
        "The body is not JSON",
    )
    .detail(error.to_string())
}

fn invalid_body(detail: String) -> Problem {
    Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "invalid_body",
        "The body has another shape than this request wants",
    )
    .detail(detail)
}

fn unsupported_media_type() -> Problem {
    Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported_media_type",
        "The body's content type is not supported",
    )
    .detail("Send JSON as Content-Type: application/json.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Purchase {
        #[allow(dead_code, reason = "only its parsing is tested")]
        amount: i64,
    }

    async fn refusal(content_type: &str, body: &str) -> (u16, &'static str) {
        let request = Request::builder()
            .header(CONTENT_TYPE, content_type)
            .body(Body::from(body.to_owned()))
            .unwrap();
        let problem = <Json<Purchase> as FromRequest<()>>::from_request(request, &())
            .await
            .expect_err(body);
        (problem.status().as_u16(), problem.code())
    }

    #[tokio::test]
    async fn a_body_that_is_not_json_is_a_400() {
        let deep = "[".repeat(10_000);
        for body in ["", "{", "{\"amount\": NaN}", "{\"amount\":1} {}", &deep] {
            assert_eq!(
                refusal("application/json", body).await,
                (400, "malformed_json")
            );
        }
    }

    #[tokio::test]
    async fn json_of_another_shape_is_a_422() {
        let deep = format!("{{\"amount\":{}{}}}", "[".repeat(5_000), "]".repeat(5_000));
        for body in [
            deep.as_str(),
            "null",
            "[1]",
            "{}",
            "{\"amount\": \"1\"}",
            "{\"amount\": 1.5}",
            "{\"amount\": 1e400}",
            "{\"amount\": 1000000000000000000000000000000}",
            "{\"amount\": 1, \"colour\": \"blue\"}",
        ] {
            assert_eq!(
                refusal("application/json", body).await,
                (422, "invalid_body")
            );
        }
    }

    #[tokio::test]
    async fn another_content_type_is_a_415() {
        for content_type in ["text/plain", "", "application/jsonp"] {
            assert_eq!(
                refusal(content_type, "{\"amount\": 1}").await,
                (415, "unsupported_media_type")
            );
        }
    }

    #[tokio::test]
    async fn an_optional_body_may_be_absent_but_not_wrong() {
        let optional = |body: &'static str, content_type: Option<&str>| {
            let mut request = Request::builder();
            if let Some(content_type) = content_type {
                request = request.header(CONTENT_TYPE, content_type);
            }
            let request = request.body(Body::from(body)).unwrap();
            <Json<Purchase> as OptionalFromRequest<()>>::from_request(request, &())
        };
        assert!(optional("", None).await.unwrap().is_none());
        assert!(
            optional("", Some("application/json"))
                .await
                .unwrap()
                .is_none()
        );
        let json = Some("application/json; charset=utf-8");
        assert!(optional("{\"amount\": 1}", json).await.unwrap().is_some());
        assert_eq!(
            optional("{}", None).await.unwrap_err().code(),
            "unsupported_media_type"
        );
    }
}
