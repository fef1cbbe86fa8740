//! What a client is told when a request fails: `application/problem+json` (RFC 9457), made in this one place.
//!
//! A [`Problem`] travels in the response's extensions until the outermost layer ([`crate::trace`]) writes the
//! request's trace id into its body, so no handler has to know the trace id to fail.

use std::{borrow::Cow, error::Error, time::Duration};

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::{
    HeaderValue, StatusCode,
    header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER},
};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use crate::chain;

mod database;

pub use database::is_transient;

/// The media type of every problem.
pub const CONTENT_TYPE_PROBLEM: &str = "application/problem+json";

/// Problem details: a stable `code` for programs, a title and a sentence for people.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(description = "Problem details (RFC 9457)")]
pub struct Problem {
    /// Always `about:blank`: what distinguishes problems is their `code`.
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "about:blank")]
    kind: &'static str,
    /// What kind of problem this is, in a few words.
    #[schema(value_type = String)]
    title: &'static str,
    /// The HTTP status, once more.
    #[serde(serialize_with = "as_number")]
    #[schema(value_type = u16, example = 404)]
    status: StatusCode,
    /// Stable name of the problem, `snake_case`.
    #[schema(value_type = String, example = "order_not_found")]
    code: &'static str,
    /// What is wrong with this request.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    detail: Option<Cow<'static, str>>,
    /// The request's trace, to be quoted when asking for help.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "0af7651916cd43dd8448eb211c80319c")]
    trace_id: Option<String>,
    #[serde(skip)]
    retry_after: Option<Duration>,
}

impl Problem {
    /// A problem with its status, stable code and title.
    #[must_use]
    pub const fn new(status: StatusCode, code: &'static str, title: &'static str) -> Self {
        Self {
            kind: "about:blank",
            title,
            status,
            code,
            detail: None,
            trace_id: None,
            retry_after: None,
        }
    }

    /// Adds the sentence that says what is wrong with this request.
    #[must_use]
    pub fn detail(self, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            detail: Some(detail.into()),
            ..self
        }
    }

    /// Adds `Retry-After`, in whole seconds, at least one.
    #[must_use]
    pub fn retry_after(self, wait: Duration) -> Self {
        Self {
            retry_after: Some(wait),
            ..self
        }
    }

    /// 404 `not_found`.
    #[must_use]
    pub const fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not_found",
            "There is nothing at this address",
        )
    }

    /// 401 `unauthenticated`.
    #[must_use]
    pub const fn unauthenticated() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "unauthenticated",
            "Sign in first: no valid session or bearer token",
        )
    }

    /// 403 `forbidden`.
    #[must_use]
    pub const fn forbidden() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "forbidden",
            "This is not allowed to you",
        )
    }

    /// 503 `unavailable`, to be tried again in a second.
    #[must_use]
    pub fn unavailable() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "The service cannot answer right now",
        )
        .retry_after(Duration::from_secs(1))
    }

    /// 500 `internal` for what the client cannot help; logs the error with all its causes, this once.
    #[must_use]
    pub fn internal(error: &(dyn Error + 'static)) -> Self {
        tracing::error!(error = %chain(error), "a request failed");
        Self::unexplained()
    }

    /// 500 `internal` for what was logged already.
    pub(crate) const fn unexplained() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "Something went wrong on our side",
        )
    }

    /// The HTTP status.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.code
    }

    /// Writes this problem into `response`, whose other headers (`Allow`, say) stay.
    pub(crate) fn write_to(mut self, response: &mut Response, trace_id: Option<String>) {
        self.trace_id = trace_id;
        let body = serde_json::to_vec(&self).expect("a problem is plain text and numbers");
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.remove(CONTENT_LENGTH);
        // What it replaces may have been compressed already; this is not.
        headers.remove(CONTENT_ENCODING);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE_PROBLEM));
        if let Some(wait) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
        }
        response.extensions_mut().insert(self);
        *response.body_mut() = Body::from(body);
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = Response::default();
        self.write_to(&mut response, None);
        response
    }
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde's serialize_with passes a reference"
)]
fn as_number<S: Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;

    #[tokio::test]
    async fn a_problem_is_problem_json_with_its_code() {
        let response = Problem::unavailable().detail("Wait.").into_response();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()[CONTENT_TYPE], CONTENT_TYPE_PROBLEM);
        assert_eq!(response.headers()[RETRY_AFTER], "1");
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let json: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(json["type"], "about:blank");
        assert_eq!(json["status"], 503);
        assert_eq!(json["code"], "unavailable");
        assert_eq!(json["detail"], "Wait.");
    }

    #[tokio::test]
    async fn an_internal_error_does_not_reach_the_client() {
        let cause = std::io::Error::other("password authentication failed");
        let body = Problem::internal(&cause).into_response().into_body();
        let body = body.collect().await.unwrap().to_bytes();
        assert!(!String::from_utf8_lossy(&body).contains("password"));
    }
}
