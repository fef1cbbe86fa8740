//! How the original says that a request failed: `{"detail": …}`.

use axum::response::{IntoResponse, Response};
use chassis::{Problem, extract::Json};
use contracts::{MoneyError, id::UserIdNotPositive};
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    error::Error,
    load::Overload,
    order::{DescriptionError, PriceError},
};

/// How a request on the original's paths fails.
#[derive(Debug, thiserror::Error)]
pub(super) enum OriginalError {
    #[error("the body is not the JSON object this request wants")]
    Body,
    #[error(transparent)]
    UserId(#[from] UserIdNotPositive),
    #[error(transparent)]
    Amount(#[from] MoneyError),
    #[error(transparent)]
    Price(#[from] PriceError),
    #[error(transparent)]
    Description(#[from] DescriptionError),
    /// What the original never knew: told as everywhere else.
    #[error("the request failed")]
    Other(Problem),
}

/// The original's body of a failure.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OriginalFailure)]
pub(crate) struct Failure {
    /// What is wrong.
    detail: String,
}

impl From<sqlx::Error> for OriginalError {
    fn from(error: sqlx::Error) -> Self {
        Error::from(error).into()
    }
}

impl From<Overload> for OriginalError {
    fn from(overload: Overload) -> Self {
        Error::from(overload).into()
    }
}

impl From<Error> for OriginalError {
    fn from(error: Error) -> Self {
        Self::Other(error.into())
    }
}

impl IntoResponse for OriginalError {
    fn into_response(self) -> Response {
        let detail = match self {
            Self::Other(problem) => return problem.into_response(),
            refused => refused.to_string(),
        };
        (StatusCode::UNPROCESSABLE_ENTITY, Json(Failure { detail })).into_response()
    }
}
