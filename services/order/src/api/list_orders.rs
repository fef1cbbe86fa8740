//! `GET /api/v1/orders`: the asker's orders, newest first, page by page.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use chassis::{
    Principal, Problem,
    extract::{Json, Query},
};
use http::{HeaderMap, StatusCode, header::ETAG};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{etag, list_cursor, view::OrderView};
use crate::{OrderState, error::Error, limits, storage};

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListOrders {
    /// The orders on the page.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<i64>,
    /// `next_cursor` of the page before; the newest orders without it.
    cursor: Option<String>,
}

/// A page of orders.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OrderPage {
    /// The orders, newest first.
    items: Vec<OrderView>,
    /// Where the next page begins; null on the last one.
    next_cursor: Option<String>,
}

/// Lists the asker's orders, newest first. With `If-None-Match` it tells cheaply whether the page has changed.
#[utoipa::path(
    get,
    path = "/api/v1/orders",
    tag = "orders",
    security(("session" = []), ("bearer" = [])),
    params(
        ListOrders,
        ("If-None-Match" = Option<String>, Header, description = "The ETag of what is already known"),
    ),
    responses(
        (status = OK, description = "A page", body = OrderPage,
            headers(("ETag" = String, description = "Which orders are on it, at which versions, and whether it is the last"))),
        (status = NOT_MODIFIED, description = "The page is still what If-None-Match names"),
        (status = UNAUTHORIZED, description = "`unauthenticated`", body = Problem, content_type = "application/problem+json"),
        (status = UNPROCESSABLE_ENTITY, description = "`limit_out_of_range`, `cursor_invalid`, `invalid_query`", body = Problem, content_type = "application/problem+json"),
        (status = SERVICE_UNAVAILABLE, description = "`unavailable`", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list_orders(
    State(state): State<OrderState>,
    principal: Principal,
    Query(query): Query<ListOrders>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let limit = query.limit.unwrap_or(limits::LIST_DEFAULT);
    if !(1..=limits::LIST_MAX).contains(&limit) {
        return Err(Error::LimitOutOfRange);
    }
    let before = query
        .cursor
        .map(|cursor| list_cursor::decode(&cursor).ok_or(Error::CursorInvalid))
        .transpose()?;

    let mut tx = storage::session::begin_as(state.api_pool(), principal.user_id).await?;
    // One more than asked tells whether there is another page.
    let mut orders = storage::orders::page(&mut tx, principal.user_id, before, limit + 1).await?;
    tx.commit().await?;

    let wanted = usize::try_from(limit).expect("a limit in range fits");
    let more = orders.len() > wanted;
    orders.truncate(wanted);
    let next_cursor = orders
        .last()
        .filter(|_| more)
        .map(|last| list_cursor::encode(last.id));
    let versions = orders.iter().map(|order| (order.id, order.version));
    let tag = etag::of_page(versions, next_cursor.as_deref());
    if etag::is_known(&headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, [(ETAG, tag)]).into_response());
    }
    let items = orders.into_iter().map(OrderView::from).collect();
    Ok(([(ETAG, tag)], Json(OrderPage { items, next_cursor })).into_response())
}
