//! Counting the undecided orders, once per place that the tail takes.

use sqlx::{Connection, PgConnection};

use super::position::{self, Position};

/// The present, and how many orders are NEW in it: both from one snapshot, so that whoever adds and subtracts what
/// becomes visible after that place always has the exact number.
///
/// Orders up to the reconciler's mark are decided or in its table of stuck ones, so only those beyond it are looked at:
/// the newest `limit` of them at most, should the reconciler have been away for long.
pub(crate) async fn present_and_undecided(
    connection: &mut PgConnection,
    limit: i64,
) -> Result<(Position, i64), sqlx::Error> {
    let mut tx = connection
        .begin_with("begin isolation level repeatable read read only")
        .await?;
    let present = position::present(&mut tx).await?;
    // The stuck ones are looked up one by one: joined, the planner may read all orders.
    let undecided = sqlx::query_scalar!(
        r#"select (
            select count(*)
            from (
                select status
                from orders.orders
                where id > coalesce((select mark from orders.reconciler), '00000000-0000-0000-0000-000000000000')
                order by id desc
                limit $1
            ) as recent
            where recent.status = 'NEW'
        ) + (
            select count(*)
            from orders.stuck
            where (select status from orders.orders where orders.id = stuck.order_id) = 'NEW'
        ) as "undecided!""#,
        limit,
    )
    .fetch_one(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok((present, undecided))
}
