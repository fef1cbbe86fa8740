//! Reading what became visible in the status history between two snapshots: the tail of all users, the resume of one.

use contracts::{DeclineReason, Money, OrderId, UserId};
use messaging::snapshot::Snapshot;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    position::{parse, xid},
    row::{money, reason},
};
use crate::status::Status;

/// One row of the status history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) id: i64,
    pub(crate) xid: u64,
    pub(crate) order_id: OrderId,
    pub(crate) user_id: UserId,
    pub(crate) version: i32,
    pub(crate) status: Status,
    pub(crate) reason: Option<DeclineReason>,
    pub(crate) at: OffsetDateTime,
}

/// What became visible since a snapshot.
#[derive(Debug)]
pub(crate) struct Difference {
    /// The rows, lowest id first; as many as the limit if there may be more.
    pub(crate) changes: Vec<Change>,
    /// The snapshot of the very statement that read them.
    pub(crate) snapshot: Snapshot,
}

/// What never changes about an order, and its row in the history does not say.
#[derive(Debug, Clone)]
pub(crate) struct Contents {
    pub(crate) number: i64,
    pub(crate) description: String,
    pub(crate) amount: Money,
    pub(crate) trace_id: String,
    pub(crate) created_at: OffsetDateTime,
}

/// Reads up to `limit` changes that `since` does not see. The rows and the snapshot come from one statement, so the
/// snapshot sees exactly what was there to be read.
pub(crate) async fn read_since(
    connection: &mut PgConnection,
    since: &Snapshot,
    limit: i64,
) -> Result<Difference, sqlx::Error> {
    // Below the present, because after a logical restore old rows carry numbers that this cluster has yet to give: they
    // would be new at every read. Materialised without an order, so that the index on xid serves it: with the order inside, the planner may walk
    // the primary key from the first row that ever was.
    let rows = sqlx::query!(
        r#"with present as materialized (
            select pg_current_snapshot()::text as snapshot
        ), fresh as materialized (
            select id, xid, order_id, user_id, version, status, reason, at
            from orders.status_history
            where (xid >= $1::text::xid8 and xid < pg_snapshot_xmax(pg_current_snapshot()))
               or xid = any($2::text[]::xid8[])
        )
        select present.snapshot as "snapshot!", fresh.id as "id?", fresh.xid::text::bigint as xid,
               fresh.order_id as "order_id?: OrderId", fresh.user_id as "user_id?: UserId",
               fresh.version as "version?", fresh.status as "status?: Status", fresh.reason as "reason?",
               fresh.at as "at?"
        from present left join fresh on true
        order by fresh.id
        limit $3"#,
        since.xmax_text(),
        &since.in_progress_texts(),
        limit,
    )
    .fetch_all(connection)
    .await?;
    let snapshot = rows
        .first()
        .ok_or(sqlx::Error::RowNotFound)?
        .snapshot
        .as_str();
    let snapshot = parse(snapshot)?;
    let changes = rows
        .into_iter()
        .filter_map(|row| {
            Some(ChangeRow {
                id: row.id?,
                xid: row.xid?,
                order_id: row.order_id?,
                user_id: row.user_id?,
                version: row.version?,
                status: row.status?,
                reason: row.reason,
                at: row.at?,
            })
        })
        .map(Change::try_from)
        .collect::<Result<_, _>>()?;
    Ok(Difference { changes, snapshot })
}

/// Reads the next page of a large difference: the changes after `after_id` that `until` sees and `since` does not.
pub(crate) async fn read_page(
    connection: &mut PgConnection,
    since: &Snapshot,
    until: &Snapshot,
    after_id: i64,
    limit: i64,
) -> Result<Vec<Change>, sqlx::Error> {
    sqlx::query_as!(
        ChangeRow,
        r#"select id, xid::text::bigint as "xid!", order_id, user_id, version, status, reason, at
        from orders.status_history
        where id > $1
          and pg_visible_in_snapshot(xid, $2::text::pg_snapshot)
          and not pg_visible_in_snapshot(xid, $3::text::pg_snapshot)
        order by id
        limit $4"#,
        after_id,
        until.to_string(),
        since.to_string(),
        limit,
    )
    .fetch_all(connection)
    .await?
    .into_iter()
    .map(Change::try_from)
    .collect()
}

/// The contents of these orders, for the tail.
pub(crate) async fn contents(
    connection: &mut PgConnection,
    ids: &[Uuid],
) -> Result<Vec<(OrderId, Contents)>, sqlx::Error> {
    let rows = sqlx::query!(
        "select id, number, description, amount_minor, currency, trace_id, created_at
        from orders.orders
        where id = any($1)",
        ids,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            let amount = money(row.amount_minor, &row.currency)?;
            Ok((
                row.id,
                Contents {
                    number: row.number,
                    description: row.description,
                    amount,
                    trace_id: row.trace_id,
                    created_at: row.created_at,
                },
            ))
        })
        .collect()
}

/// The orders of the user's changes that `since` does not see: an id per change, at most `limit`.
pub(crate) async fn changed_orders(
    connection: &mut PgConnection,
    user_id: UserId,
    since: &Snapshot,
    limit: i64,
) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select order_id as "order_id: Uuid"
        from orders.status_history
        where user_id = $1
          and ((xid >= $2::text::xid8 and xid < pg_snapshot_xmax(pg_current_snapshot()))
               or xid = any($3::text[]::xid8[]))
        limit $4"#,
        user_id.as_i64(),
        since.xmax_text(),
        &since.in_progress_texts(),
        limit,
    )
    .fetch_all(connection)
    .await
}

struct ChangeRow {
    id: i64,
    xid: i64,
    order_id: OrderId,
    user_id: UserId,
    version: i32,
    status: Status,
    reason: Option<String>,
    at: OffsetDateTime,
}

impl TryFrom<ChangeRow> for Change {
    type Error = sqlx::Error;

    fn try_from(row: ChangeRow) -> Result<Self, Self::Error> {
        Ok(Self {
            id: row.id,
            xid: xid(row.xid),
            order_id: row.order_id,
            user_id: row.user_id,
            version: row.version,
            status: row.status,
            reason: reason(row.reason.as_deref())?,
            at: row.at,
        })
    }
}

#[cfg(test)]
mod tests;
