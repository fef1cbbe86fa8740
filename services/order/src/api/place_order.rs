//! `POST /api/v1/orders`: places an order, once per idempotency key.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use chassis::{
    Principal, Problem,
    extract::{IdempotencyKeyHeader, Json, RequestMoney},
    trace::Trace,
};
use contracts::{EventId, Money, OrderId};
use http::{
    HeaderValue, StatusCode,
    header::{ETAG, LOCATION},
};
use messaging::idempotency::{self, IdempotencyKey};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::{etag, view::OrderView};
use crate::{
    OrderState,
    error::Error,
    intake::Placement,
    order::{Description, Order, Price, to_stored_precision},
    storage::place::NewOrder,
};

/// What is ordered and for how much.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlaceOrder {
    /// The price, 1 to 100000000000 minor units.
    #[schema(value_type = chassis::openapi::Money)]
    amount: RequestMoney,
    /// 1 to 500 characters.
    #[schema(min_length = 1, max_length = 500, example = "A pair of skates")]
    description: String,
}

/// Places an order: it is NEW at once, and FINISHED or CANCELLED as soon as the payment service has decided.
#[utoipa::path(
    post,
    path = "/api/v1/orders",
    tag = "orders",
    security(("session" = []), ("bearer" = [])),
    params(("Idempotency-Key" = String, Header, description = "1 to 128 visible ASCII characters; the same key with the same body has its effect once, for 24 hours")),
    request_body = PlaceOrder,
    responses(
        (status = CREATED, description = "Placed, now or by the same request before", body = OrderView,
            headers(("Location" = String, description = "The order's address"), ("ETag" = String, description = "Its version"))),
        (status = BAD_REQUEST, description = "`malformed_json`, `idempotency_key_missing`, `idempotency_key_invalid`", body = Problem, content_type = "application/problem+json"),
        (status = UNAUTHORIZED, description = "`unauthenticated`", body = Problem, content_type = "application/problem+json"),
        (status = UNPROCESSABLE_ENTITY, description = "`invalid_body`, `amount_not_positive`, `amount_too_large`, `description_empty`, `description_too_long`, `description_invalid`, `idempotency_key_reused`", body = Problem, content_type = "application/problem+json"),
        (status = SERVICE_UNAVAILABLE, description = "`unavailable`, or `overloaded`: too much is under way and nothing was done", body = Problem, content_type = "application/problem+json",
            headers(("Retry-After" = u64, description = "Seconds after which trying again may be worth it"))),
    )
)]
pub(super) async fn place_order(
    State(state): State<OrderState>,
    principal: Principal,
    Trace(trace): Trace,
    IdempotencyKeyHeader(key): IdempotencyKeyHeader,
    Json(body): Json<PlaceOrder>,
) -> Result<Response, Error> {
    let key: IdempotencyKey = key.parse()?;
    let digest = idempotency::digest("place_order", &body);
    let order = NewOrder {
        id: OrderId::new(),
        event_id: EventId::new(),
        user_id: principal.user_id,
        price: Price::try_from(Money::from(body.amount))?,
        description: Description::try_from(body.description)?,
        trace,
        placed_at: to_stored_precision(OffsetDateTime::now_utc()),
    };

    let _admitted = state.load().admit()?;
    let placed = state
        .intake()
        .place(Placement {
            order,
            key: Some((key, digest)),
        })
        .await?;
    Ok(answer(placed))
}

fn answer(placed: Order) -> Response {
    let location = HeaderValue::from_str(&format!("/api/v1/orders/{}", placed.id))
        .expect("a path and a UUID are a header value");
    let headers = [
        (LOCATION, location),
        (ETAG, etag::of_version(placed.version)),
    ];
    (StatusCode::CREATED, headers, Json(OrderView::from(placed))).into_response()
}
