//! `GET /api/orders/orders`: everyone's orders, newest first, as a bare array.

use axum::extract::State;
use chassis::extract::Json;
use contracts::UserId;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::{amount, error::OriginalError};
use crate::{OrderState, limits, order::Order, status::Status, storage};

/// An order, as the original showed it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OriginalOrder)]
pub(crate) struct OrderItem {
    /// Its number.
    #[schema(example = 17)]
    id: i64,
    /// Its owner.
    #[schema(value_type = i64, example = 1)]
    user_id: UserId,
    /// What was ordered.
    description: String,
    /// Roubles.
    #[schema(value_type = f64, example = 100.0)]
    amount: Box<RawValue>,
    /// Where it stands: NEW, FINISHED or CANCELLED. FINISHED until a refund is done.
    status: Status,
}

/// Lists the newest thousand orders of all users.
#[utoipa::path(
    get,
    path = "/api/orders/orders",
    operation_id = "original_list_orders",
    tag = "original",
    responses((status = OK, description = "The orders, newest first", body = [OrderItem]))
)]
pub(super) async fn list_orders(
    State(state): State<OrderState>,
) -> Result<Json<Vec<OrderItem>>, OriginalError> {
    let newest = storage::everyone::newest(
        state.api_pool(),
        state.everyone_role(),
        limits::EVERYONES_ORDERS_MAX,
    );
    let items = newest.await?.into_iter().map(OrderItem::from).collect();
    Ok(Json(items))
}

impl From<Order> for OrderItem {
    fn from(order: Order) -> Self {
        Self {
            id: order.number,
            user_id: order.user_id,
            description: order.description,
            amount: amount::to_json(order.amount),
            status: order.status.as_in_original(),
        }
    }
}
