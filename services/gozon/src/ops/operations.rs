//! `GET /ops/v1/{service}/operations`: what operators changed, newest first.

use axum::extract::State;
use chassis::{
    Problem,
    extract::{Json, Query},
    identity::Operator,
};
use messaging::operation::{self, MAX_PAGE, Recorded, Sought};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{OpsState, error::Error};

/// How many operations a page has when nothing is said.
const PAGE: i64 = 50;

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Page {
    /// How many at most: 1 to 500, 50 if left out.
    #[param(minimum = 1, maximum = 500, default = 50)]
    limit: Option<i64>,
    /// The `next_cursor` of the page before.
    cursor: Option<i64>,
    /// Only that of this request.
    request_id: Option<Uuid>,
    /// Only those that did this.
    action: Option<String>,
}

/// A change by an operator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Operation {
    /// Its number in this service; grows with time.
    pub(crate) id: i64,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) at: OffsetDateTime,
    /// Who.
    pub(crate) who: String,
    /// What was done.
    #[schema(example = "dead_letters.redrive")]
    pub(crate) action: String,
    /// What was asked for.
    pub(crate) parameters: serde_json::Value,
    /// How many rows it changed.
    pub(crate) affected: i64,
    /// Why, where the action asks for a reason.
    #[schema(required)]
    pub(crate) reason: Option<String>,
    /// The client's name for its request, where the action takes one.
    #[serde(default)]
    #[schema(required)]
    pub(crate) request_id: Option<Uuid>,
    /// How it goes on; null unless it is a redrive.
    #[serde(default)]
    #[schema(required)]
    pub(crate) progress: Option<RedriveProgress>,
}

/// What has become of the letters that a redrive marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct RedriveProgress {
    /// How many it marked.
    pub(crate) marked: i64,
    /// Settled, found settled before, or opened into their events.
    pub(crate) settled: i64,
    /// Dead letters again.
    pub(crate) died_again: i64,
    /// Those whose mark an operator took off.
    pub(crate) cancelled: i64,
    /// Given up by an operator.
    pub(crate) discarded: i64,
    /// Still to be settled. At zero the redrive has ended.
    pub(crate) left: i64,
}

/// A page of the operators' log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct OperationPage {
    /// The operations, newest first.
    pub(crate) items: Vec<Operation>,
    /// Where the next page begins; null on the last one.
    #[schema(required)]
    pub(crate) next_cursor: Option<i64>,
}

impl From<Recorded> for Operation {
    fn from(recorded: Recorded) -> Self {
        Self {
            id: recorded.id,
            at: recorded.at,
            who: recorded.who,
            action: recorded.action,
            parameters: recorded.parameters,
            affected: recorded.affected,
            reason: recorded.reason,
            request_id: recorded.request_id,
            progress: recorded.progress.map(|progress| RedriveProgress {
                marked: recorded.affected,
                settled: progress.settled,
                died_again: progress.died_again,
                cancelled: progress.cancelled,
                discarded: progress.discarded,
                left: progress.left,
            }),
        }
    }
}

/// List what operators changed
///
/// Newest first. Nobody can change or delete a record. A redrive is found again by the id of its request, with what has
/// become of its letters.
#[utoipa::path(
    get,
    path = "/operations",
    tag = "operators",
    security(("session" = []), ("bearer" = [])),
    params(Page),
    responses(
        (status = 200, description = "A page of operations", body = OperationPage),
        (status = 401, description = "`unauthenticated`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`: not an operator", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`limit_out_of_range`, `invalid_query`", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list_operations(
    State(state): State<OpsState>,
    _: Operator,
    Query(page): Query<Page>,
) -> Result<Json<OperationPage>, Error> {
    let limit = page.limit.unwrap_or(PAGE);
    if !(1..=MAX_PAGE).contains(&limit) {
        return Err(Error::PageOutOfRange);
    }
    let mut connection = state.pool.acquire().await?;
    let sought = Sought {
        before: page.cursor,
        request_id: page.request_id,
        action: page.action,
    };
    let operations = operation::list(&mut connection, &sought, limit).await?;
    let full = i64::try_from(operations.len()).is_ok_and(|count| count == limit);
    Ok(Json(OperationPage {
        next_cursor: operations.last().filter(|_| full).map(|last| last.id),
        items: operations.into_iter().map(Operation::from).collect(),
    }))
}
