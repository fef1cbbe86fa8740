//! Writing a new order.

use contracts::{OrderId, UserId};
use sqlx::PgTransaction;
use time::OffsetDateTime;

use crate::{
    order::{Description, Order, Price},
    status::Status,
};

/// An order that is about to be placed.
#[derive(Debug)]
pub(crate) struct NewOrder {
    pub(crate) id: OrderId,
    pub(crate) user_id: UserId,
    pub(crate) description: Description,
    pub(crate) price: Price,
    pub(crate) trace_id: String,
    pub(crate) placed_at: OffsetDateTime,
}

/// Inserts the order with the first row of its history, in one statement.
pub(crate) async fn insert(
    tx: &mut PgTransaction<'_>,
    order: &NewOrder,
) -> Result<Order, sqlx::Error> {
    let money = order.price.money();
    let number = sqlx::query_scalar!(
        "with placed as (
            insert into orders.orders (
                id, user_id, amount_minor, currency, description, status, version, trace_id, created_at)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
            returning id, number, user_id, version, status, created_at
        ), remembered as (
            insert into orders.status_history (order_id, user_id, version, status, at)
            select id, user_id, version, status, created_at from placed
        )
        select number from placed",
        order.id.as_uuid(),
        order.user_id.as_i64(),
        money.amount_minor,
        money.currency.code(),
        order.description.as_str(),
        Status::New.as_str(),
        Order::FIRST_VERSION,
        order.trace_id,
        order.placed_at,
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(Order {
        id: order.id,
        number,
        user_id: order.user_id,
        description: order.description.as_str().to_owned(),
        amount: money,
        status: Status::New,
        reason: None,
        version: Order::FIRST_VERSION,
        trace_id: order.trace_id.clone(),
        created_at: order.placed_at,
        decided_at: None,
    })
}
