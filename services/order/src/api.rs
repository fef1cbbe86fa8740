//! The public API under `/api/v1`: one endpoint per file.

mod cancel_order;
mod etag;
mod events;
mod list_cursor;
mod list_orders;
mod place_order;
mod read_order;
mod timeline;
pub(crate) mod view;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::OrderState;

/// All of it, with its OpenAPI description.
pub(crate) fn router() -> OpenApiRouter<OrderState> {
    OpenApiRouter::new()
        .routes(routes!(place_order::place_order, list_orders::list_orders))
        .routes(routes!(read_order::read_order))
        .routes(routes!(cancel_order::cancel_order))
        .routes(routes!(events::events))
}
