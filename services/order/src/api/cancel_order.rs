//! `POST /api/v1/orders/{id}/cancel`: gives a paid order up, once per idempotency key.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use chassis::{
    Principal, Problem,
    extract::{IdempotencyKeyHeader, Json, Path},
    trace::Trace,
};
use contracts::OrderId;
use http::{HeaderMap, StatusCode, header::ETAG};
use messaging::idempotency::{self, IdempotencyKey};

use super::{etag, view::OrderView};
use crate::{
    OrderState,
    cancellation::{self, Cancellation, GivenUp},
    error::Error,
};

/// Gives a FINISHED order up: it is REFUNDING at once, and CANCELLED with the reason `refunded` as soon as the payment
/// service has given the money back.
///
/// The same key again gets the same answer, whatever has become of the order. Another key for an order that is being
/// cancelled gets 409, as does any order that is not FINISHED, whichever version If-Match names.
#[utoipa::path(
    post,
    path = "/api/v1/orders/{id}/cancel",
    tag = "orders",
    security(("session" = []), ("bearer" = [])),
    params(
        ("id" = uuid::Uuid, Path, description = "The order's id"),
        ("If-Match" = String, Header, description = "The ETag of the order as the asker knows it"),
        ("Idempotency-Key" = String, Header, description = "1 to 128 visible ASCII characters; the same key for the same order has its effect once, for 24 hours"),
    ),
    responses(
        (status = ACCEPTED, description = "Given up, now or by the same request before; the order is REFUNDING", body = OrderView,
            headers(("ETag" = String, description = "Its version"))),
        (status = BAD_REQUEST, description = "`idempotency_key_missing`, `idempotency_key_invalid`", body = Problem, content_type = "application/problem+json"),
        (status = UNAUTHORIZED, description = "`unauthenticated`", body = Problem, content_type = "application/problem+json"),
        (status = NOT_FOUND, description = "`order_not_found`: none, or not the asker's", body = Problem, content_type = "application/problem+json"),
        (status = CONFLICT, description = "`order_undecided`: it is NEW; `order_refunding`: it was given up under another key; `order_cancelled`: it is over", body = Problem, content_type = "application/problem+json"),
        (status = PRECONDITION_FAILED, description = "`version_mismatch`: it is at another version than If-Match names", body = Problem, content_type = "application/problem+json"),
        (status = UNPROCESSABLE_ENTITY, description = "`idempotency_key_reused`", body = Problem, content_type = "application/problem+json"),
        (status = PRECONDITION_REQUIRED, description = "`if_match_missing`", body = Problem, content_type = "application/problem+json"),
        (status = SERVICE_UNAVAILABLE, description = "`unavailable`, or `overloaded`: too much is under way and nothing was done", body = Problem, content_type = "application/problem+json",
            headers(("Retry-After" = u64, description = "Seconds after which trying again may be worth it"))),
    )
)]
pub(super) async fn cancel_order(
    State(state): State<OrderState>,
    principal: Principal,
    Path(id): Path<String>,
    Trace(trace): Trace,
    IdempotencyKeyHeader(key): IdempotencyKeyHeader,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let key: IdempotencyKey = key.parse()?;
    let expected = etag::Expected::read(&headers).ok_or(Error::IfMatchMissing)?;
    // What is no UUID names no order.
    let order_id: OrderId = id.parse().map_err(|_| Error::OrderNotFound)?;
    let digest = idempotency::digest("cancel_order", &order_id);

    let _admitted = state.load().admit()?;
    let request = Cancellation {
        order_id,
        user_id: principal.user_id,
        key: (&key, &digest),
        trace,
    };
    let given_up = cancellation::cancel(state.writer_pool(), request, |version| {
        expected.includes(version)
    })
    .await?;
    let order = match given_up {
        GivenUp::Now(order) => {
            state.metrics().requested_refunds.inc();
            state.outbox_bell().ring();
            state.status_bell().ring();
            order
        }
        GivenUp::Before(order) => order,
    };
    let tag = etag::of_version(order.version);
    Ok((
        StatusCode::ACCEPTED,
        [(ETAG, tag)],
        Json(OrderView::from(order)),
    )
        .into_response())
}
