//! `POST /ops/v1/{service}/dead-letters/discard`: give dead letters up, with a reason in words.

use axum::extract::State;
use chassis::{Problem, extract::Json, identity::Operator};
use messaging::{
    consumer::Handler,
    dead_letter::{DiscardError, Discarded, Filter, MAX_LETTERS, discard},
    failure::Failure,
    operation::MAX_REASON_CHARS,
};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use utoipa::ToSchema;

use super::DeadLetterFilter;
use crate::ops::{OpsState, Settler, error::Error};

/// What to give up, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DiscardRequest)]
pub(crate) struct Request {
    /// Which: 1 to 1,000 of them, each by its number. There is no discarding by a filter.
    pub(crate) ids: Vec<i64>,
    /// Why, for the operators' log: 1 to 1,000 characters.
    pub(crate) reason: String,
}

/// What was given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = DiscardAnswer)]
pub(crate) struct Answer {
    /// How many dead letters were deleted. Those that were gone already do not count.
    pub(crate) letters: u64,
    /// How many valid events their service ended: an order that will not be paid is declined.
    pub(crate) ended: u64,
    /// Its record in the operators' log.
    pub(crate) operation_id: i64,
}

/// Discard dead letters
///
/// All or none of them. A valid order that is given up is declined, so that it ends; any other valid event must be
/// settled and is refused. Recorded in the operators' log.
#[utoipa::path(
    post,
    path = "/dead-letters/discard",
    tag = "operators",
    security(("session" = []), ("bearer" = [])),
    request_body = Request,
    responses(
        (status = 200, description = "Discarded", body = Answer),
        (status = 401, description = "`unauthenticated`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`: not an operator", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`discard_refused`: some of them must be settled", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`ids_out_of_range`, `discard_reason_invalid`, `invalid_body`",
            body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(in crate::ops) async fn discard_dead_letters(
    State(state): State<OpsState>,
    operator: Operator,
    Json(request): Json<Request>,
) -> Result<Json<Answer>, Error> {
    if request.ids.is_empty() {
        return Err(Error::IdsOutOfRange);
    }
    let filter = DeadLetterFilter {
        ids: request.ids,
        ..DeadLetterFilter::default()
    };
    let filter = filter.parse(state.service(), MAX_LETTERS)?;
    let by = &operator.name;
    let discarded = match &*state.settler {
        Settler::Order(handler) => run(&state.pool, handler, &filter, by, &request.reason).await?,
        Settler::Payment(handler) => {
            run(&state.pool, handler, &filter, by, &request.reason).await?
        }
    };
    tracing::info!(
        service = state.service().as_str(),
        operator = operator.name,
        letters = discarded.letters,
        "dead letters were discarded"
    );
    Ok(Json(Answer {
        letters: discarded.letters,
        ended: discarded.ended,
        operation_id: discarded.operation_id,
    }))
}

async fn run<H: Handler>(
    pool: &PgPool,
    handler: &H,
    filter: &Filter,
    by: &str,
    reason: &str,
) -> Result<Discarded, Error> {
    let mut tx = pool.begin().await?;
    let discarded = discard(&mut tx, handler, filter, by, reason).await?;
    tx.commit().await?;
    handler.committed(H::Effect::default());
    Ok(discarded)
}

impl From<DiscardError> for Error {
    fn from(error: DiscardError) -> Self {
        match error {
            DiscardError::Reason => Self::DiscardReason(MAX_REASON_CHARS),
            DiscardError::Refused(letters) => {
                let letters = letters
                    .iter()
                    .map(|letter| format!("{}: {}", letter.id, letter.why));
                Self::DiscardRefused(letters.collect::<Vec<_>>().join("; "))
            }
            DiscardError::Failed(Failure::Transient(cause) | Failure::Away(cause)) => {
                Self::Settling(cause)
            }
            DiscardError::Failed(Failure::Permanent(rejection)) => {
                Self::DiscardRefused(rejection.to_string())
            }
        }
    }
}
