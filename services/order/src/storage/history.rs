//! Reading the history of one order.

use contracts::{EventId, OrderId, UserId};
use sqlx::PgConnection;
use time::OffsetDateTime;

use super::row::reason;
use crate::status::{Reason, Status};

/// One status an order had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HistoryEntry {
    pub(crate) status: Status,
    pub(crate) reason: Option<Reason>,
    pub(crate) at: OffsetDateTime,
    pub(crate) payment_received_at: Option<OffsetDateTime>,
    pub(crate) payment_decided_at: Option<OffsetDateTime>,
    /// The event that goes with it; none in rows from before it was kept.
    pub(crate) event_id: Option<EventId>,
    /// W3C trace context of what made it so, where its trace is recorded.
    pub(crate) traceparent: Option<String>,
}

/// A request for an order's money that was appended again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RepeatedRequest {
    /// The status the order was stuck in.
    pub(crate) status: Status,
    pub(crate) at: OffsetDateTime,
    /// The request as an event.
    pub(crate) event_id: EventId,
}

/// Every status of this user's order, oldest first.
pub(crate) async fn of_order(
    connection: &mut PgConnection,
    user_id: UserId,
    order_id: OrderId,
) -> Result<Vec<HistoryEntry>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select status, reason, at, payment_received_at, payment_decided_at,
                  event_id as "event_id: EventId", traceparent
        from orders.status_history
        where order_id = $1 and user_id = $2
        order by version"#,
        order_id.as_uuid(),
        user_id.as_i64(),
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(HistoryEntry {
                status: row.status,
                reason: reason(row.reason.as_deref())?,
                at: row.at,
                payment_received_at: row.payment_received_at,
                payment_decided_at: row.payment_decided_at,
                event_id: row.event_id,
                traceparent: row.traceparent,
            })
        })
        .collect()
}

/// The requests for payment or refund of this user's order that were repeated, oldest first.
pub(crate) async fn repeated_requests(
    connection: &mut PgConnection,
    user_id: UserId,
    order_id: OrderId,
) -> Result<Vec<RepeatedRequest>, sqlx::Error> {
    sqlx::query_as!(
        RepeatedRequest,
        r#"select status as "status: Status", at, event_id as "event_id: EventId"
        from orders.repeated_request
        where order_id = $1 and user_id = $2
        order by at"#,
        order_id.as_uuid(),
        user_id.as_i64(),
    )
    .fetch_all(connection)
    .await
}
