//! `GET /ops/v1/order/stuck`: orders that nobody decided or refunded in time, each with a guess at the cause.

use axum::extract::State;
use chassis::{
    Problem,
    extract::{Json, Query},
    identity::Operator,
};
use contracts::OrderId;
use messaging::{
    lease::{BrokerState, LEASE},
    outbox, seek,
};
use order::reconcile::{StuckOrder, stuck_orders};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{OpsState, error::Error};

/// How many stuck orders a page has.
const PAGE: u16 = 50;

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Page {
    /// The `next_cursor` of the page before.
    #[param(value_type = Option<Uuid>)]
    cursor: Option<OrderId>,
}

/// A page of stuck orders, oldest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct StuckPage {
    /// The orders.
    pub(crate) items: Vec<Stuck>,
    /// Where the next page begins; null on the last one.
    #[schema(required)]
    pub(crate) next_cursor: Option<Uuid>,
}

/// An order that is NEW or REFUNDING for too long.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = StuckOrder)]
pub(crate) struct Stuck {
    /// The order.
    pub(crate) order_id: Uuid,
    /// The status it is stuck in.
    #[schema(example = "NEW")]
    pub(crate) status: String,
    /// Since when.
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) since: OffsetDateTime,
    /// How often the reconciler has repeated its request.
    pub(crate) attempts: i32,
    /// When it may do so next; null after the last attempt.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(required)]
    pub(crate) next_attempt_at: Option<OffsetDateTime>,
    /// What is most likely the cause, as far as the order service can tell.
    pub(crate) cause: Cause,
}

/// Why an order may be stuck.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Cause {
    /// The answer came, and is a dead letter of the order service.
    AnswerIsDeadLetter,
    /// Its request waits in the outbox, and no relay is alive.
    NoRelay,
    /// Its request waits in the outbox, and the relays do not reach the broker, or may not publish.
    BrokerAway,
    /// Its request waits in the outbox.
    WaitsInOutbox,
    /// Its request was published and not answered: the payment service does not run, is behind, or has it as a dead letter.
    Unanswered,
}

/// What is known of the way out, the same for all orders.
#[derive(Debug, Clone, Copy)]
struct Way {
    /// When the oldest event that waits was appended.
    oldest_waiting: Option<OffsetDateTime>,
    is_relay_alive: bool,
    is_broker_ok: bool,
}

impl Way {
    fn of(status: &outbox::Status) -> Self {
        let ok = BrokerState::Ok.as_str();
        let alive = |relay: &&outbox::RelayStatus| relay.heartbeat > status.now - LEASE;
        let is_ok = |broker: Option<&str>| broker.is_none_or(|state| state == ok);
        Self {
            oldest_waiting: status.oldest(),
            is_relay_alive: status.relays.iter().any(|relay| alive(&relay)),
            is_broker_ok: status
                .relays
                .iter()
                .any(|relay| is_ok(relay.broker.as_deref())),
        }
    }

    /// The likely cause for an order that has waited since an instant.
    fn cause(self, since: OffsetDateTime, has_letter: bool) -> Cause {
        // What was appended before the oldest that waits is published.
        let may_wait = self
            .oldest_waiting
            .is_some_and(|oldest| oldest <= since + GRACE);
        match (has_letter, may_wait) {
            (true, _) => Cause::AnswerIsDeadLetter,
            (false, false) => Cause::Unanswered,
            (false, true) if !self.is_broker_ok => Cause::BrokerAway,
            (false, true) if !self.is_relay_alive => Cause::NoRelay,
            (false, true) => Cause::WaitsInOutbox,
        }
    }
}

/// Between the instant at which an order takes a status and that of its request's row.
const GRACE: time::Duration = time::Duration::seconds(1);

/// List stuck orders
///
/// Those that are NEW or REFUNDING for too long, oldest first, with a guess at the cause. The reconciler repeats their
/// requests by itself.
#[utoipa::path(
    get,
    path = "/stuck",
    tag = "operators",
    security(("session" = []), ("bearer" = [])),
    params(Page),
    responses(
        (status = 200, description = "A page of stuck orders", body = StuckPage),
        (status = 401, description = "`unauthenticated`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`: not an operator", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_query`", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list_stuck(
    State(state): State<OpsState>,
    _: Operator,
    Query(page): Query<Page>,
) -> Result<Json<StuckPage>, Error> {
    let mut connection = state.pool.acquire().await?;
    let stuck = stuck_orders(&mut connection, page.cursor, PAGE).await?;
    if stuck.is_empty() {
        return Ok(Json(StuckPage {
            items: Vec::new(),
            next_cursor: None,
        }));
    }
    let ids: Vec<Uuid> = stuck.iter().map(|order| order.order_id.as_uuid()).collect();
    let in_letters = seek::keys_in_letters(&mut connection, &ids).await?;
    let way = Way::of(&outbox::status(&mut connection).await?);
    let is_full = stuck.len() == usize::from(PAGE);
    Ok(Json(StuckPage {
        next_cursor: ids.last().copied().filter(|_| is_full),
        items: stuck
            .into_iter()
            .map(|order| {
                let has_letter = in_letters.contains(&order.order_id.as_uuid());
                Stuck::new(&order, way.cause(order.since, has_letter))
            })
            .collect(),
    }))
}

impl Stuck {
    fn new(order: &StuckOrder, cause: Cause) -> Self {
        Self {
            order_id: order.order_id.as_uuid(),
            status: order.status.as_str().to_owned(),
            since: order.since,
            attempts: order.attempts,
            next_attempt_at: order.next_attempt_at,
            cause,
        }
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn the_cause_is_where_the_request_is() {
        let since = datetime!(2026-11-24 03:00:00 UTC);
        let waits = Way {
            oldest_waiting: Some(since),
            is_relay_alive: true,
            is_broker_ok: true,
        };
        let later = Way {
            oldest_waiting: Some(since + time::Duration::minutes(1)),
            ..waits
        };
        let no_relay = Way {
            is_relay_alive: false,
            ..waits
        };
        let away = Way {
            is_broker_ok: false,
            ..no_relay
        };
        assert_eq!(waits.cause(since, true), Cause::AnswerIsDeadLetter);
        assert_eq!(waits.cause(since, false), Cause::WaitsInOutbox);
        assert_eq!(later.cause(since, false), Cause::Unanswered);
        assert_eq!(no_relay.cause(since, false), Cause::NoRelay);
        assert_eq!(away.cause(since, false), Cause::BrokerAway);
    }
}
