//! Settling what the payment service says: a whole batch of orders changed and remembered by one statement.

use std::collections::HashMap;

use contracts::{EventId, OrderId, TraceContext};
use sqlx::{PgConnection, PgTransaction};
use time::OffsetDateTime;
use uuid::Uuid;

use super::row::state;
use crate::status::{Reason, State, Status};

/// What settlement must know of an order that did not take a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) order_id: OrderId,
    pub(crate) state: State,
}

/// A change of state, decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Decision {
    pub(crate) order_id: OrderId,
    /// The event it comes from.
    pub(crate) event_id: EventId,
    /// The status that the order must have for it.
    pub(crate) from: Status,
    pub(crate) to: State,
    pub(crate) payment_received_at: Option<OffsetDateTime>,
    pub(crate) payment_decided_at: OffsetDateTime,
}

/// The spans that decide, of those orders whose traces are recorded.
pub(crate) type Recorded = HashMap<OrderId, TraceContext>;

/// Applies decisions, at most one per order, to those orders that have the status expected of them, appends them to the
/// history, and says which orders those were. The orders are taken in the order of their ids, so that two batches never wait for each other
/// in a circle.
pub(crate) async fn apply(
    tx: &mut PgTransaction<'_>,
    decisions: &[Decision],
    recorded: &Recorded,
    now: OffsetDateTime,
) -> Result<Vec<OrderId>, sqlx::Error> {
    let each = decisions.iter();
    let ids: Vec<Uuid> = each.clone().map(|it| it.order_id.as_uuid()).collect();
    let expected: Vec<&str> = each.clone().map(|it| it.from.as_str()).collect();
    let statuses: Vec<&str> = each.clone().map(|it| it.to.status().as_str()).collect();
    let reasons: Vec<Option<&str>> = each
        .clone()
        .map(|it| it.to.reason().map(Reason::as_str))
        .collect();
    let received: Vec<Option<OffsetDateTime>> =
        each.clone().map(|it| it.payment_received_at).collect();
    let decided: Vec<OffsetDateTime> = each.clone().map(|it| it.payment_decided_at).collect();
    let event_ids: Vec<Uuid> = each.clone().map(|it| it.event_id.as_uuid()).collect();
    let traceparents: Vec<Option<String>> = each
        .map(|it| recorded.get(&it.order_id).map(ToString::to_string))
        .collect();
    sqlx::query_scalar!(
        r#"with decided as (
            select id, status, reason, received_at, decided_at, traceparent, expected, event_id
            from unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[], $7::text[], $8::text[],
                        $9::uuid[])
                as decided (id, status, reason, received_at, decided_at, traceparent, expected, event_id)
            order by id
        ), changed as (
            update orders.orders as placed
            set status = decided.status, version = placed.version + 1, reason = decided.reason,
                decided_at = coalesce(placed.decided_at, $6)
            from decided
            where placed.id = decided.id and placed.status = decided.expected
            returning placed.id, placed.user_id, placed.version, placed.status, placed.reason,
                      decided.received_at, decided.decided_at, decided.traceparent, decided.event_id
        )
        insert into orders.status_history (
            order_id, user_id, version, status, reason, at, payment_received_at, payment_decided_at, traceparent,
            event_id)
        select id, user_id, version, status, reason, $6, received_at, decided_at, traceparent, event_id
        from changed
        returning order_id as "order_id: OrderId""#,
        &ids,
        &statuses as &[&str],
        &reasons as &[Option<&str>],
        &received as &[Option<OffsetDateTime>],
        &decided,
        now,
        &traceparents as &[Option<String>],
        &expected as &[&str],
        &event_ids,
    )
    .fetch_all(&mut **tx)
    .await
}

/// Locks the orders that exist among these, in the order of their ids, and reads how they stand.
pub(crate) async fn lock(
    connection: &mut PgConnection,
    ids: &[Uuid],
) -> Result<Vec<Standing>, sqlx::Error> {
    let rows = sqlx::query!(
        "select id, status, reason
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
                state: state(row.status, row.reason.as_deref())?,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use ::tests::Login;
    use contracts::DeclineReason;

    use super::*;
    use crate::testing;

    #[tokio::test]
    async fn the_guard_alone_keeps_a_decided_order_as_it_is() {
        let database = testing::database().await;
        let owner = database.pool(Login::Owner);
        let id = testing::paid_order(&owner).await;
        let now = OffsetDateTime::now_utc();
        let decision = Decision {
            order_id: id,
            event_id: EventId::new(),
            from: Status::New,
            to: State::Cancelled(Reason::NotPaid(DeclineReason::NoAccount)),
            payment_received_at: Some(now),
            payment_decided_at: now,
        };
        let mut tx = database.pool(Login::Writer).begin().await.unwrap();
        assert_eq!(
            apply(&mut tx, &[decision], &Recorded::new(), now)
                .await
                .unwrap(),
            []
        );
        tx.commit().await.unwrap();
        let kept = lock(&mut owner.acquire().await.unwrap(), &[id.as_uuid()])
            .await
            .unwrap();
        assert_eq!(kept[0].state, State::Finished);
        let remembered: i64 = sqlx::query_scalar("select count(*) from orders.status_history")
            .fetch_one(&owner)
            .await
            .unwrap();
        assert_eq!(remembered, 0);
    }
}
