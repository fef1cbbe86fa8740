//! `POST /ops/v1/{service}/dead-letters/cancel-redrive`: take a redrive back, as far as it has not come.

use axum::extract::State;
use chassis::{Problem, extract::Json, identity::Operator};
use messaging::dead_letter::{CancelRequest, MAX_LETTERS, cancel_redrive};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::DeadLetterFilter;
use crate::ops::{OpsState, error::Error};

/// Which redrives to take back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CancelRedriveRequest)]
pub(crate) struct Request {
    /// Of which dead letters.
    #[serde(default)]
    pub(crate) filter: DeadLetterFilter,
    /// Only what this request for a redrive has marked: its `request_id`.
    #[serde(rename = "request_id", skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<Uuid>,
    /// Why, for the operators' log: 1 to 1,000 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
}

/// What was taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = CancelRedriveAnswer)]
pub(crate) struct Answer {
    /// How many dead letters are not to be settled again any more: at most 10,000 in one request.
    pub(crate) letters: u64,
    /// Its record in the operators' log.
    pub(crate) operation_id: i64,
}

/// Take a redrive back
///
/// What is marked and not settled yet stays a dead letter, as if no redrive had been asked for. Recorded in the operators'
/// log.
#[utoipa::path(
    post,
    path = "/dead-letters/cancel-redrive",
    tag = "operators",
    security(("session" = []), ("bearer" = [])),
    request_body = Request,
    responses(
        (status = 200, description = "Taken back", body = Answer),
        (status = 401, description = "`unauthenticated`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`: not an operator", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`queue_unknown`, `reason_unknown`, `ids_out_of_range`, `redrive_reason_invalid`, `invalid_body`",
            body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(in crate::ops) async fn cancel_redrive_of_dead_letters(
    State(state): State<OpsState>,
    operator: Operator,
    Json(request): Json<Request>,
) -> Result<Json<Answer>, Error> {
    let filter = request.filter.parse(state.service(), MAX_LETTERS)?;
    let mut tx = state.pool.begin().await?;
    let asked = CancelRequest {
        filter: &filter,
        request_id: request.id,
        by: &operator.name,
        reason: request.reason.as_deref(),
    };
    let cancelled = cancel_redrive(&mut tx, &asked).await?;
    tx.commit().await?;
    tracing::info!(
        service = state.service().as_str(),
        operator = operator.name,
        letters = cancelled.letters,
        "a redrive was taken back"
    );
    Ok(Json(Answer {
        letters: cancelled.letters,
        operation_id: cancelled.operation_id,
    }))
}
