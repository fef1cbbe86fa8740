//! One order as an operator follows it, whoever's it is.

use contracts::OrderId;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::status::Status;

/// What an order is, as far as a trace tells: nothing of its contents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Traced {
    pub(crate) id: OrderId,
    pub(crate) number: i64,
    pub(crate) status: Status,
    pub(crate) trace_id: String,
}

/// A status it took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) status: Status,
    pub(crate) reason: Option<String>,
    pub(crate) at: OffsetDateTime,
    /// The transaction that wrote it, as a text of `xid8`.
    pub(crate) transaction: String,
}

/// A request for payment or refund that was appended again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Repeated {
    pub(crate) at: OffsetDateTime,
    pub(crate) event_id: Uuid,
    pub(crate) why: String,
    /// The transaction that wrote it, as a text of `xid8`.
    pub(crate) transaction: String,
}

/// The order of an id or of a number.
pub(crate) async fn find(
    connection: &mut PgConnection,
    id: Option<Uuid>,
    number: Option<i64>,
) -> Result<Option<Traced>, sqlx::Error> {
    sqlx::query_as!(
        Traced,
        r#"select id as "id: OrderId", number, status, trace_id
        from orders.orders
        where id = $1 or number = $2"#,
        id,
        number,
    )
    .fetch_optional(connection)
    .await
}

/// The statuses it took, oldest first.
pub(crate) async fn statuses(
    connection: &mut PgConnection,
    id: OrderId,
) -> Result<Vec<Taken>, sqlx::Error> {
    sqlx::query_as!(
        Taken,
        r#"select status, reason, at, xid::text as "transaction!"
        from orders.status_history
        where order_id = $1
        order by version"#,
        id.as_uuid(),
    )
    .fetch_all(connection)
    .await
}

/// The requests for payment or refund that were appended again, oldest first.
pub(crate) async fn repeated(
    connection: &mut PgConnection,
    id: OrderId,
) -> Result<Vec<Repeated>, sqlx::Error> {
    sqlx::query_as!(
        Repeated,
        r#"select at, event_id, why, messaging.transaction_of(repeated_request.xmin)::text as "transaction!"
        from orders.repeated_request
        where order_id = $1
        order by at"#,
        id.as_uuid(),
    )
    .fetch_all(connection)
    .await
}
