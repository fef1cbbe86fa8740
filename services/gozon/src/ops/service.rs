//! Which service an operator asks.

use messaging::topology::{ORDER_PAYMENTS, PAYMENT_ORDERS, Queue};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One of the two services that have an outbox and an inbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Service {
    /// The order service.
    Order,
    /// The payment service.
    Payment,
}

impl Service {
    /// Both, in the order in which an order meets them.
    pub(crate) const ALL: [Self; 2] = [Self::Order, Self::Payment];

    /// Its name.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Payment => "payment",
        }
    }

    /// Where its part of the operators' API begins.
    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::Order => "/ops/v1/order",
            Self::Payment => "/ops/v1/payment",
        }
    }

    /// The queue it consumes.
    pub(crate) const fn queue(self) -> Queue {
        match self {
            Self::Order => ORDER_PAYMENTS,
            Self::Payment => PAYMENT_ORDERS,
        }
    }

    /// The service of a name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|service| service.as_str() == name)
    }
}
