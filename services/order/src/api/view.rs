//! An order as the API shows it.

use contracts::{Money, OrderId, UserId};
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::{
    order::Order,
    status::{Reason, Status},
};

/// An order.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Order)]
pub(crate) struct OrderView {
    /// The order's id, a `UUIDv7`.
    #[schema(value_type = uuid::Uuid)]
    pub(crate) id: OrderId,
    /// The number people see.
    #[schema(example = 17)]
    pub(crate) number: i64,
    /// The owner.
    #[schema(value_type = i64, example = 1)]
    pub(crate) user_id: UserId,
    /// What was ordered.
    #[schema(example = "A pair of skates")]
    pub(crate) description: String,
    /// The price.
    #[schema(value_type = chassis::openapi::Money)]
    pub(crate) amount: Money,
    /// Where the order stands.
    pub(crate) status: Status,
    /// Why it was cancelled: `no_account`, `insufficient_funds`, `discarded`, or `refunded` after it was paid and its owner
    /// gave it up; null otherwise.
    #[schema(value_type = Option<String>, example = "insufficient_funds")]
    pub(crate) reason: Option<Reason>,
    /// Counts status changes from 1; drop what is not newer than what you know.
    #[schema(example = 1)]
    pub(crate) version: i32,
    /// When the order was placed.
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) created_at: OffsetDateTime,
    /// When it left NEW; null before.
    #[serde(with = "time::serde::rfc3339::option")]
    pub(crate) decided_at: Option<OffsetDateTime>,
}

impl From<Order> for OrderView {
    fn from(order: Order) -> Self {
        Self {
            id: order.id,
            number: order.number,
            user_id: order.user_id,
            description: order.description,
            amount: order.amount,
            status: order.status,
            reason: order.reason,
            version: order.version,
            created_at: order.created_at,
            decided_at: order.decided_at,
        }
    }
}
