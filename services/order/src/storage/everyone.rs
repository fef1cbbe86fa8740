//! The original's list of all users' orders: the one read that crosses users, through a role of its own, demo mode only.

use messaging::pool::Pool;

use super::row::{OrderRow, orders};
use crate::order::Order;

/// The newest orders of everyone.
pub(crate) async fn newest(
    pool: &Pool,
    everyone_role: &str,
    limit: i64,
) -> Result<Vec<Order>, sqlx::Error> {
    let mut tx = pool.begin().await?;
    // `set local role`, in the one form that takes the name as a parameter; it ends with the transaction.
    sqlx::query!("select set_config('role', $1, true)", everyone_role)
        .fetch_one(&mut *tx)
        .await?;
    let rows = sqlx::query_as!(
        OrderRow,
        "select id, number, user_id, amount_minor, currency, description, status, version, reason, trace_id,
                created_at, decided_at
        from orders.orders
        order by number desc
        limit $1",
        limit,
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.commit().await?;
    orders(rows)
}
