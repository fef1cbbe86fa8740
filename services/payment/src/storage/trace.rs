//! The decision on one order as an operator follows it, whoever's it is.

use contracts::OrderId;
use sqlx::PgConnection;
use time::OffsetDateTime;

use super::ledger::EntryKind;

/// What was decided, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) outcome: String,
    pub(crate) reason: Option<String>,
    pub(crate) received_at: OffsetDateTime,
    pub(crate) decided_at: OffsetDateTime,
    /// The transaction that wrote it, as a text of `xid8`.
    pub(crate) transaction: String,
}

/// A ledger entry of the order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Booked {
    pub(crate) number: i64,
    pub(crate) kind: EntryKind,
    pub(crate) created_at: OffsetDateTime,
    /// The transaction that wrote it, as a text of `xid8`.
    pub(crate) transaction: String,
}

/// The decision on an order, if there is one.
pub(crate) async fn decision(
    connection: &mut PgConnection,
    order_id: OrderId,
) -> Result<Option<Verdict>, sqlx::Error> {
    sqlx::query_as!(
        Verdict,
        r#"select outcome, reason, received_at, decided_at,
               messaging.transaction_of(payment.xmin)::text as "transaction!"
        from payments.payment
        where order_id = $1"#,
        order_id.as_uuid(),
    )
    .fetch_optional(connection)
    .await
}

/// The ledger entries of an order, oldest first.
pub(crate) async fn entries(
    connection: &mut PgConnection,
    order_id: OrderId,
) -> Result<Vec<Booked>, sqlx::Error> {
    sqlx::query_as!(
        Booked,
        r#"select number, kind, created_at, messaging.transaction_of(ledger_entry.xmin)::text as "transaction!"
        from payments.ledger_entry
        where order_id = $1
        order by created_at"#,
        order_id.as_uuid(),
    )
    .fetch_all(connection)
    .await
}
