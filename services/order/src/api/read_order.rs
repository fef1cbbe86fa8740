//! `GET /api/v1/orders/{id}`: one order of the asker's, with its timeline.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use chassis::{
    Principal, Problem,
    extract::{Json, Path},
};
use contracts::OrderId;
use http::{HeaderMap, StatusCode, header::ETAG};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    etag,
    timeline::{self, TimelineItem},
    view::OrderView,
};
use crate::{OrderState, error::Error, storage};

/// An order and how it came there.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OrderDetails {
    #[serde(flatten)]
    order: OrderView,
    /// What happened to it, in the order of time.
    timeline: Vec<TimelineItem>,
    /// The trace of the request that placed it.
    #[schema(example = "0af7651916cd43dd8448eb211c80319c")]
    trace_id: String,
}

/// Reads an order. With `If-None-Match` it tells cheaply whether the order has changed.
#[utoipa::path(
    get,
    path = "/api/v1/orders/{id}",
    tag = "orders",
    security(("session" = []), ("bearer" = [])),
    params(
        ("id" = uuid::Uuid, Path, description = "The order's id"),
        ("If-None-Match" = Option<String>, Header, description = "The ETag of what is already known"),
    ),
    responses(
        (status = OK, description = "The order", body = OrderDetails,
            headers(("ETag" = String, description = "Its version"))),
        (status = NOT_MODIFIED, description = "It is still at the version that If-None-Match names"),
        (status = UNAUTHORIZED, description = "`unauthenticated`", body = Problem, content_type = "application/problem+json"),
        (status = NOT_FOUND, description = "`order_not_found`: none, or not the asker's", body = Problem, content_type = "application/problem+json"),
        (status = SERVICE_UNAVAILABLE, description = "`unavailable`", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn read_order(
    State(state): State<OrderState>,
    principal: Principal,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    // What is no UUID names no order.
    let id: OrderId = id.parse().map_err(|_| Error::OrderNotFound)?;
    let user_id = principal.user_id;

    let mut tx = storage::session::begin_as(state.api_pool(), user_id).await?;
    let order = storage::orders::find(&mut tx, user_id, id)
        .await?
        .ok_or(Error::OrderNotFound)?;
    let tag = etag::of_version(order.version);
    if etag::is_known(&headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, [(ETAG, tag)]).into_response());
    }
    let history = storage::history::of_order(&mut tx, user_id, id).await?;
    let repeated = storage::history::repeated_requests(&mut tx, user_id, id).await?;
    tx.commit().await?;

    let details = OrderDetails {
        timeline: timeline::of_history(&history, &repeated),
        trace_id: order.trace_id.clone(),
        order: order.into(),
    };
    Ok(([(ETAG, tag)], Json(details)).into_response())
}
