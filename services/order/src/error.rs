//! What a client of the order service can be told when a request fails, and its one translation to problem details.

use axum::response::{IntoResponse, Response};
use chassis::Problem;
use http::StatusCode;
use messaging::{idempotency::InvalidKey, outbox::OutboxError};

use crate::{
    limits,
    load::Overload,
    order::{DescriptionError, PriceError},
    push::hub::TooMany,
    status::NotCancellable,
};

/// How a request fails.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("no such order")]
    OrderNotFound,
    #[error("the order cannot be cancelled")]
    NotCancellable(#[from] NotCancellable),
    #[error("the request does not say which version of the order it means")]
    IfMatchMissing,
    #[error("the order is at another version")]
    VersionMismatch,
    #[error("the description cannot be taken")]
    Description(#[from] DescriptionError),
    #[error("the amount cannot be taken")]
    Price(#[from] PriceError),
    #[error("the idempotency key cannot be used")]
    KeyInvalid(#[from] InvalidKey),
    #[error("the idempotency key stands for another request")]
    KeyReused,
    #[error("the limit is out of range")]
    LimitOutOfRange,
    #[error("the cursor cannot be read")]
    CursorInvalid,
    #[error("too many sockets are open")]
    TooManySockets(TooMany),
    /// The cause is logged where it was met, once for all whom it met.
    #[error("the request cannot be answered right now")]
    Unavailable,
    #[error("too much is under way")]
    Overloaded(#[from] Overload),
    #[error("the database failed the request")]
    Database(#[from] sqlx::Error),
    #[error("the event could not be appended")]
    Outbox(#[source] OutboxError),
}

impl From<OutboxError> for Error {
    fn from(error: OutboxError) -> Self {
        match error {
            OutboxError::Database(cause) => Self::Database(cause),
            other => Self::Outbox(other),
        }
    }
}

impl Error {
    /// Whether the same request may well succeed in a moment.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Database(cause) => chassis::problem::is_transient(cause),
            _ => false,
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let unprocessable = |code, title| Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, title);
        match error {
            Error::OrderNotFound => Self::new(
                StatusCode::NOT_FOUND,
                "order_not_found",
                "There is no such order",
            ),
            Error::NotCancellable(why) => {
                let code = match why {
                    NotCancellable::Undecided => "order_undecided",
                    NotCancellable::Refunding => "order_refunding",
                    NotCancellable::Cancelled => "order_cancelled",
                };
                Self::new(StatusCode::CONFLICT, code, "The order cannot be cancelled")
                    .detail(sentence(&why))
            }
            Error::IfMatchMissing => Self::new(
                StatusCode::PRECONDITION_REQUIRED,
                "if_match_missing",
                "The If-Match header is missing",
            )
            .detail("Send the ETag of the order as you know it."),
            Error::VersionMismatch => Self::new(
                StatusCode::PRECONDITION_FAILED,
                "version_mismatch",
                "The order has changed",
            )
            .detail("It is at another version than If-Match names: read it again."),
            Error::Description(why) => {
                let code = match why {
                    DescriptionError::Empty => "description_empty",
                    DescriptionError::TooLong => "description_too_long",
                    DescriptionError::Nul => "description_invalid",
                };
                unprocessable(code, "The description cannot be taken").detail(sentence(&why))
            }
            Error::Price(why) => {
                let code = match why {
                    PriceError::NotPositive => "amount_not_positive",
                    PriceError::TooLarge => "amount_too_large",
                };
                unprocessable(code, "The amount cannot be taken").detail(sentence(&why))
            }
            Error::KeyInvalid(why) => Self::new(
                StatusCode::BAD_REQUEST,
                "idempotency_key_invalid",
                "The Idempotency-Key cannot be used",
            )
            .detail(sentence(&why)),
            Error::KeyReused => unprocessable(
                "idempotency_key_reused",
                "The Idempotency-Key stands for another request",
            )
            .detail("Repeat a key only with the body it was first sent with."),
            Error::LimitOutOfRange => {
                unprocessable("limit_out_of_range", "The limit is out of range")
                    .detail(format!("A page has 1 to {} orders.", limits::LIST_MAX))
            }
            Error::CursorInvalid => unprocessable("cursor_invalid", "The cursor cannot be read")
                .detail("Use next_cursor of an earlier page as it is."),
            Error::Unavailable | Error::TooManySockets(TooMany::OfReplica) => Self::unavailable(),
            Error::TooManySockets(TooMany::OfUser) => Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too_many_sockets",
                "Too many open event streams",
            )
            .detail(format!(
                "A user may hold {} at once.",
                limits::SOCKETS_PER_USER
            )),
            Error::Overloaded(limit) => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "overloaded",
                "Too much is under way; nothing was done",
            )
            .detail(sentence(&limit))
            .retry_after(limit.retry_after()),
            Error::Database(cause) => cause.into(),
            Error::Outbox(_) => Self::internal(&error),
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        Problem::from(self).into_response()
    }
}

/// An error's text as a sentence: a capital first, a full stop last.
fn sentence(error: &dyn std::error::Error) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    let first = letters
        .next()
        .map(|letter| letter.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), letters.as_str())
}
