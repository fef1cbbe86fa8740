//! What the reconciler reads and writes: its lease, its walk along the orders, the stuck ones, and the audit of its work.

use std::{collections::HashMap, time::Duration};

use contracts::{EventId, OrderId, TraceContext};
use sqlx::{PgConnection, PgTransaction};
use time::OffsetDateTime;
use uuid::Uuid;

use super::row::{OrderRow, orders};
use crate::order::Order;

/// What the holder of the lease starts its turn from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Held {
    /// Every order up to this id is decided or stuck.
    pub(crate) mark: Uuid,
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
    pub(crate) attempts: i32,
    pub(crate) since: OffsetDateTime,
}

/// A request that was appended again.
#[derive(Debug)]
pub(crate) struct Repeated {
    pub(crate) order_id: OrderId,
    pub(crate) user_id: i64,
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
        returning mark, now() as "now!""#,
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

/// Looks at up to `limit` stuck orders after an id, and forgets those that are NEW no more.
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
              and (select status from orders.orders where orders.id = looked.order_id) is distinct from 'NEW'
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
        "select order_id, attempts, since
        from orders.stuck
        where next_attempt_at <= $1 and requested_at < $2
        order by next_attempt_at
        limit $3",
        now,
        published_until,
        limit,
    )
    .fetch_all(&mut **tx)
    .await
}

/// Those of the orders that are still NEW, locked so that they stay so; always in the order of their ids, as settlement
/// locks them. The condition is checked again on a row that was waited for.
pub(crate) async fn lock_new(
    tx: &mut PgTransaction<'_>,
    ids: &[Uuid],
) -> Result<Vec<Order>, sqlx::Error> {
    let rows = sqlx::query_as!(
        OrderRow,
        "select id, number, user_id, amount_minor, currency, description, status, version, reason, trace_id,
                created_at, decided_at
        from orders.orders
        where id = any($1) and status = 'NEW'
        order by id
        for no key update",
        ids,
    )
    .fetch_all(&mut **tx)
    .await?;
    orders(rows)
}

/// The spans that placed those of the orders whose traces are recorded.
pub(crate) async fn recorded_placings(
    tx: &mut PgTransaction<'_>,
    ids: &[Uuid],
) -> Result<HashMap<OrderId, TraceContext>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select order_id as "order_id: OrderId", traceparent as "traceparent!"
        from orders.status_history
        where order_id = any($1) and version = $2 and traceparent is not null"#,
        ids,
        Order::FIRST_VERSION,
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
    let user_ids: Vec<i64> = repeated.iter().map(|one| one.user_id).collect();
    let event_ids: Vec<Uuid> = repeated.iter().map(|one| one.event_id.as_uuid()).collect();
    let whys: Vec<&str> = repeated.iter().map(|one| one.why.as_str()).collect();
    let nexts: Vec<OffsetDateTime> = repeated.iter().map(|one| one.next_attempt_at).collect();
    sqlx::query!(
        "with again as materialized (
            select order_id, attempt, user_id, event_id, why, next_attempt_at
            from unnest($1::uuid[], $2::integer[], $3::bigint[], $4::uuid[], $5::text[], $6::timestamptz[])
                as again (order_id, attempt, user_id, event_id, why, next_attempt_at)
        ), audited as (
            insert into orders.repeated_request (order_id, attempt, user_id, event_id, at, why)
            select order_id, attempt, user_id, event_id, $7, why from again
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
        "select order_id, since, attempts, next_attempt_at
        from orders.stuck
        where order_id > $1
        order by order_id
        limit $2",
        after,
        limit,
    )
    .fetch_all(connection)
    .await
}
