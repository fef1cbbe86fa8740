//! `POST /ops/v1/{service}/dead-letters/redrive`: have the service settle dead letters again, or see what that would do.

use std::num::NonZeroU32;

use axum::extract::State;
use chassis::{Problem, extract::Json, identity::Operator};
use messaging::{
    dead_letter::{DEFAULT_LETTERS, Plan, RedriveError, RedriveRequest, plan_redrive, redrive},
    operation::MAX_REASON_CHARS,
};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{DeadLetter, DeadLetterCount, DeadLetterFilter, RATE_MAX};
use crate::ops::{OpsState, error::Error};

/// How many dead letters per second when nothing is said.
const RATE: u32 = 50;

/// What to settle again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RedriveRequest)]
pub(crate) struct Request {
    /// Which.
    #[serde(default)]
    pub(crate) filter: DeadLetterFilter,
    /// How many at most, oldest first: 1 to 10,000, 100 if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) limit: Option<i64>,
    /// How many per second: 1 to 1,000, 50 if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rate_per_second: Option<u32>,
    /// The client's name for this request. The same again marks nothing twice and is answered the same; the operators' log
    /// finds it by this. Made up if left out.
    #[serde(rename = "request_id", skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<Uuid>,
    /// Why, for the operators' log: 1 to 1,000 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    /// Only say what it would do.
    #[serde(default)]
    pub(crate) dry_run: bool,
}

/// What was done, or would be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = RedriveAnswer)]
pub(crate) struct Answer {
    /// Whether nothing was changed.
    pub(crate) dry_run: bool,
    /// How many dead letters were marked, or would be. Those marked before do not count.
    pub(crate) letters: u64,
    /// All the filter means, by queue and reason.
    pub(crate) by_reason: Vec<DeadLetterCount>,
    /// The newest of them.
    pub(crate) samples: Vec<DeadLetter>,
    /// When the last one becomes due; null for a dry run, or when there was nothing to do.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(required)]
    pub(crate) last_due_at: Option<OffsetDateTime>,
    /// The last dead letter that was marked, behind which a next part begins; null for a dry run, or when there was nothing
    /// to do.
    #[serde(default)]
    #[schema(required)]
    pub(crate) last_id: Option<i64>,
    /// Its record in the operators' log; null for a dry run.
    #[schema(required)]
    pub(crate) operation_id: Option<i64>,
    /// The id of the request; null for a dry run.
    #[serde(default)]
    #[schema(required)]
    pub(crate) request_id: Option<Uuid>,
}

/// Redrive dead letters
///
/// Nothing is published: the letters are marked, and the service settles them through the same handler at the rate asked
/// for. One that dies again is a dead letter again. Recorded in the operators' log, which says how it goes on.
#[utoipa::path(
    post,
    path = "/dead-letters/redrive",
    tag = "operators",
    security(("session" = []), ("bearer" = [])),
    request_body = Request,
    responses(
        (status = 200, description = "Marked, or what would be", body = Answer),
        (status = 401, description = "`unauthenticated`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`: not an operator", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`queue_unknown`, `reason_unknown`, `ids_out_of_range`, `limit_out_of_range`, `rate_out_of_range`, `redrive_reason_invalid`,
            `request_id_taken`: another request came under this id, `invalid_body`",
            body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(in crate::ops) async fn redrive_dead_letters(
    State(state): State<OpsState>,
    operator: Operator,
    Json(request): Json<Request>,
) -> Result<Json<Answer>, Error> {
    let rate = request.rate_per_second.unwrap_or(RATE);
    let rate = NonZeroU32::new(rate)
        .filter(|rate| rate.get() <= RATE_MAX)
        .ok_or(Error::RateOutOfRange)?;
    let limit = request.limit.unwrap_or(DEFAULT_LETTERS);
    let filter = request.filter.parse(state.service(), limit)?;
    let mut tx = state.pool.begin().await?;
    if request.dry_run {
        return Ok(Json(Answer::new(plan_redrive(&mut tx, &filter).await?)));
    }
    let id = request.id.unwrap_or_else(Uuid::now_v7);
    let asked = RedriveRequest {
        id,
        filter: &filter,
        rate_per_second: rate,
        by: &operator.name,
        reason: request.reason.as_deref(),
    };
    let redriven = redrive(&mut tx, &asked).await?;
    tx.commit().await?;
    tracing::info!(
        service = state.service().as_str(),
        operator = operator.name,
        request_id = %id,
        letters = redriven.plan.letters,
        "dead letters are settled again"
    );
    Ok(Json(Answer {
        dry_run: false,
        last_due_at: redriven.last_due_at,
        last_id: redriven.last_id,
        operation_id: Some(redriven.operation_id),
        request_id: Some(id),
        ..Answer::new(redriven.plan)
    }))
}

impl Answer {
    fn new(plan: Plan) -> Self {
        Self {
            dry_run: true,
            letters: plan.letters,
            by_reason: plan.by_reason.into_iter().map(Into::into).collect(),
            samples: plan.samples.into_iter().map(Into::into).collect(),
            last_due_at: None,
            last_id: None,
            operation_id: None,
            request_id: None,
        }
    }
}

impl From<RedriveError> for Error {
    fn from(error: RedriveError) -> Self {
        match error {
            RedriveError::Reason => Self::RedriveReason(MAX_REASON_CHARS),
            RedriveError::IdTaken => Self::RequestIdTaken,
            RedriveError::Database(cause) => Self::Database(cause),
        }
    }
}
