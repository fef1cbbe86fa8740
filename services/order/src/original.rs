//! The original system's contract, in demo mode only: its paths, its bodies and its answers, so that a client written
//! for it works unchanged. No session and no idempotency key; amounts are JSON numbers in roubles.

mod amount;
mod body;
mod error;
mod events;
mod list_orders;
mod place_order;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::OrderState;

/// All of it, with its OpenAPI description.
pub(crate) fn router() -> OpenApiRouter<OrderState> {
    OpenApiRouter::new()
        .routes(routes!(place_order::place_order, list_orders::list_orders))
        .routes(routes!(events::orders_ws))
        .routes(routes!(events::ws))
}
