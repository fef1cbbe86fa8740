//! `GET /ops/v1/{service}/dead-letters/about`: which of some orders a dead letter speaks of.

use axum::extract::State;
use chassis::{
    Problem,
    extract::{Json, Query},
    identity::Operator,
};
use messaging::seek;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::ops::{OpsState, error::Error};

/// The most orders in one request.
const ORDERS_MAX: usize = 50;

/// Which orders.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::ops) struct Orders {
    /// Orders' ids, at most 50 with commas between them.
    orders: String,
}

/// Those of the orders that a dead letter speaks of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = OrdersInDeadLetters)]
pub(crate) struct Answer {
    /// Their ids.
    pub(crate) orders: Vec<Uuid>,
}

/// Look for orders in dead letters
///
/// Among the newest 1,000 dead letters of this service.
#[utoipa::path(
    get,
    path = "/dead-letters/about",
    tag = "operators",
    security(("session" = []), ("bearer" = [])),
    params(Orders),
    responses(
        (status = 200, description = "Those found", body = Answer),
        (status = 401, description = "`unauthenticated`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`: not an operator", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`ids_out_of_range`, `invalid_query`", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(in crate::ops) async fn orders_in_dead_letters(
    State(state): State<OpsState>,
    _: Operator,
    Query(query): Query<Orders>,
) -> Result<Json<Answer>, Error> {
    let ids = query.orders.split(',').map(|id| id.trim().parse());
    let ids: Vec<Uuid> = ids
        .collect::<Result<_, _>>()
        .map_err(|_| Error::IdsOutOfRange)?;
    if ids.len() > ORDERS_MAX {
        return Err(Error::IdsOutOfRange);
    }
    let mut connection = state.pool.acquire().await?;
    let orders = seek::keys_in_letters(&mut connection, &ids).await?;
    Ok(Json(Answer { orders }))
}
