//! What an operator can be told when a request fails, and its one translation to problem details.

use axum::response::{IntoResponse, Response};
use chassis::Problem;
use http::StatusCode;
use messaging::{dead_letter::MAX_LETTERS, failure::ReasonClass, operation};

use super::dead_letters::{IDS_MAX, PAGE_MAX, RATE_MAX};

/// How a request fails. Nothing has changed then.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("no such dead letter")]
    DeadLetterNotFound,
    #[error("no such order")]
    OrderNotFound,
    #[error("another service consumes that queue")]
    QueueUnknown(&'static str),
    #[error("no such reason")]
    ReasonUnknown,
    #[error("the page size is out of range")]
    PageOutOfRange,
    #[error("the limit is out of range")]
    LimitOutOfRange,
    #[error("the rate is out of range")]
    RateOutOfRange,
    #[error("too many ids, or one that is none")]
    IdsOutOfRange,
    #[error("the reason to discard is missing or too long")]
    DiscardReason(usize),
    #[error("the reason to redrive is empty or too long")]
    RedriveReason(usize),
    #[error("another request came under this id")]
    RequestIdTaken,
    #[error("some of the dead letters may not be discarded")]
    DiscardRefused(String),
    #[error("the service could not end what an event asked for")]
    Settling(#[source] messaging::failure::BoxError),
    #[error("the events cannot be read")]
    EventsInvalid,
    #[error("the database failed the request")]
    Database(#[from] sqlx::Error),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let unprocessable = |code, title, detail: String| {
            Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, title).detail(detail)
        };
        let not_found = |code, title| Self::new(StatusCode::NOT_FOUND, code, title);
        match error {
            Error::DeadLetterNotFound => {
                not_found("dead_letter_not_found", "There is no such dead letter").detail(
                    "It was settled or discarded, or it is the other service's. List them anew.",
                )
            }
            Error::OrderNotFound => not_found("order_not_found", "There is no such order"),
            Error::QueueUnknown(queue) => unprocessable(
                "queue_unknown",
                "This service does not consume that queue",
                format!("Its queue is {queue}."),
            ),
            Error::ReasonUnknown => unprocessable(
                "reason_unknown",
                "There is no such reason",
                format!(
                    "One of {}.",
                    ReasonClass::ALL.map(ReasonClass::as_str).join(", ")
                ),
            ),
            Error::PageOutOfRange => unprocessable(
                "limit_out_of_range",
                "The page size is out of range",
                format!(
                    "A page has 1 to {PAGE_MAX} dead letters, or 1 to {} operations.",
                    operation::MAX_PAGE
                ),
            ),
            Error::LimitOutOfRange => unprocessable(
                "limit_out_of_range",
                "The limit is out of range",
                format!("1 to {MAX_LETTERS} dead letters at once."),
            ),
            Error::RateOutOfRange => unprocessable(
                "rate_out_of_range",
                "The rate is out of range",
                format!("1 to {RATE_MAX} dead letters per second."),
            ),
            Error::IdsOutOfRange => unprocessable(
                "ids_out_of_range",
                "The ids cannot be taken",
                format!("At most {IDS_MAX} positive whole numbers."),
            ),
            Error::DiscardReason(longest) => unprocessable(
                "discard_reason_invalid",
                "Discarding needs a reason",
                format!("1 to {longest} characters."),
            ),
            Error::RedriveReason(longest) => unprocessable(
                "redrive_reason_invalid",
                "A reason to redrive has to say something",
                format!("1 to {longest} characters, or none at all."),
            ),
            Error::RequestIdTaken => unprocessable(
                "request_id_taken",
                "Another request came under this id",
                "The operators' log has it; a new request needs a new id.".to_owned(),
            ),
            Error::DiscardRefused(why) => Self::new(
                StatusCode::CONFLICT,
                "discard_refused",
                "Some of them must be settled, so none was discarded",
            )
            .detail(why),
            Error::Settling(cause) => match cause.downcast::<sqlx::Error>() {
                Ok(cause) => (*cause).into(),
                Err(cause) => Self::internal(&*cause),
            },
            Error::EventsInvalid => unprocessable(
                "events_invalid",
                "The events cannot be read",
                format!(
                    "At most {} UUIDs with commas between them.",
                    super::trace::EVENTS_MAX
                ),
            ),
            Error::Database(cause) => cause.into(),
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        Problem::from(self).into_response()
    }
}
