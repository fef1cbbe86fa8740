//! Parameters of the query: what does not parse is a 422.

use axum::extract::FromRequestParts;
use http::{StatusCode, request::Parts};
use serde::de::DeserializeOwned;

use crate::Problem;

/// Extractor: the query's parameters.
#[derive(Debug, Clone, Copy, Default)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        axum::extract::Query::try_from_uri(&parts.uri)
            .map(|axum::extract::Query(parameters)| Self(parameters))
            .map_err(|rejection| {
                Problem::new(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    "invalid_query",
                    "The query has other parameters than this request wants",
                )
                .detail(rejection.body_text())
            })
    }
}
