//! A ledger entry as the API shows it.

use contracts::{EntryId, Money, OrderId};
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::storage::ledger::{Entry, EntryKind};

/// One change of a balance.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LedgerEntry)]
pub(crate) struct EntryBody {
    #[schema(value_type = uuid::Uuid)]
    id: EntryId,
    kind: EntryKind,
    /// By how much the balance changed: negative for a payment.
    #[schema(value_type = chassis::openapi::Money)]
    amount: Money,
    /// The balance this change left.
    #[schema(value_type = chassis::openapi::Money)]
    balance_after: Money,
    /// The order that was paid or refunded; null for a top-up.
    #[schema(value_type = Option<uuid::Uuid>, required)]
    order_id: Option<OrderId>,
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    created_at: OffsetDateTime,
}

impl From<Entry> for EntryBody {
    fn from(entry: Entry) -> Self {
        Self {
            id: entry.id,
            kind: entry.kind,
            amount: entry.amount,
            balance_after: entry.balance_after,
            order_id: entry.order_id,
            created_at: entry.created_at,
        }
    }
}
