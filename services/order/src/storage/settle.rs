//! Settling payment outcomes: a whole batch of orders locked, changed and remembered, each by one statement.

use contracts::{DeclineReason, OrderId, UserId};
use sqlx::{PgConnection, PgTransaction};
use time::OffsetDateTime;
use uuid::Uuid;

use super::row::reason;
use crate::status::Status;

/// What settlement must know of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) order_id: OrderId,
    pub(crate) user_id: UserId,
    pub(crate) status: Status,
    pub(crate) reason: Option<DeclineReason>,
    pub(crate) version: i32,
}

/// A change of status, decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Decision {
    pub(crate) order_id: OrderId,
    pub(crate) user_id: UserId,
    pub(crate) version: i32,
    pub(crate) status: Status,
    pub(crate) reason: Option<DeclineReason>,
    pub(crate) payment_received_at: Option<OffsetDateTime>,
    pub(crate) payment_decided_at: OffsetDateTime,
}

/// Locks the orders that exist among these, always in the order of their ids so that two batches never wait for each
/// other, and reads how they stand.
pub(crate) async fn lock(
    connection: &mut PgConnection,
    ids: &[Uuid],
) -> Result<Vec<Standing>, sqlx::Error> {
    let rows = sqlx::query!(
        "select id, user_id, status, reason, version
        from orders.orders
        where id = any($1)
        order by id
        for no key update",
        ids,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Standing {
                order_id: row.id,
                user_id: row.user_id,
                status: row.status,
                reason: reason(row.reason.as_deref())?,
                version: row.version,
            })
        })
        .collect()
}

/// Applies decisions to orders that are still NEW and says how many were. The guard holds by itself, lock or no lock.
pub(crate) async fn apply(
    tx: &mut PgTransaction<'_>,
    decisions: &[Decision],
    now: OffsetDateTime,
) -> Result<u64, sqlx::Error> {
    let columns = Columns::of(decisions);
    let updated = sqlx::query!(
        "update orders.orders as placed
        set status = decided.status, version = decided.version, reason = decided.reason, decided_at = $5
        from unnest($1::uuid[], $2::integer[], $3::text[], $4::text[]) as decided (id, version, status, reason)
        where placed.id = decided.id and placed.status = 'NEW'",
        &columns.order_ids,
        &columns.versions,
        &columns.statuses as &[&str],
        &columns.reasons as &[Option<&str>],
        now,
    )
    .execute(&mut **tx)
    .await?;
    Ok(updated.rows_affected())
}

/// Appends the decisions to the history.
pub(crate) async fn remember(
    tx: &mut PgTransaction<'_>,
    decisions: &[Decision],
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    let columns = Columns::of(decisions);
    sqlx::query!(
        "insert into orders.status_history (
            order_id, user_id, version, status, reason, at, payment_received_at, payment_decided_at)
        select order_id, user_id, version, status, reason, $8, payment_received_at, payment_decided_at
        from unnest($1::uuid[], $2::bigint[], $3::integer[], $4::text[], $5::text[], $6::timestamptz[],
                    $7::timestamptz[])
            as decided (order_id, user_id, version, status, reason, payment_received_at, payment_decided_at)",
        &columns.order_ids,
        &columns.user_ids,
        &columns.versions,
        &columns.statuses as &[&str],
        &columns.reasons as &[Option<&str>],
        &columns.payment_received_at as &[Option<OffsetDateTime>],
        &columns.payment_decided_at,
        now,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Decisions turned on their side, as `unnest` takes them.
struct Columns {
    order_ids: Vec<Uuid>,
    user_ids: Vec<i64>,
    versions: Vec<i32>,
    statuses: Vec<&'static str>,
    reasons: Vec<Option<&'static str>>,
    payment_received_at: Vec<Option<OffsetDateTime>>,
    payment_decided_at: Vec<OffsetDateTime>,
}

impl Columns {
    fn of(decisions: &[Decision]) -> Self {
        let each = decisions.iter();
        Self {
            order_ids: each
                .clone()
                .map(|decided| decided.order_id.as_uuid())
                .collect(),
            user_ids: each
                .clone()
                .map(|decided| decided.user_id.as_i64())
                .collect(),
            versions: each.clone().map(|decided| decided.version).collect(),
            statuses: each
                .clone()
                .map(|decided| decided.status.as_str())
                .collect(),
            reasons: each
                .clone()
                .map(|decided| decided.reason.map(DeclineReason::as_str))
                .collect(),
            payment_received_at: each
                .clone()
                .map(|decided| decided.payment_received_at)
                .collect(),
            payment_decided_at: each.map(|decided| decided.payment_decided_at).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use ::tests::Login;

    use super::*;
    use crate::testing;

    #[tokio::test]
    async fn the_guard_alone_keeps_a_decided_order_as_it_is() {
        let database = testing::database().await;
        let owner = database.pool(Login::Owner);
        let id = OrderId::new();
        sqlx::query(
            "insert into orders.orders (id, user_id, amount_minor, currency, description, status, version, trace_id,
                                        created_at, decided_at)
            values ($1, 7, 100, 'RUB', 'Laces', 'FINISHED', 2, repeat('a', 32), now(), now())",
        )
        .bind(id)
        .execute(&owner)
        .await
        .unwrap();
        let now = OffsetDateTime::now_utc();
        let decision = Decision {
            order_id: id,
            user_id: UserId::try_from(7).unwrap(),
            version: 3,
            status: Status::Cancelled,
            reason: Some(DeclineReason::NoAccount),
            payment_received_at: Some(now),
            payment_decided_at: now,
        };
        let mut tx = database.pool(Login::Writer).begin().await.unwrap();
        assert_eq!(apply(&mut tx, &[decision], now).await.unwrap(), 0);
        tx.commit().await.unwrap();
        let kept = lock(&mut owner.acquire().await.unwrap(), &[id.as_uuid()])
            .await
            .unwrap();
        assert_eq!((kept[0].status, kept[0].version), (Status::Finished, 2));
    }
}
