//! Reading one user's orders. Row level security filters too; the owner stands in every WHERE all the same.

use contracts::{OrderId, UserId};
use sqlx::PgConnection;
use uuid::Uuid;

use super::row::{OrderRow, orders};
use crate::order::Order;

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

/// Those of the user's orders, newest first.
pub(crate) async fn among(
    connection: &mut PgConnection,
    user_id: UserId,
    ids: &[Uuid],
) -> Result<Vec<Order>, sqlx::Error> {
    let rows = sqlx::query_as!(
        OrderRow,
        "select id, number, user_id, amount_minor, currency, description, status, version, reason, trace_id,
                created_at, decided_at
        from orders.orders
        where user_id = $1 and id = any($2)
        order by id desc",
        user_id.as_i64(),
        ids,
    )
    .fetch_all(connection)
    .await?;
    orders(rows)
}
