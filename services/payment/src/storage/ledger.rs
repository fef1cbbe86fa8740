//! The ledger: what changed a balance, when, and what it left. Rows are only ever added.

use contracts::{AccountId, EntryId, Money, OrderId, PaymentRefunded, UserId};
use serde::Serialize;
use sqlx::{PgConnection, PgTransaction};
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::limits::{Amount, BALANCE_MAX_MINOR, PageLimit};

/// What a balance changed for, as stored and as sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
#[schema(as = LedgerEntryKind)]
pub(crate) enum EntryKind {
    /// Money came in.
    TopUp,
    /// An order was paid.
    Payment,
    /// What an order's payment took was given back.
    Refund,
}

impl EntryKind {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::TopUp => "TOP_UP",
            Self::Payment => "PAYMENT",
            Self::Refund => "REFUND",
        }
    }
}

/// One change of a balance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Its identity.
    pub(crate) id: EntryId,
    /// Its place among the account's entries.
    pub(crate) number: i64,
    /// What the balance changed for.
    pub(crate) kind: EntryKind,
    /// By how much, signed.
    pub(crate) amount: Money,
    /// What it left.
    pub(crate) balance_after: Money,
    /// The order that was paid or refunded.
    pub(crate) order_id: Option<OrderId>,
    /// When.
    pub(crate) created_at: OffsetDateTime,
}

/// An order's payment or its refund, about to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NewEntry {
    /// Which of the two.
    pub(crate) kind: EntryKind,
    /// Of which account.
    pub(crate) account_id: AccountId,
    /// For which order.
    pub(crate) order_id: OrderId,
    /// How much, positive.
    pub(crate) amount: Amount,
    /// What it leaves.
    pub(crate) balance_after: Money,
    /// When it was decided.
    pub(crate) created_at: OffsetDateTime,
}

impl NewEntry {
    /// By how much it changes the balance, in minor units.
    pub(crate) const fn amount_minor(&self) -> i64 {
        let amount_minor = self.amount.money().amount_minor;
        match self.kind {
            EntryKind::TopUp | EntryKind::Refund => amount_minor,
            EntryKind::Payment => -amount_minor,
        }
    }
}

/// An order whose money was given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refund {
    /// Which.
    pub(crate) order_id: OrderId,
    /// When.
    pub(crate) refunded_at: OffsetDateTime,
}

impl Refund {
    /// The event that says so.
    pub(crate) const fn refunded(&self) -> PaymentRefunded {
        PaymentRefunded {
            order_id: self.order_id,
            refunded_at: self.refunded_at,
        }
    }
}

/// A row of `payments.ledger_entry`.
struct Row {
    id: EntryId,
    number: i64,
    kind: EntryKind,
    amount_minor: i64,
    balance_after_minor: i64,
    order_id: Option<OrderId>,
    created_at: OffsetDateTime,
}

impl From<Row> for Entry {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            number: row.number,
            kind: row.kind,
            amount: Money::rub(row.amount_minor),
            balance_after: Money::rub(row.balance_after_minor),
            order_id: row.order_id,
            created_at: row.created_at,
        }
    }
}

/// Raises the user's balance and writes the entry of it, in one statement. None if the user has no account or the
/// ceiling forbids it; both are judged on the locked row, so of two top-ups at once the second sees the first.
pub(crate) async fn top_up(
    tx: &mut PgTransaction<'_>,
    id: EntryId,
    user_id: UserId,
    amount: Amount,
) -> Result<Option<Entry>, sqlx::Error> {
    let row = sqlx::query_as!(
        Row,
        "with raised as (
             update payments.account set balance_minor = balance_minor + $3
             where user_id = $2 and balance_minor <= $4
             returning id, balance_minor
         )
         insert into payments.ledger_entry (id, account_id, kind, amount_minor, balance_after_minor)
         select $1, raised.id, 'TOP_UP', $3, raised.balance_minor from raised
         returning id, number, kind, amount_minor, balance_after_minor, order_id, created_at",
        id as _,
        user_id as _,
        amount.money().amount_minor,
        BALANCE_MAX_MINOR - amount.money().amount_minor,
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row.map(Entry::from))
}

/// The refunds of these orders.
pub(crate) async fn refunds(
    tx: &mut PgTransaction<'_>,
    order_ids: &[OrderId],
) -> Result<Vec<Refund>, sqlx::Error> {
    if order_ids.is_empty() {
        return Ok(Vec::new());
    }
    let order_ids: Vec<_> = order_ids.iter().map(|id| id.as_uuid()).collect();
    sqlx::query_as!(
        Refund,
        r#"select order_id as "order_id!: OrderId", created_at as refunded_at
         from payments.ledger_entry
         where order_id = any($1) and kind = 'REFUND'"#,
        &order_ids,
    )
    .fetch_all(&mut **tx)
    .await
}

/// One entry of the user's.
pub(crate) async fn find(
    connection: &mut PgConnection,
    user_id: UserId,
    id: EntryId,
) -> Result<Option<Entry>, sqlx::Error> {
    let row = sqlx::query_as!(
        Row,
        "select id, number, kind, amount_minor, balance_after_minor, order_id, created_at
         from payments.ledger_entry
         where id = $1 and account_id = (select account.id from payments.account where account.user_id = $2)",
        id as _,
        user_id as _,
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(Entry::from))
}

/// A page of the user's entries, newest first: those before the entry of that number, or the newest. With it comes the
/// number before which the next page lies, if there is one.
pub(crate) async fn list(
    connection: &mut PgConnection,
    user_id: UserId,
    before: Option<i64>,
    limit: PageLimit,
) -> Result<(Vec<Entry>, Option<i64>), sqlx::Error> {
    // The account comes from a subquery and not from a join, so that the index delivers the page in its order.
    let rows = sqlx::query_as!(
        Row,
        "select id, number, kind, amount_minor, balance_after_minor, order_id, created_at
         from payments.ledger_entry
         where account_id = (select account.id from payments.account where account.user_id = $1)
           and number < $2
         order by number desc
         limit $3",
        user_id as _,
        before.unwrap_or(i64::MAX),
        limit.get() + 1,
    )
    .fetch_all(connection)
    .await?;
    let mut entries: Vec<_> = rows.into_iter().map(Entry::from).collect();
    let full = usize::try_from(limit.get()).expect("a page limit is a small positive number");
    let more = entries.len() > full;
    entries.truncate(full);
    let next = entries.last().filter(|_| more).map(|entry| entry.number);
    Ok((entries, next))
}
