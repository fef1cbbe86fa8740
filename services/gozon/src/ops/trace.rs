//! `GET /ops/v1/{service}/orders/{order}/trace`: an order's hops through one service.

use axum::extract::State;
use chassis::{
    Problem,
    extract::{Json, Path, Query},
    identity::Operator,
};
use contracts::OrderId;
use messaging::trace::Hop;
use order::trace::OrderName;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{OpsState, Service, error::Error};

/// The most events whose receipt is looked for.
pub(crate) const EVENTS_MAX: usize = 50;

/// Which events to look for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Events {
    /// Events of the other service, at most 50 with commas between them: their receipts here become hops, too.
    events: Option<String>,
}

/// An order's hops through one service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct OrderTrace {
    /// The order.
    pub(crate) order_id: Uuid,
    /// The number people see. Only the order service knows it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) number: Option<i64>,
    /// Its status. Only the order service knows it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) status: Option<String>,
    /// The trace of the request that placed it. Only the order service knows it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) trace_id: Option<String>,
    /// What happened, in the order of time; what has no instant comes after what happened to the same event.
    pub(crate) hops: Vec<OrderHop>,
}

/// Something that happened to an order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct OrderHop {
    /// When; null for what has no instant, such as an event that still waits.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(required)]
    pub(crate) at: Option<OffsetDateTime>,
    /// The service that says so.
    pub(crate) service: Service,
    /// What.
    #[schema(example = "outbox.appended")]
    pub(crate) step: String,
    /// Who did it or is to do it: a relay, a queue's consumer, a part of the service.
    #[schema(required)]
    pub(crate) owner: Option<String>,
    /// The lane of the outbox that it happened in.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) lane: Option<i16>,
    /// The epoch under which the owner, a relay, had the lane.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) epoch: Option<i64>,
    /// How often it was tried, or came; absent for what happens once.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) attempts: Option<i32>,
    /// The event it was about.
    #[schema(required)]
    pub(crate) event_id: Option<Uuid>,
    /// More of it, in words.
    pub(crate) detail: String,
}

impl OrderTrace {
    /// The events this service has sent.
    pub(crate) fn sent(&self) -> Vec<Uuid> {
        let appended = self.hops.iter().filter(|hop| hop.step == "outbox.appended");
        appended.filter_map(|hop| hop.event_id).collect()
    }
}

/// Puts hops in the order of time; what has no instant follows the last that happened to its event.
pub(crate) fn in_order(mut hops: Vec<OrderHop>) -> Vec<OrderHop> {
    hops.sort_by_key(|hop| hop.at);
    let (timeless, mut line): (Vec<_>, Vec<_>) = hops.into_iter().partition(|hop| hop.at.is_none());
    for hop in timeless {
        let same =
            |other: &OrderHop| other.service == hop.service && other.event_id == hop.event_id;
        let place = line
            .iter()
            .rposition(same)
            .map_or(line.len(), |last| last + 1);
        line.insert(place, hop);
    }
    line
}

/// Follow an order
///
/// What this service knows of it. The order service takes a number as well as an id, the payment service only an id.
#[utoipa::path(
    get,
    path = "/orders/{order}/trace",
    tag = "operators",
    security(("session" = []), ("bearer" = [])),
    params(("order" = String, Path, description = "The order's id or number"), Events),
    responses(
        (status = 200, description = "The order's hops", body = OrderTrace),
        (status = 401, description = "`unauthenticated`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`: not an operator", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`order_not_found`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`events_invalid`, `invalid_query`", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn trace_order(
    State(state): State<OpsState>,
    _: Operator,
    Path(name): Path<String>,
    Query(query): Query<Events>,
) -> Result<Json<OrderTrace>, Error> {
    let events = events(query.events.as_deref())?;
    let name = order_name(&name, state.service()).ok_or(Error::OrderNotFound)?;
    let mut connection = state.pool.acquire().await?;
    let trace = match (state.service(), name) {
        (Service::Payment, OrderName::Id(id)) => {
            let found = payment::trace::trace(&mut connection, id, &events).await?;
            if found.is_empty() {
                return Err(Error::OrderNotFound);
            }
            OrderTrace {
                order_id: id.as_uuid(),
                number: None,
                status: None,
                trace_id: None,
                hops: hops(found, state.service()),
            }
        }
        (_, name) => {
            let trace = order::trace::trace(&mut connection, name, &events).await?;
            let trace = trace.ok_or(Error::OrderNotFound)?;
            OrderTrace {
                order_id: trace.order_id.as_uuid(),
                number: Some(trace.number),
                status: Some(trace.status),
                trace_id: Some(trace.trace_id),
                hops: hops(trace.hops, state.service()),
            }
        }
    };
    Ok(Json(trace))
}

/// The order of an id, or of a number where the service knows numbers.
fn order_name(text: &str, service: Service) -> Option<OrderName> {
    let id = text.parse::<OrderId>().ok().map(OrderName::Id);
    let number = text.parse().ok().filter(|_| service == Service::Order);
    id.or_else(|| number.map(OrderName::Number))
}

fn hops(hops: Vec<Hop>, service: Service) -> Vec<OrderHop> {
    let hops = hops.into_iter().map(|hop| OrderHop {
        at: hop.at,
        service,
        step: hop.step.to_owned(),
        owner: hop.owner,
        lane: hop.lane,
        epoch: hop.epoch,
        attempts: hop.attempts,
        event_id: hop.event_id,
        detail: hop.detail,
    });
    in_order(hops.collect())
}

fn events(text: Option<&str>) -> Result<Vec<Uuid>, Error> {
    let events = text.into_iter().flat_map(|text| text.split(','));
    let events: Vec<Uuid> = events
        .map(|id| id.trim().parse().map_err(|_| Error::EventsInvalid))
        .collect::<Result<_, _>>()?;
    if events.len() > EVENTS_MAX {
        return Err(Error::EventsInvalid);
    }
    Ok(events)
}
