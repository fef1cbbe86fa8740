//! `POST /api/orders/orders`: places an order for whoever the body names.

use axum::extract::State;
use chassis::{Problem, extract::Json, trace::Trace};
use contracts::{EventId, OrderId, UserId};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::{
    amount,
    body::Body,
    error::{Failure, OriginalError},
};
use crate::{
    OrderState,
    intake::Placement,
    order::{Description, Price, to_stored_precision},
    status::Status,
    storage::place::NewOrder,
};

/// What is ordered, by whom and for how much.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = OriginalPlaceOrder)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlaceOrder {
    /// Who pays.
    #[schema(example = 1)]
    user_id: i64,
    /// Roubles, positive, at most two decimals.
    #[schema(value_type = f64, example = 100)]
    amount: Box<RawValue>,
    /// 1 to 500 characters.
    #[schema(example = "A pair of skates")]
    description: String,
}

/// The order that was placed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OriginalPlaced)]
pub(crate) struct Placed {
    /// Its number.
    #[schema(example = 17)]
    id: i64,
    /// NEW.
    status: Status,
}

/// Places an order.
#[utoipa::path(
    post,
    path = "/api/orders/orders",
    operation_id = "original_place_order",
    tag = "original",
    request_body = PlaceOrder,
    responses(
        (status = OK, description = "Placed", body = Placed),
        (status = UNPROCESSABLE_ENTITY, description = "The body is not what this request wants", body = Failure),
        (status = SERVICE_UNAVAILABLE, description = "`unavailable`, or `overloaded`: too much is under way and nothing was done", body = Problem, content_type = "application/problem+json",
            headers(("Retry-After" = u64, description = "Seconds after which trying again may be worth it"))),
    )
)]
pub(super) async fn place_order(
    State(state): State<OrderState>,
    Trace(trace): Trace,
    Body(body): Body<PlaceOrder>,
) -> Result<Json<Placed>, OriginalError> {
    let order = NewOrder {
        id: OrderId::new(),
        event_id: EventId::new(),
        user_id: UserId::try_from(body.user_id)?,
        price: Price::try_from(amount::from_json(&body.amount)?)?,
        description: Description::try_from(body.description)?,
        trace,
        placed_at: to_stored_precision(OffsetDateTime::now_utc()),
    };

    let _admitted = state.load().admit()?;
    let placed = state.intake().place(Placement { order, key: None }).await?;
    Ok(Json(Placed {
        id: placed.number,
        status: placed.status,
    }))
}
