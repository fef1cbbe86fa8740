//! Reading one user's orders. Row level security filters too; the owner stands in every WHERE all the same.

use contracts::{OrderId, UserId};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    position::xid,
    row::{OrderRow, orders},
};
use crate::{order::Order, status::Status};

/// One order, if it is this user's.
pub(crate) async fn find(
    connection: &mut PgConnection,
    user_id: UserId,
    id: OrderId,
) -> Result<Option<Order>, sqlx::Error> {
    sqlx::query_as!(
        OrderRow,
        "select id, number, user_id, amount_minor, currency, description, status, version, reason, trace_id,
                created_at, decided_at
        from orders.orders
        where id = $1 and user_id = $2",
        id.as_uuid(),
        user_id.as_i64(),
    )
    .fetch_optional(connection)
    .await?
    .map(Order::try_from)
    .transpose()
}

/// A page of the user's orders, newest first: those before `before`, or the newest.
pub(crate) async fn page(
    connection: &mut PgConnection,
    user_id: UserId,
    before: Option<OrderId>,
    limit: i64,
) -> Result<Vec<Order>, sqlx::Error> {
    // The largest UUID is no order's: one statement and one index range serve the first page and the others.
    let before = before.map_or(Uuid::max(), OrderId::as_uuid);
    let rows = sqlx::query_as!(
        OrderRow,
        "select id, number, user_id, amount_minor, currency, description, status, version, reason, trace_id,
                created_at, decided_at
        from orders.orders
        where user_id = $1 and id < $2
        order by id desc
        limit $3",
        user_id.as_i64(),
        before,
        limit,
    )
    .fetch_all(connection)
    .await?;
    orders(rows)
}

/// The user's newest orders, newest first, each with the transaction that made it what it is.
pub(crate) async fn newest(
    connection: &mut PgConnection,
    user_id: UserId,
    limit: i64,
) -> Result<Vec<(u64, Order)>, sqlx::Error> {
    // Of a row that has not changed for four billion transactions it says too much: its order is told once more than
    // needed.
    let rows = sqlx::query!(
        r#"select id as "id: OrderId", number, user_id as "user_id: UserId", amount_minor, currency, description,
                  status as "status: Status", version, reason, trace_id, created_at, decided_at,
                  messaging.transaction_of(orders.xmin)::text::bigint as "xid!"
        from orders.orders
        where user_id = $1
        order by id desc
        limit $2"#,
        user_id.as_i64(),
        limit,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            let order = OrderRow {
                id: row.id,
                number: row.number,
                user_id: row.user_id,
                amount_minor: row.amount_minor,
                currency: row.currency,
                description: row.description,
                status: row.status,
                version: row.version,
                reason: row.reason,
                trace_id: row.trace_id,
                created_at: row.created_at,
                decided_at: row.decided_at,
            };
            Ok((xid(row.xid), order.try_into()?))
        })
        .collect()
}
