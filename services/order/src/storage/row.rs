//! A row of `orders.orders` on its way to an [`Order`].

use contracts::{Currency, Money, OrderId, UserId};
use time::OffsetDateTime;

use crate::{
    order::Order,
    status::{Reason, State, Status},
};

/// The columns of an order, named as in the table.
#[derive(Debug)]
pub(super) struct OrderRow {
    pub(super) id: OrderId,
    pub(super) number: i64,
    pub(super) user_id: UserId,
    pub(super) amount_minor: i64,
    pub(super) currency: String,
    pub(super) description: String,
    pub(super) status: Status,
    pub(super) version: i32,
    pub(super) reason: Option<String>,
    pub(super) trace_id: String,
    pub(super) created_at: OffsetDateTime,
    pub(super) decided_at: Option<OffsetDateTime>,
}

/// A text in a closed column that this version of the program does not know.
#[derive(Debug, thiserror::Error)]
#[error("unknown {column} in the database")]
struct Unknown {
    column: &'static str,
}

fn unknown(column: &'static str) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(Unknown { column }))
}

/// Money from its two columns.
pub(super) fn money(amount_minor: i64, currency: &str) -> Result<Money, sqlx::Error> {
    if currency == Currency::Rub.code() {
        Ok(Money::rub(amount_minor))
    } else {
        Err(unknown("currency"))
    }
}

/// A reason from its column.
pub(super) fn reason(text: Option<&str>) -> Result<Option<Reason>, sqlx::Error> {
    text.map(|text| Reason::parse(text).ok_or_else(|| unknown("reason")))
        .transpose()
}

/// A state from its two columns.
pub(super) fn state(status: Status, text: Option<&str>) -> Result<State, sqlx::Error> {
    State::of(status, reason(text)?).ok_or_else(|| unknown("reason for this status"))
}

impl TryFrom<OrderRow> for Order {
    type Error = sqlx::Error;

    fn try_from(row: OrderRow) -> Result<Self, Self::Error> {
        Ok(Self {
            id: row.id,
            number: row.number,
            user_id: row.user_id,
            amount: money(row.amount_minor, &row.currency)?,
            description: row.description,
            status: row.status,
            reason: reason(row.reason.as_deref())?,
            version: row.version,
            trace_id: row.trace_id,
            created_at: row.created_at,
            decided_at: row.decided_at,
        })
    }
}

/// Orders from rows, in their order.
pub(super) fn orders(rows: Vec<OrderRow>) -> Result<Vec<Order>, sqlx::Error> {
    rows.into_iter().map(Order::try_from).collect()
}
