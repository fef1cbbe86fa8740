//! Giving a paid order up.

use contracts::{EventId, OrderId, UserId};
use sqlx::PgTransaction;
use time::OffsetDateTime;

use super::row::OrderRow;
use crate::{order::Order, status::Status};

/// One order, if it is this user's, locked so that it stays as it is until the transaction ends.
pub(crate) async fn lock(
    tx: &mut PgTransaction<'_>,
    user_id: UserId,
    id: OrderId,
) -> Result<Option<Order>, sqlx::Error> {
    sqlx::query_as!(
        OrderRow,
        "select id, number, user_id, amount_minor, currency, description, status, version, reason, trace_id,
                created_at, decided_at
        from orders.orders
        where user_id = $2 and id = $1
        for no key update",
        id.as_uuid(),
        user_id.as_i64(),
    )
    .fetch_optional(&mut **tx)
    .await?
    .map(Order::try_from)
    .transpose()
}

/// Changes the order's status to another that its owner wished for, if it still stands as the caller saw it, and appends
/// that to the history, with the event that will report it and the trace it stands in, in one statement. Says the new version; none if the order stands otherwise.
pub(crate) async fn change(
    tx: &mut PgTransaction<'_>,
    order: &Order,
    status: Status,
    (event_id, traceparent): (EventId, Option<String>),
    now: OffsetDateTime,
) -> Result<Option<i32>, sqlx::Error> {
    sqlx::query_scalar!(
        "with changed as (
            update orders.orders
            set status = $5, version = version + 1
            where id = $1 and user_id = $2 and status = $3 and version = $4
            returning id, user_id, version, status
        )
        insert into orders.status_history (order_id, user_id, version, status, at, traceparent, event_id)
        select id, user_id, version, status, $6, $7, $8
        from changed
        returning version",
        order.id.as_uuid(),
        order.user_id.as_i64(),
        order.status.as_str(),
        order.version,
        status.as_str(),
        now,
        traceparent,
        event_id.as_uuid(),
    )
    .fetch_optional(&mut **tx)
    .await
}

/// The version that a user's order had when it was given up; none if it never was.
pub(crate) async fn given_up_version(
    tx: &mut PgTransaction<'_>,
    user_id: UserId,
    id: OrderId,
) -> Result<Option<i32>, sqlx::Error> {
    sqlx::query_scalar!(
        "select version
        from orders.status_history
        where order_id = $1 and user_id = $2 and status = 'REFUNDING'",
        id.as_uuid(),
        user_id.as_i64(),
    )
    .fetch_optional(&mut **tx)
    .await
}

#[cfg(test)]
mod tests {
    use ::tests::Login;

    use super::*;
    use crate::testing;

    #[tokio::test]
    async fn the_guard_alone_gives_an_order_up_once() {
        let database = testing::database().await;
        let owner = database.pool(Login::Owner);
        let id = testing::paid_order(&owner).await;
        let user_id = UserId::try_from(7).unwrap();
        let now = OffsetDateTime::now_utc();
        let mut tx = database.pool(Login::Writer).begin().await.unwrap();
        let order = lock(&mut tx, user_id, id).await.unwrap().unwrap();
        let event = || (EventId::new(), None);
        for version in [Some(3), None] {
            let changed = change(&mut tx, &order, Status::Refunding, event(), now).await;
            assert_eq!(changed.unwrap(), version);
        }
        tx.commit().await.unwrap();
        let remembered: i64 = sqlx::query_scalar("select count(*) from orders.status_history")
            .fetch_one(&owner)
            .await
            .unwrap();
        assert_eq!(remembered, 1);
    }
}
