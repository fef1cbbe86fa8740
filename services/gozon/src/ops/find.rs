//! `GET /ops/v1/{service}/find`: which order an event or a trace is about.

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

use super::{OpsState, Service, error::Error};

/// What an operator has in hand.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct InHand {
    /// An event's id.
    event: Option<Uuid>,
    /// A trace's id: 32 hexadecimal digits.
    trace: Option<String>,
}

/// The order that is meant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Found {
    /// Its id; null if this service does not find it.
    #[schema(required)]
    pub(crate) order_id: Option<Uuid>,
}

/// Find an order by one of its events or its trace
///
/// An event of this service that was published within the last days or still waits, or a dead letter of it. A trace is sought
/// among the newest 50,000 orders and the newest 1,000 dead letters.
#[utoipa::path(
    get,
    path = "/find",
    tag = "operators",
    security(("session" = []), ("bearer" = [])),
    params(InHand),
    responses(
        (status = 200, description = "The order, or none", body = Found),
        (status = 401, description = "`unauthenticated`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`: not an operator", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_query`", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn find_order(
    State(state): State<OpsState>,
    _: Operator,
    Query(in_hand): Query<InHand>,
) -> Result<Json<Found>, Error> {
    let mut connection = state.pool.acquire().await?;
    let mut order_id = match in_hand.event {
        Some(event) => seek::key_of_event(&mut connection, event).await?,
        None => None,
    };
    if let (None, Service::Order, Some(trace)) = (order_id, state.service(), &in_hand.trace) {
        let order = order::trace::of_trace(&mut connection, trace).await?;
        order_id = order.map(contracts::OrderId::as_uuid);
    }
    if order_id.is_none() {
        let trace = in_hand.trace.as_deref();
        order_id = seek::subject_of_letter(&mut connection, in_hand.event, trace).await?;
    }
    Ok(Json(Found { order_id }))
}
