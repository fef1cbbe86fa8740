//! What the reconciler reads and writes: its lease, its walk along the orders, the stuck ones, and the audit of its work.

use std::{collections::HashMap, time::Duration};

use contracts::{EventId, OrderId, TraceContext};
use sqlx::{PgConnection, PgTransaction};
use time::OffsetDateTime;
use uuid::Uuid;

use super::row::{OrderRow, orders};
use crate::{order::Order, status::Status};

/// What the holder of the lease starts its turn from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Held {
    /// Every order up to this id is decided or stuck.
    pub(crate) mark: Uuid,
    /// Every order that became REFUNDING up to this instant and, at it, up to this id, is refunded or stuck.
    pub(crate) refund_mark_at: OffsetDateTime,
    pub(crate) refund_mark_order_id: Uuid,
    /// The instant of this transaction by the database's clock: also when its outbox rows are appended.
    pub(crate) now: OffsetDateTime,
}

/// A page of the walk.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Walked {
    /// The orders looked at.
    pub(crate) orders: i64,
    /// Those of them that are stuck.
    pub(crate) found: i64,
}

/// Stuck orders looked at once more.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Swept {
    /// Where the next page begins; none when this was the last one.
    pub(crate) next: Option<Uuid>,
    /// How many were decided meanwhile.
    pub(crate) decided: i64,
}

/// A stuck order whose turn it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Due {
    pub(crate) order_id: OrderId,
    /// The status it is stuck in, and since when.
    pub(crate) status: Status,
    pub(crate) attempts: i32,
    pub(crate) since: OffsetDateTime,
}

/// A request that was appended again.
#[derive(Debug)]
pub(crate) struct Repeated {
    pub(crate) order_id: OrderId,
    pub(crate) user_id: i64,
    pub(crate) status: Status,
    pub(crate) attempt: i32,
    pub(crate) event_id: EventId,
    pub(crate) why: String,
    pub(crate) next_attempt_at: OffsetDateTime,
}

/// Takes the lease or keeps it, and locks it until the transaction ends: what is written after this is written by the
/// one holder, however long its process was frozen before. None while another process holds it.
pub(crate) async fn hold(
    tx: &mut PgTransaction<'_>,
    holder: Uuid,
    lease: Duration,
) -> Result<Option<Held>, sqlx::Error> {
    sqlx::query_as!(
        Held,
        r#"insert into orders.reconciler as kept (holder, lease_until)
        values ($1, now() + make_interval(secs => $2))
        on conflict (one) do update
        set holder = excluded.holder, lease_until = excluded.lease_until
        where kept.holder is null or kept.holder = excluded.holder or kept.lease_until < now()
        returning mark, refund_mark_at, refund_mark_order_id, now() as "now!""#,
        holder,
        lease.as_secs_f64(),
    )
    .fetch_optional(&mut **tx)
    .await
}

/// Gives the lease up, so that another process goes on at once.
pub(crate) async fn release(
    connection: &mut PgConnection,
    holder: Uuid,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update orders.reconciler set holder = null, lease_until = null where holder = $1",
        holder
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Walks on from the mark: up to `limit` orders with ids below `until`. The mark moves behind them, and those that are
/// NEW become stuck ones, in one statement.
pub(crate) async fn walk(
    tx: &mut PgTransaction<'_>,
    held: Held,
    until: Uuid,
    limit: i64,
) -> Result<Walked, sqlx::Error> {
    sqlx::query_as!(
        Walked,
        r#"with page as materialized (
            select id, status, created_at
            from orders.orders
            where id > $1 and id < $2
            order by id
            limit $3
        ), found as (
            insert into orders.stuck (order_id, since, requested_at, next_attempt_at)
            select id, created_at, $4, $4 from page where status = 'NEW'
            on conflict (order_id) do nothing
        ), moved as (
            update orders.reconciler
            set mark = last.id
            from (select id from page order by id desc limit 1) as last
        )
        select count(*) as "orders!", count(*) filter (where status = 'NEW') as "found!" from page"#,
        held.mark,
        until,
        limit,
        held.now,
    )
    .fetch_one(&mut **tx)
    .await
}

/// The same along the orders that were given up before `until`, in the order in which they became REFUNDING: those that
/// still are become stuck ones.
pub(crate) async fn walk_refunds(
    tx: &mut PgTransaction<'_>,
    held: Held,
    until: OffsetDateTime,
    limit: i64,
) -> Result<Walked, sqlx::Error> {
    // One that was stuck while it was NEW may not have been swept yet. The orders are looked up one by one: joined, the
    // planner may read all of them.
    sqlx::query_as!(
        Walked,
        r#"with page as materialized (
            select order_id, at
            from orders.status_history
            where status = 'REFUNDING' and (at, order_id) > ($1, $2) and at < $3
            order by at, order_id
            limit $4
        ), looked as materialized (
            select order_id, at, (select status from orders.orders where orders.id = page.order_id) as status
            from page
        ), found as (
            insert into orders.stuck as known (order_id, status, since, requested_at, next_attempt_at)
            select order_id, status, at, $5, $5 from looked where status = 'REFUNDING'
            on conflict (order_id) do update
            set status = excluded.status, since = excluded.since, attempts = 0,
                requested_at = excluded.requested_at, next_attempt_at = excluded.next_attempt_at
            where known.status <> excluded.status
        ), moved as (
            update orders.reconciler
            set refund_mark_at = last.at, refund_mark_order_id = last.order_id
            from (select at, order_id from page order by at desc, order_id desc limit 1) as last
        )
        select count(*) as "orders!", count(*) filter (where status = 'REFUNDING') as "found!" from looked"#,
        held.refund_mark_at,
        held.refund_mark_order_id,
        until,
        limit,
        held.now,
    )
    .fetch_one(&mut **tx)
    .await
}

/// Looks at up to `limit` stuck orders after an id, and forgets those that do not stand any more where they were stuck.
pub(crate) async fn sweep(
    tx: &mut PgTransaction<'_>,
    after: Uuid,
    limit: i64,
) -> Result<Swept, sqlx::Error> {
    // Each order is looked up by its key in a query of its own: joined, the planner may read all orders.
    sqlx::query_as!(
        Swept,
        r#"with looked as materialized (
            select order_id from orders.stuck where order_id > $1 order by order_id limit $2
        ), decided as (
            delete from orders.stuck
            using looked
            where stuck.order_id = looked.order_id
              and (select status from orders.orders where orders.id = looked.order_id) is distinct from stuck.status
            returning stuck.order_id
        )
        select (select order_id from looked order by order_id offset $2 - 1) as "next: Uuid",
               (select count(*) from decided) as "decided!""#,
        after,
        limit,
    )
    .fetch_one(&mut **tx)
    .await
}

/// The stuck orders whose next attempt is due and whose last request the outbox has let go: all that was appended before
/// `published_until` is published.
pub(crate) async fn due(
    tx: &mut PgTransaction<'_>,
    now: OffsetDateTime,
    published_until: OffsetDateTime,
    limit: i64,
) -> Result<Vec<Due>, sqlx::Error> {
    sqlx::query_as!(
        Due,
        r#"select order_id, status as "status: Status", attempts, since
        from orders.stuck
        where next_attempt_at <= $1 and requested_at < $2
        order by next_attempt_at
        limit $3"#,
        now,
        published_until,
        limit,
    )
    .fetch_all(&mut **tx)
    .await
}

/// Those of the orders that are NEW or REFUNDING, locked so that they stay so; always in the order of their ids, as settlement
/// locks them. The condition is checked again on a row that was waited for.
pub(crate) async fn lock_waiting(
    tx: &mut PgTransaction<'_>,
    ids: &[Uuid],
) -> Result<Vec<Order>, sqlx::Error> {
    let rows = sqlx::query_as!(
        OrderRow,
        "select id, number, user_id, amount_minor, currency, description, status, version, reason, trace_id,
                created_at, decided_at
        from orders.orders
        where id = any($1) and status in ('NEW', 'REFUNDING')
        order by id
        for no key update",
        ids,
    )
    .fetch_all(&mut **tx)
    .await?;
    orders(rows)
}

/// The spans that placed the orders, or gave them up if they were, where their traces are recorded.
pub(crate) async fn recorded_requests(
    tx: &mut PgTransaction<'_>,
    ids: &[Uuid],
) -> Result<HashMap<OrderId, TraceContext>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select order_id as "order_id: OrderId", traceparent as "traceparent!"
        from orders.status_history
        where order_id = any($1) and status in ('NEW', 'REFUNDING') and traceparent is not null
        order by version"#,
        ids,
    )
    .fetch_all(&mut **tx)
    .await?;
    let parsed = rows
        .iter()
        .filter_map(|row| Some((row.order_id, TraceContext::parse(&row.traceparent)?)));
    Ok(parsed.collect())
}

/// Writes the audit of requests that were appended again, and when each may be next.
pub(crate) async fn remember(
    tx: &mut PgTransaction<'_>,
    repeated: &[Repeated],
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    let order_ids: Vec<Uuid> = repeated.iter().map(|one| one.order_id.as_uuid()).collect();
    let attempts: Vec<i32> = repeated.iter().map(|one| one.attempt).collect();
    let statuses: Vec<&str> = repeated.iter().map(|one| one.status.as_str()).collect();
    let user_ids: Vec<i64> = repeated.iter().map(|one| one.user_id).collect();
    let event_ids: Vec<Uuid> = repeated.iter().map(|one| one.event_id.as_uuid()).collect();
    let whys: Vec<&str> = repeated.iter().map(|one| one.why.as_str()).collect();
    let nexts: Vec<OffsetDateTime> = repeated.iter().map(|one| one.next_attempt_at).collect();
    sqlx::query!(
        "with again as materialized (
            select order_id, attempt, user_id, event_id, why, next_attempt_at, status
            from unnest($1::uuid[], $2::integer[], $3::bigint[], $4::uuid[], $5::text[], $6::timestamptz[], $8::text[])
                as again (order_id, attempt, user_id, event_id, why, next_attempt_at, status)
        ), audited as (
            insert into orders.repeated_request (order_id, status, attempt, user_id, event_id, at, why)
            select order_id, status, attempt, user_id, event_id, $7, why from again
        )
        update orders.stuck
        set attempts = again.attempt, requested_at = $7, next_attempt_at = again.next_attempt_at
        from again
        where stuck.order_id = again.order_id",
        &order_ids,
        &attempts,
        &user_ids,
        &event_ids,
        &whys as &[&str],
        &nexts,
        now,
        &statuses as &[&str],
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// No further attempt for these: they stay stuck until they are decided after all.
pub(crate) async fn give_up(tx: &mut PgTransaction<'_>, ids: &[Uuid]) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update orders.stuck set next_attempt_at = null where order_id = any($1)",
        ids
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// How many orders are stuck: those with an attempt to come, and those without.
pub(crate) async fn count_stuck(connection: &mut PgConnection) -> Result<(i64, i64), sqlx::Error> {
    let row = sqlx::query!(
        r#"select count(next_attempt_at) as "retried!", count(*) - count(next_attempt_at) as "given_up!"
        from orders.stuck"#
    )
    .fetch_one(connection)
    .await?;
    Ok((row.retried, row.given_up))
}

/// A page of the stuck orders, oldest first: those after `after`.
pub(crate) async fn stuck_page(
    connection: &mut PgConnection,
    after: Uuid,
    limit: i64,
) -> Result<Vec<crate::reconcile::StuckOrder>, sqlx::Error> {
    sqlx::query_as!(
        crate::reconcile::StuckOrder,
        r#"select order_id, status as "status: Status", since, attempts, next_attempt_at
        from orders.stuck
        where order_id > $1
        order by order_id
        limit $2"#,
        after,
        limit,
    )
    .fetch_all(connection)
    .await
}
