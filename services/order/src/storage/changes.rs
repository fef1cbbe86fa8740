//! Reading what became visible in the status history between two snapshots.

use std::collections::HashMap;

use contracts::{Money, OrderId, TraceContext, UserId};
use messaging::snapshot::Snapshot;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    position::{parse, xid},
    row::{money, reason},
};
use crate::{
    order::Order,
    status::{Reason, Status},
};

/// One row of the status history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) id: i64,
    pub(crate) xid: u64,
    pub(crate) order_id: OrderId,
    pub(crate) user_id: UserId,
    pub(crate) version: i32,
    pub(crate) status: Status,
    pub(crate) reason: Option<Reason>,
    pub(crate) at: OffsetDateTime,
    /// The span that made the change, if its trace is recorded.
    pub(crate) trace: Option<TraceContext>,
}

/// What became visible since a snapshot.
#[derive(Debug)]
pub(crate) struct Difference {
    /// The rows, lowest id first; none if there are more than the limit.
    pub(crate) changes: Vec<Change>,
    /// Whether there are more than the limit: they are to be read page by page.
    pub(crate) is_large: bool,
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

impl From<&Order> for Contents {
    fn from(order: &Order) -> Self {
        Self {
            number: order.number,
            description: order.description.clone(),
            amount: order.amount,
            trace_id: order.trace_id.clone(),
            created_at: order.created_at,
        }
    }
}

/// Reads the changes that `since` does not see, if they are fewer than `limit`. The rows and the snapshot come from one
/// statement, so the snapshot sees exactly what was there to be read.
pub(crate) async fn read_since(
    connection: &mut PgConnection,
    since: &Snapshot,
    limit: i64,
) -> Result<Difference, sqlx::Error> {
    // Below the present, because after a logical restore old rows carry numbers that this cluster has yet to give: they
    // would be new at every read.
    let rows = sqlx::query!(
        r#"with present as materialized (
            select pg_current_snapshot()::text as snapshot
        ), fresh as materialized (
            select id, xid, order_id, user_id, version, status, reason, at, traceparent
            from orders.status_history
            where (xid >= $1::text::xid8 and xid < pg_snapshot_xmax(pg_current_snapshot()))
               or xid = any($2::text[]::xid8[])
            limit $3
        )
        select present.snapshot as "snapshot!", fresh.id as "id?", fresh.xid::text::bigint as xid,
               fresh.order_id as "order_id?: OrderId", fresh.user_id as "user_id?: UserId",
               fresh.version as "version?", fresh.status as "status?: Status", fresh.reason as "reason?",
               fresh.at as "at?", fresh.traceparent
        from present left join fresh on true
        order by fresh.id"#,
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
    let changes: Vec<Change> = rows
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
                traceparent: row.traceparent,
            })
        })
        .map(Change::try_from)
        .collect::<Result<_, _>>()?;
    let is_large = i64::try_from(changes.len()).is_ok_and(|rows| rows >= limit);
    Ok(Difference {
        changes: if is_large { Vec::new() } else { changes },
        is_large,
        snapshot,
    })
}

/// Reads a page of a large difference: of the changes that `until` sees and `since` does not, those of the first
/// transactions after `after`, whole transactions until there are `limit` rows. The first page, after none, also has
/// those of all transactions that were running at `since`: few, and elsewhere in the index.
pub(crate) async fn read_page(
    connection: &mut PgConnection,
    since: &Snapshot,
    until: &Snapshot,
    after: Option<u64>,
    limit: i64,
) -> Result<Vec<Change>, sqlx::Error> {
    let from = after.map_or(since.xmax(), |after| since.xmax().max(after + 1));
    let running = match after {
        None => since.in_progress_texts(),
        Some(_) => Vec::new(),
    };
    sqlx::query_as!(
        ChangeRow,
        r#"select id as "id!", xid::text::bigint as "xid!", order_id as "order_id!: OrderId",
                  user_id as "user_id!: UserId", version as "version!", status as "status!: Status", reason, at as "at!", traceparent
        from (
            select id, xid, order_id, user_id, version, status, reason, at, traceparent
            from orders.status_history
            where xid = any($3::text[]::xid8[]) and pg_visible_in_snapshot(xid, $2::text::pg_snapshot)
            union all
            (select id, xid, order_id, user_id, version, status, reason, at, traceparent
            from orders.status_history
            where xid >= $1::text::xid8 and xid < pg_snapshot_xmax($2::text::pg_snapshot)
              and pg_visible_in_snapshot(xid, $2::text::pg_snapshot)
            order by status_history.xid
            fetch first ($4::bigint) rows with ties)
        ) as page
        order by id"#,
        from.to_string(),
        until.to_string(),
        &running,
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

/// When these orders left NEW, for the tail.
pub(crate) async fn decided_at(
    connection: &mut PgConnection,
    ids: &[Uuid],
) -> Result<HashMap<OrderId, OffsetDateTime>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select id as "id: OrderId", decided_at as "decided_at!"
        from orders.orders
        where id = any($1) and decided_at is not null"#,
        ids,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.id, row.decided_at))
        .collect())
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
    traceparent: Option<String>,
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
            trace: row.traceparent.as_deref().and_then(TraceContext::parse),
        })
    }
}

#[cfg(test)]
mod tests;
