//! Writing new orders.

use std::collections::HashMap;

use contracts::{EventId, OrderId, OrderPlaced, TraceContext, UserId};
use messaging::outbox::{self, OutboxError};
use sqlx::PgTransaction;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    order::{Description, Order, Price},
    status::Status,
};

/// An order that is about to be placed.
#[derive(Debug)]
pub(crate) struct NewOrder {
    pub(crate) id: OrderId,
    /// The event that will report it.
    pub(crate) event_id: EventId,
    pub(crate) user_id: UserId,
    pub(crate) description: Description,
    pub(crate) price: Price,
    pub(crate) trace: TraceContext,
    pub(crate) placed_at: OffsetDateTime,
}

/// Inserts orders with the first row of each one's history and with the event that reports it, in one statement; says the
/// orders as they stand now, in the order given, which is also the order of their numbers.
///
/// It writes messaging's outbox as well: a statement of its own costs a lone order more time than its row.
pub(crate) async fn insert_all(
    tx: &mut PgTransaction<'_>,
    new: &[&NewOrder],
) -> Result<Vec<Order>, OutboxError> {
    let ids: Vec<Uuid> = new.iter().map(|order| order.id.as_uuid()).collect();
    let users: Vec<i64> = new.iter().map(|order| order.user_id.as_i64()).collect();
    let amounts: Vec<i64> = new
        .iter()
        .map(|order| order.price.money().amount_minor)
        .collect();
    let currencies: Vec<&str> = new
        .iter()
        .map(|order| order.price.money().currency.code())
        .collect();
    let descriptions: Vec<&str> = new.iter().map(|order| order.description.as_str()).collect();
    let trace_ids: Vec<String> = new.iter().map(|order| order.trace.trace_id()).collect();
    let traceparents: Vec<Option<String>> =
        new.iter().map(|order| order.trace.recorded()).collect();
    let event_ids: Vec<Uuid> = new.iter().map(|order| order.event_id.as_uuid()).collect();
    let placed_at: Vec<OffsetDateTime> = new.iter().map(|order| order.placed_at).collect();
    let mut events = outbox::Batch::default();
    for order in new {
        events.add_as(order.event_id, &OrderPlaced::from(*order), &order.trace)?;
    }
    let outbox = events.columns();
    let placed = sqlx::query!(
        r#"with placed as (
            insert into orders.orders (
                id, user_id, amount_minor, currency, description, status, version, trace_id, created_at)
            select id, user_id, amount_minor, currency, description, $8, $9, trace_id, created_at
            from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::timestamptz[])
                with ordinality
                as new (id, user_id, amount_minor, currency, description, trace_id, created_at, position)
            order by position
            returning id, number
        ), remembered as (
            insert into orders.status_history (order_id, user_id, version, status, at, traceparent, event_id)
            select id, user_id, $9, $8, created_at, traceparent, event_id
            from unnest($1::uuid[], $2::bigint[], $7::timestamptz[], $10::text[], $11::uuid[])
                as new (id, user_id, created_at, traceparent, event_id)
        ), appended as (
            insert into messaging.outbox (lane, key, event_id, type, traceparent, body)
            select lane, key, event_id, type, traceparent, body
            from unnest($12::smallint[], $13::uuid[], $14::uuid[], $15::text[], $16::text[], $17::bytea[])
                with ordinality as event (lane, key, event_id, type, traceparent, body, position)
            order by position
        )
        select id as "id: OrderId", number from placed"#,
        &ids,
        &users,
        &amounts,
        &currencies as &[&str],
        &descriptions as &[&str],
        &trace_ids,
        &placed_at,
        Status::New.as_str(),
        Order::FIRST_VERSION,
        &traceparents as &[Option<String>],
        &event_ids,
        outbox.lanes,
        outbox.keys,
        outbox.event_ids,
        outbox.types,
        outbox.traceparents,
        outbox.bodies,
    )
    .fetch_all(&mut **tx)
    .await;
    events.appended(&placed);
    let numbers: HashMap<OrderId, i64> = placed?
        .into_iter()
        .map(|row| (row.id, row.number))
        .collect();
    new.iter()
        .map(|order| {
            let number = *numbers.get(&order.id).ok_or(sqlx::Error::RowNotFound)?;
            Ok(order.placed(number))
        })
        .collect()
}

impl NewOrder {
    /// The order with the number it was given.
    fn placed(&self, number: i64) -> Order {
        Order {
            id: self.id,
            number,
            user_id: self.user_id,
            description: self.description.as_str().to_owned(),
            amount: self.price.money(),
            status: Status::New,
            reason: None,
            version: Order::FIRST_VERSION,
            trace_id: self.trace.trace_id(),
            created_at: self.placed_at,
            decided_at: None,
        }
    }
}

impl From<&NewOrder> for OrderPlaced {
    fn from(order: &NewOrder) -> Self {
        Self {
            order_id: order.id,
            user_id: order.user_id,
            amount: order.price.money(),
            placed_at: Some(order.placed_at),
        }
    }
}
