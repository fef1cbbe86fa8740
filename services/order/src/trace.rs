//! Following one order through this service, for operators: placed, sent, answered, given up, every status it took, and
//! what sockets were told.

use contracts::OrderId;
use messaging::{
    topology::ORDER_PAYMENTS,
    trace::{self, Hop, Writer},
};
use sqlx::PgConnection;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::{status::Status, storage};

/// Where an order is given up.
const CANCELLATION: &str = "cancellation";

/// Where an order's request is repeated.
const RECONCILER: &str = "reconciler";

/// How an operator names an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderName {
    /// By its id.
    Id(OrderId),
    /// By the number people see.
    Number(i64),
}

/// What became of an order here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// Its id.
    pub order_id: OrderId,
    /// The number people see.
    pub number: i64,
    /// Its status.
    pub status: String,
    /// The trace of the request that placed it.
    pub trace_id: String,
    /// What happened, in no particular order.
    pub hops: Vec<Hop>,
}

/// Follows an order; none if there is no such order. `answers` are the payment service's events whose receipt is looked
/// for: this service does not keep which event an answer was.
pub async fn trace(
    connection: &mut PgConnection,
    name: OrderName,
    answers: &[Uuid],
) -> Result<Option<Trace>, sqlx::Error> {
    let (id, number) = match name {
        OrderName::Id(id) => (Some(id.as_uuid()), None),
        OrderName::Number(number) => (None, Some(number)),
    };
    let Some(order) = storage::trace::find(connection, id, number).await? else {
        return Ok(None);
    };
    let statuses = storage::trace::statuses(connection, order.id).await?;
    let repeated = storage::trace::repeated(connection, order.id).await?;
    let taken = statuses
        .iter()
        .map(|taken| (&taken.transaction, owner(taken.status)));
    let asked = repeated
        .iter()
        .map(|request| (&request.transaction, RECONCILER));
    let writers = taken.chain(asked).map(|(transaction, owner)| Writer {
        transaction: transaction.clone(),
        owner,
    });
    let writers: Vec<Writer> = writers.collect();
    let mut hops = trace::sent(connection, order.id.as_uuid(), &writers).await?;
    let receipts = trace::received(connection, ORDER_PAYMENTS.name, answers).await?;
    hops.extend(receipts.into_iter().map(|receipt| receipt.hop));
    hops.extend(request(order.id));
    hops.extend(statuses.into_iter().map(|taken| Hop {
        at: Some(taken.at),
        step: "order.status",
        owner: Some(owner(taken.status).to_owned()),
        lane: None,
        epoch: None,
        attempts: None,
        event_id: None,
        detail: match taken.reason {
            Some(reason) => format!("{} ({reason})", taken.status.as_str()),
            None => taken.status.as_str().to_owned(),
        },
    }));
    hops.extend(repeated.into_iter().map(|request| Hop {
        at: Some(request.at),
        step: "order.request_repeated",
        owner: Some(RECONCILER.to_owned()),
        lane: None,
        epoch: None,
        attempts: None,
        event_id: Some(request.event_id),
        detail: request.why,
    }));
    let told = storage::push_log::of_order(connection, order.id).await?;
    hops.extend(told.into_iter().map(|told| Hop {
        at: Some(told.at),
        step: "order.pushed",
        owner: Some(told.replica),
        lane: None,
        epoch: None,
        attempts: None,
        event_id: None,
        detail: match told.sockets {
            1 => format!("version {} to 1 socket", told.version),
            sockets => format!("version {} to {sockets} sockets", told.version),
        },
    }));
    Ok(Some(Trace {
        order_id: order.id,
        number: order.number,
        status: order.status.as_str().to_owned(),
        trace_id: order.trace_id,
        hops,
    }))
}

/// The request that placed an order, whose id is the first thing that it is given.
fn request(id: OrderId) -> Option<Hop> {
    let (seconds, nanoseconds) = id.as_uuid().get_timestamp()?.to_unix();
    let begun = OffsetDateTime::from_unix_timestamp(i64::try_from(seconds).ok()?).ok()?;
    Some(Hop {
        at: Some(begun + Duration::nanoseconds(i64::from(nanoseconds))),
        step: "order.requested",
        owner: Some(owner(Status::New).to_owned()),
        lane: None,
        epoch: None,
        attempts: None,
        event_id: None,
        detail: "the order got its id".to_owned(),
    })
}

/// The order that the request of a trace placed, among the newest 50,000.
pub async fn of_trace(
    connection: &mut PgConnection,
    trace_id: &str,
) -> Result<Option<OrderId>, sqlx::Error> {
    storage::trace::of_trace(connection, trace_id).await
}

/// Where an order takes a status: where orders come in, where they are given up, or where answers come in.
const fn owner(status: Status) -> &'static str {
    match status {
        Status::New => "intake",
        Status::Refunding => CANCELLATION,
        Status::Finished | Status::Cancelled => ORDER_PAYMENTS.name,
    }
}
