//! How the original says that a request failed: `{"detail": …}`.

use axum::response::{IntoResponse, Response};
use chassis::{Problem, extract::Json};
use contracts::MoneyError;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::limits::AmountError;

/// Why a request was not carried out, as the original told it.
#[derive(Debug)]
pub(crate) enum Error {
    /// 404: no such account.
    NotFound,
    /// 422: the request cannot be meant.
    Invalid(String),
    /// Not the client's doing: told as everywhere else.
    Failed(Problem),
}

/// The original's error body.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OriginalError)]
pub(crate) struct Detail {
    detail: String,
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let (status, detail) = match self {
            Self::NotFound => (StatusCode::NOT_FOUND, "Not found".to_owned()),
            Self::Invalid(detail) => (StatusCode::UNPROCESSABLE_ENTITY, detail),
            Self::Failed(problem) => return problem.into_response(),
        };
        (status, Json(Detail { detail })).into_response()
    }
}

impl From<crate::error::Error> for Error {
    fn from(error: crate::error::Error) -> Self {
        match error {
            crate::error::Error::AccountNotFound => Self::NotFound,
            crate::error::Error::Database(cause) => Self::Failed(cause.into()),
            refused => Self::Invalid(refused.to_string()),
        }
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl From<MoneyError> for Error {
    fn from(_: MoneyError) -> Self {
        Self::Invalid("An amount is a JSON number of roubles with at most two decimals.".to_owned())
    }
}

impl From<AmountError> for Error {
    fn from(error: AmountError) -> Self {
        crate::error::Error::from(error).into()
    }
}
