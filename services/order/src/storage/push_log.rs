//! The push log as rows: arrays of what one replica told within a short time.

use contracts::OrderId;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::limits;

/// A version of an order that sockets took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pushed {
    pub(crate) order_id: OrderId,
    pub(crate) version: i32,
    /// When the first of them took it.
    pub(crate) at: OffsetDateTime,
    /// How many took it.
    pub(crate) sockets: i32,
}

/// Who told an order's versions, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) replica: String,
    pub(crate) version: i32,
    pub(crate) at: OffsetDateTime,
    pub(crate) sockets: i32,
}

/// Writes down what a replica told, as one row.
pub(crate) async fn append(
    connection: &mut PgConnection,
    replica: &str,
    pushed: &[Pushed],
) -> Result<(), sqlx::Error> {
    let ids: Vec<Uuid> = pushed.iter().map(|it| it.order_id.as_uuid()).collect();
    let (Some(first), Some(last)) = (ids.iter().min(), ids.iter().max()) else {
        return Ok(());
    };
    let versions: Vec<i32> = pushed.iter().map(|it| it.version).collect();
    let instants: Vec<OffsetDateTime> = pushed.iter().map(|it| it.at).collect();
    let sockets: Vec<i32> = pushed.iter().map(|it| it.sockets).collect();
    sqlx::query!(
        "insert into orders.push_log (replica, first_order, last_order, order_ids, versions, pushed_at, sockets)
         values ($1, $2, $3, $4, $5, $6, $7)",
        replica,
        first,
        last,
        &ids,
        &versions,
        &instants,
        &sockets,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The most tellings of one order.
const TOLD_MAX: i64 = 100;

/// What was told of an order, oldest first.
pub(crate) async fn of_order(
    connection: &mut PgConnection,
    order_id: OrderId,
) -> Result<Vec<Told>, sqlx::Error> {
    sqlx::query_as!(
        Told,
        r#"select replica, version as "version!", at as "at!", told.sockets as "sockets!"
        from orders.push_log,
             unnest(order_ids, versions, pushed_at, push_log.sockets) as told (order_id, version, at, sockets)
        where first_order <= $1 and last_order >= $1 and told.order_id = $1
        order by at
        limit $2"#,
        order_id.as_uuid(),
        TOLD_MAX,
    )
    .fetch_all(connection)
    .await
}

/// Deletes some of the rows that are older than the log is kept.
pub(crate) async fn forget(connection: &mut PgConnection) -> Result<u64, sqlx::Error> {
    let deleted = sqlx::query!(
        "delete from orders.push_log
        where ctid = any (array(
            select ctid from orders.push_log
            where written_at < now() - make_interval(secs => $1)
            limit $2
        ))",
        limits::PUSH_LOG_KEPT.as_secs_f64(),
        limits::PUSH_LOG_FORGOTTEN_ROWS,
    )
    .execute(connection)
    .await?;
    Ok(deleted.rows_affected())
}
