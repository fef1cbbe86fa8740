//! Writing new orders.

use std::collections::HashMap;

use contracts::{EventId, OrderId, OrderPlaced, TraceContext, UserId};
use messaging::{
    idempotency::Columns,
    outbox::{self, OutboxError},
};
use sqlx::PgConnection;
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

/// What an order's placing depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gate {
    /// That the key which makes it is free.
    Key,
    /// Nothing: the request has no key.
    Open,
}

/// Places orders: enters keys, and inserts those orders whose keys it could enter, and those that have none, each with the
/// first row of its history and the event that reports it. All in one statement, which is a transaction of its own where the
/// caller has begun none. Says the placed orders as they stand now, in the order given, which is also the order of their
/// numbers.
///
/// It writes messaging's tables as well: statements of their own cost a lone order more time than its rows.
pub(crate) async fn place_all(
    connection: &mut PgConnection,
    new: &[(&NewOrder, Gate)],
    claimed: &Columns<'_>,
) -> Result<Vec<Order>, OutboxError> {
    let keyless: Vec<bool> = new.iter().map(|(_, gate)| *gate == Gate::Open).collect();
    let new: Vec<&NewOrder> = new.iter().map(|(order, _)| *order).collect();
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
    let placed_at: Vec<OffsetDateTime> = new.iter().map(|order| order.placed_at).collect();
    let mut events = outbox::Batch::default();
    for order in &new {
        events.add_as(order.event_id, &OrderPlaced::from(*order), &order.trace)?;
    }
    let outbox = events.columns();
    let placed = sqlx::query!(
        r#"with claimed as (
            insert into messaging.idempotency_key as stored (user_id, key, request_digest, resource_id)
            select user_id, key, digest, resource_id
            from unnest($1::bigint[], $2::text[], $3::bytea[], $4::uuid[]) as attempt (user_id, key, digest, resource_id)
            order by user_id, key collate "C"
            on conflict (user_id, key) do update
                set request_digest = excluded.request_digest, resource_id = excluded.resource_id, created_at = now()
                where stored.created_at < now() - interval '24 hours'
            returning resource_id
        ), new as (
            select *
            from unnest($5::uuid[], $6::boolean[], $7::bigint[], $8::bigint[], $9::text[], $10::text[], $11::text[],
                        $12::timestamptz[], $13::text[], $14::smallint[], $15::uuid[], $16::text[], $17::text[], $18::bytea[])
                with ordinality
                as new (id, keyless, user_id, amount_minor, currency, description, trace_id, created_at, recorded,
                        lane, event_id, type, traceparent, body, position)
            where keyless or id in (select resource_id from claimed)
        ), placed as (
            insert into orders.orders (
                id, user_id, amount_minor, currency, description, status, version, trace_id, created_at)
            select id, user_id, amount_minor, currency, description, $19, $20, trace_id, created_at
            from new
            order by position
            returning id, number
        ), remembered as (
            insert into orders.status_history (order_id, user_id, version, status, at, traceparent, event_id)
            select id, user_id, $20, $19, created_at, recorded, event_id
            from new
        ), appended as (
            insert into messaging.outbox (lane, key, event_id, type, traceparent, body)
            select lane, id, event_id, type, traceparent, body
            from new
            order by position
        )
        select id as "id: OrderId", number from placed"#,
        &claimed.user_ids,
        &claimed.keys as &[&str],
        &claimed.digests as &[&[u8]],
        &claimed.resource_ids,
        &ids,
        &keyless,
        &users,
        &amounts,
        &currencies as &[&str],
        &descriptions as &[&str],
        &trace_ids,
        &placed_at,
        &traceparents as &[Option<String>],
        outbox.lanes,
        outbox.event_ids,
        outbox.types,
        outbox.traceparents,
        outbox.bodies,
        Status::New.as_str(),
        Order::FIRST_VERSION,
    )
    .fetch_all(connection)
    .await
    .map(|rows| {
        let numbers = rows.into_iter().map(|row| (row.id, row.number));
        numbers.collect::<HashMap<OrderId, i64>>()
    });
    if let Ok(numbers) = &placed {
        events.left_out(|key| !numbers.contains_key(&OrderId::from(key)));
    }
    events.appended(&placed);
    let numbers = placed?;
    let placed = new
        .iter()
        .filter_map(|order| Some(order.placed(*numbers.get(&order.id)?)));
    Ok(placed.collect())
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
