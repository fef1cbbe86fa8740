//! `GET /ops/v1/{service}/dead-letters`: page by page, newest first, and counted by reason.

use axum::extract::State;
use chassis::{
    Problem,
    extract::{Json, Query},
    identity::Operator,
};
use messaging::dead_letter::{count_by_reason, list};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{DeadLetter, DeadLetterCount, DeadLetterFilter, PAGE_MAX};
use crate::ops::{OpsState, error::Error};

/// How many dead letters a page has when nothing is said.
const PAGE: i64 = 50;

/// Which page of which dead letters.
#[derive(Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Page {
    /// Only those of this queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) queue: Option<String>,
    /// Only those for this reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    /// Only events of this type.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub(crate) kind: Option<String>,
    /// At least this many seconds in dead letters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) min_age_seconds: Option<u32>,
    /// Only these, with commas between them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ids: Option<String>,
    /// How many at most: 1 to 500, 50 if left out.
    #[param(minimum = 1, maximum = 500, default = 50)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) limit: Option<i64>,
    /// The `next_cursor` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cursor: Option<i64>,
}

/// A page of dead letters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct DeadLetterPage {
    /// The dead letters, newest first.
    pub(crate) items: Vec<DeadLetter>,
    /// All that the filter means, on whatever page, by queue and reason.
    pub(crate) by_reason: Vec<DeadLetterCount>,
    /// Where the next page begins; null on the last one.
    #[schema(required)]
    pub(crate) next_cursor: Option<i64>,
}

/// List dead letters
///
/// Newest first, without headers and bodies.
#[utoipa::path(
    get,
    path = "/dead-letters",
    tag = "operators",
    security(("session" = []), ("bearer" = [])),
    params(Page),
    responses(
        (status = 200, description = "A page of dead letters", body = DeadLetterPage),
        (status = 401, description = "`unauthenticated`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`: not an operator", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`queue_unknown`, `reason_unknown`, `ids_out_of_range`, `limit_out_of_range`, `invalid_query`",
            body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(in crate::ops) async fn list_dead_letters(
    State(state): State<OpsState>,
    _: Operator,
    Query(page): Query<Page>,
) -> Result<Json<DeadLetterPage>, Error> {
    let limit = page.limit.unwrap_or(PAGE);
    if !(1..=PAGE_MAX).contains(&limit) {
        return Err(Error::PageOutOfRange);
    }
    let filter = DeadLetterFilter {
        queue: page.queue,
        reason: page.reason,
        kind: page.kind,
        min_age_seconds: page.min_age_seconds,
        ids: ids(page.ids.as_deref())?,
        after: None,
    };
    let filter = filter.parse(state.service(), limit)?;
    let mut connection = state.pool.acquire().await?;
    let letters = list(&mut connection, &filter, page.cursor).await?;
    let by_reason = count_by_reason(&mut connection, &filter).await?;
    let full = i64::try_from(letters.len()).is_ok_and(|count| count == limit);
    Ok(Json(DeadLetterPage {
        next_cursor: letters.last().filter(|_| full).map(|letter| letter.id),
        items: letters.into_iter().map(DeadLetter::from).collect(),
        by_reason: by_reason.into_iter().map(DeadLetterCount::from).collect(),
    }))
}

fn ids(text: Option<&str>) -> Result<Vec<i64>, Error> {
    text.into_iter()
        .flat_map(|text| text.split(','))
        .map(|id| id.trim().parse().map_err(|_| Error::IdsOutOfRange))
        .collect()
}
