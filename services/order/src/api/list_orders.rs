//! `GET /api/v1/orders`: the asker's orders, newest first, page by page.

use axum::extract::State;
use chassis::{
    Principal, Problem,
    extract::{Json, Query},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{list_cursor, view::OrderView};
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

/// Lists the asker's orders, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/orders",
    tag = "orders",
    security(("session" = []), ("bearer" = [])),
    params(ListOrders),
    responses(
        (status = OK, description = "A page", body = OrderPage),
        (status = UNAUTHORIZED, description = "`unauthenticated`", body = Problem, content_type = "application/problem+json"),
        (status = UNPROCESSABLE_ENTITY, description = "`limit_out_of_range`, `cursor_invalid`, `invalid_query`", body = Problem, content_type = "application/problem+json"),
        (status = SERVICE_UNAVAILABLE, description = "`unavailable`", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list_orders(
    State(state): State<OrderState>,
    principal: Principal,
    Query(query): Query<ListOrders>,
) -> Result<Json<OrderPage>, Error> {
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
    let items = orders.into_iter().map(OrderView::from).collect();
    Ok(Json(OrderPage { items, next_cursor }))
}
