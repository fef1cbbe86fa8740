//! What an audit reads of the order service: every order with its history, by id, and what set-based checks find.
//!
//! All functions read in the transaction they are given, so that its one snapshot serves them all; they see all users'
//! rows only as the login `audit`.

use contracts::{Message, OrderId, OrderPlaced, RefundRequested, UserId};
use messaging::audit::Finding;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::row::reason;
use crate::status::{Reason, Status};

/// What the two tables say under one order id; one of the two is always there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditedOrder {
    /// The order.
    pub id: OrderId,
    /// Its row.
    pub order: Option<OrderFacts>,
    /// Its status history, in short.
    pub history: Option<HistoryFacts>,
}

/// An order as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderFacts {
    /// Whose it is.
    pub user_id: UserId,
    /// What it costs, in minor units.
    pub amount_minor: i64,
    /// The currency's code.
    pub currency: String,
    /// Where it stands.
    pub status: Status,
    /// Why it was cancelled.
    pub reason: Option<Reason>,
    /// Counts its changes.
    pub version: i32,
    /// When it was accepted.
    pub created_at: OffsetDateTime,
}

/// An order's history, folded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryFacts {
    /// How many rows it has.
    pub rows: i64,
    /// The lowest version.
    pub first_version: i32,
    /// The status of that version.
    pub first_status: Status,
    /// The highest version.
    pub last_version: i32,
    /// The status of that version.
    pub last_status: Status,
    /// When it took it.
    pub last_at: OffsetDateTime,
    /// Whose it is, as its rows say; the lowest and the highest, which are the same unless something is wrong.
    pub users: (UserId, UserId),
}

/// The id of the last of `limit` orders from `first` on; none if there are fewer.
pub async fn page_end(
    connection: &mut PgConnection,
    first: Uuid,
    limit: i64,
) -> Result<Option<Uuid>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select id as "id: Uuid" from orders.orders where id >= $1 order by id offset $2 limit 1"#,
        first,
        limit - 1,
    )
    .fetch_optional(connection)
    .await
}

/// The orders of a range of ids, both ends included, sorted by id. A history without an order is in its place.
pub async fn range(
    connection: &mut PgConnection,
    first: Uuid,
    last: Uuid,
) -> Result<Vec<AuditedOrder>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"with placed as (
            select id, user_id, amount_minor, currency, status, reason, version, created_at
            from orders.orders
            where id between $1 and $2
        ), told as (
            select order_id, count(*) as rows, min(version) as first_version, max(version) as last_version,
                   (array_agg(status order by version))[1] as first_status,
                   (array_agg(status order by version desc))[1] as last_status,
                   (array_agg(at order by version desc))[1] as last_at,
                   min(user_id) as lowest_user, max(user_id) as highest_user
            from orders.status_history
            where order_id between $1 and $2
            group by order_id
        )
        select coalesce(id, order_id) as "id!: OrderId", user_id as "user_id?: UserId",
               amount_minor as "amount_minor?", currency as "currency?", status as "status?: Status", reason as "reason?",
               version as "version?", created_at as "created_at?", rows as "rows?", first_version as "first_version?",
               last_version as "last_version?", first_status as "first_status?: Status",
               last_status as "last_status?: Status", last_at as "last_at?", lowest_user as "lowest_user?: UserId",
               highest_user as "highest_user?: UserId"
        from placed full join told on told.order_id = placed.id
        order by 1"#,
        first,
        last,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            let reason = reason(row.reason.as_deref())?;
            let order = || {
                Some(OrderFacts {
                    user_id: row.user_id?,
                    amount_minor: row.amount_minor?,
                    currency: row.currency?,
                    status: row.status?,
                    reason,
                    version: row.version?,
                    created_at: row.created_at?,
                })
            };
            let history = || {
                Some(HistoryFacts {
                    rows: row.rows?,
                    first_version: row.first_version?,
                    first_status: row.first_status?,
                    last_version: row.last_version?,
                    last_status: row.last_status?,
                    last_at: row.last_at?,
                    users: (row.lowest_user?, row.highest_user?),
                })
            };
            Ok(AuditedOrder {
                id: row.id,
                history: history(),
                order: order(),
            })
        })
        .collect()
}

/// Idempotency keys that stand for an order which is not there.
pub async fn keys_without_order(
    connection: &mut PgConnection,
    limit: i64,
) -> Result<Vec<Finding>, sqlx::Error> {
    sqlx::query_as!(
        Finding,
        r#"select 'order ' || accepted.resource_id as "subject!",
               'accepted for user ' || accepted.user_id || ' under an idempotency key, and not there' as "detail!",
               count(*) over () as "total!"
        from messaging.idempotency_key as accepted
        where not exists (select from orders.orders where orders.id = accepted.resource_id)
        order by accepted.resource_id
        limit $1"#,
        limit,
    )
    .fetch_all(connection)
    .await
}

/// Requests for payment or refund in the outbox whose order is not there.
pub async fn requests_without_order(
    connection: &mut PgConnection,
    limit: i64,
) -> Result<Vec<Finding>, sqlx::Error> {
    sqlx::query_as!(
        Finding,
        r#"select 'order ' || request.key as "subject!",
               'its money is asked for by event ' || request.event_id || ', and it is not there' as "detail!",
               count(*) over () as "total!"
        from messaging.outbox as request
        where request.type in ($1, $2) and not exists (select from orders.orders where orders.id = request.key)
        order by request.key
        limit $3"#,
        OrderPlaced::TYPE,
        RefundRequested::TYPE,
        limit,
    )
    .fetch_all(connection)
    .await
}

/// Undecided orders whose request for payment is not in the outbox, though it is kept that long, or can never be sent.
pub async fn orders_without_request(
    connection: &mut PgConnection,
    limit: i64,
) -> Result<Vec<Finding>, sqlx::Error> {
    // The start of the oldest partition and some minutes: the instant in the order is of another clock than the one
    // that chose the partition.
    sqlx::query_as!(
        Finding,
        r#"select 'order ' || placed.id as "subject!",
               case when exists (select from messaging.parked where parked.key = placed.id)
                   then 'NEW, and what asks for its payment is parked: it can never be sent'
                   else 'NEW, and nothing in the outbox asks for its payment'
               end as "detail!",
               count(*) over () as "total!"
        from orders.orders as placed
        where placed.status = 'NEW'
          and placed.created_at > (
              select to_timestamp(min(right(partition.relname, 8)), 'YYYYMMDD')::timestamp at time zone 'utc'
                     + interval '10 minutes'
              from pg_inherits join pg_class as partition on partition.oid = inhrelid
              where inhparent = 'messaging.outbox'::regclass
          )
          and not exists (
              select from messaging.outbox as request
              where request.key = placed.id and request.type = $1
                and not exists (select from messaging.parked where parked.outbox_id = request.id)
          )
        order by placed.id
        limit $2"#,
        OrderPlaced::TYPE,
        limit,
    )
    .fetch_all(connection)
    .await
}

/// Orders that were given up and whose request for the money is not in the outbox, though it is kept that long, or can
/// never be sent.
pub async fn refunds_without_request(
    connection: &mut PgConnection,
    limit: i64,
) -> Result<Vec<Finding>, sqlx::Error> {
    sqlx::query_as!(
        Finding,
        r#"select 'order ' || given_up.id as "subject!",
               case when exists (select from messaging.parked where parked.key = given_up.id)
                   then 'REFUNDING, and what asks for its money is parked: it can never be sent'
                   else 'REFUNDING, and nothing in the outbox asks for its money'
               end as "detail!",
               count(*) over () as "total!"
        from orders.orders as given_up
        where given_up.status = 'REFUNDING'
          and (
              select max(at) from orders.status_history
              where status_history.order_id = given_up.id and status_history.status = 'REFUNDING'
          ) > (
              select to_timestamp(min(right(partition.relname, 8)), 'YYYYMMDD')::timestamp at time zone 'utc'
                     + interval '10 minutes'
              from pg_inherits join pg_class as partition on partition.oid = inhrelid
              where inhparent = 'messaging.outbox'::regclass
          )
          and not exists (
              select from messaging.outbox as request
              where request.key = given_up.id and request.type = $1
                and not exists (select from messaging.parked where parked.outbox_id = request.id)
          )
        order by given_up.id
        limit $2"#,
        RefundRequested::TYPE,
        limit,
    )
    .fetch_all(connection)
    .await
}
