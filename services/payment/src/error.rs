//! How a request can fail, as the client sees it. Whatever it is, nothing has changed.

use axum::response::{IntoResponse, Response};
use chassis::Problem;
use http::StatusCode;

use crate::{
    api::cursor::InvalidCursor,
    limits::{AMOUNT_MAX_MINOR, AmountError, PAGE_MAX, PageLimitOutOfRange},
};

/// Why a request was not carried out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The user has not opened an account.
    #[error("You have no account yet.")]
    AccountNotFound,
    /// The amount is out of range.
    #[error("An amount is at least 1 and at most {AMOUNT_MAX_MINOR} minor units.")]
    Amount(#[from] AmountError),
    /// The balance would pass its ceiling.
    #[error("The balance would be larger than an account may hold.")]
    BalanceLimit,
    /// The idempotency key stands for another request.
    #[error("The Idempotency-Key was used for another request; use a new one.")]
    KeyReused,
    /// The page size is out of range.
    #[error("The limit is between 1 and {PAGE_MAX}.")]
    Limit(#[from] PageLimitOutOfRange),
    /// The cursor is not one of ours.
    #[error("A cursor is the next_cursor of an earlier page, unchanged.")]
    Cursor(#[from] InvalidCursor),
    /// The database did not do its part.
    #[error("the database could not be asked")]
    Database(#[from] sqlx::Error),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let detail = error.to_string();
        let unprocessable = |code, title| Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, title);
        let problem = match error {
            Error::Database(cause) => return cause.into(),
            Error::AccountNotFound => Self::new(
                StatusCode::NOT_FOUND,
                "account_not_found",
                "There is no account",
            ),
            Error::Amount(AmountError::NotPositive) => {
                unprocessable("amount_not_positive", "The amount is not positive")
            }
            Error::Amount(AmountError::TooLarge) => {
                unprocessable("amount_too_large", "The amount is too large")
            }
            Error::BalanceLimit => {
                unprocessable("balance_limit", "The account cannot hold that much")
            }
            Error::KeyReused => unprocessable(
                "idempotency_key_reused",
                "The Idempotency-Key stands for another request",
            ),
            Error::Limit(_) => unprocessable("limit_out_of_range", "The page size is out of range"),
            Error::Cursor(_) => unprocessable("cursor_invalid", "The cursor cannot be used"),
        };
        problem.detail(detail)
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        Problem::from(self).into_response()
    }
}
