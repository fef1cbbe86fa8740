//! The events the services exchange, each with its type, version and key. A version changes only by addition: what is
//! only for people to look at is optional, for another build may not know it.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{Money, OrderId, UserId, service};

/// An event that leaves a service through its outbox.
pub trait Message: Serialize + DeserializeOwned {
    /// `CloudEvents` type, its version included; also the routing key.
    const TYPE: &'static str;
    /// `CloudEvents` source: the service that says so.
    const SOURCE: &'static str;
    /// The same service by its name in traces.
    const SERVICE: &'static str;

    /// What the event is about; events of one key are published in the order of their commits.
    fn key(&self) -> Uuid;
}

/// An order was accepted and wants its money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderPlaced {
    /// The order.
    pub order_id: OrderId,
    /// Who pays.
    pub user_id: UserId,
    /// What is to be paid, positive.
    pub amount: Money,
    /// When the order was accepted.
    #[serde(
        with = "time::serde::rfc3339::option",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub placed_at: Option<OffsetDateTime>,
}

/// An order was paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentCaptured {
    /// The order.
    pub order_id: OrderId,
    /// When the payment service took the request up.
    #[serde(
        with = "time::serde::rfc3339::option",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub received_at: Option<OffsetDateTime>,
    /// When it was decided.
    #[serde(with = "time::serde::rfc3339")]
    pub decided_at: OffsetDateTime,
}

/// An order will not be paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentDeclined {
    /// The order.
    pub order_id: OrderId,
    /// Why not.
    pub reason: DeclineReason,
    /// When the payment service took the request up.
    #[serde(
        with = "time::serde::rfc3339::option",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub received_at: Option<OffsetDateTime>,
    /// When it was decided.
    #[serde(with = "time::serde::rfc3339")]
    pub decided_at: OffsetDateTime,
}

/// A paid order is given up by its owner and wants its money back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundRequested {
    /// The order.
    pub order_id: OrderId,
    /// Who paid, and gets it back.
    pub user_id: UserId,
    /// What was paid: all of it, positive.
    pub amount: Money,
    /// When the owner asked for it.
    #[serde(
        with = "time::serde::rfc3339::option",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub requested_at: Option<OffsetDateTime>,
}

/// An order's money was given back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentRefunded {
    /// The order.
    pub order_id: OrderId,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub refunded_at: OffsetDateTime,
}

/// Why a payment was declined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeclineReason {
    /// The user has no account.
    NoAccount,
    /// The balance is below the amount.
    InsufficientFunds,
    /// The request could not be settled and an operator gave it up.
    Discarded,
}

impl DeclineReason {
    /// All reasons there are.
    pub const ALL: [Self; 3] = [Self::NoAccount, Self::InsufficientFunds, Self::Discarded];

    /// The reason's stable name, as stored and sent.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoAccount => "no_account",
            Self::InsufficientFunds => "insufficient_funds",
            Self::Discarded => "discarded",
        }
    }

    /// Reads the stable name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text)
    }
}

impl Message for OrderPlaced {
    const TYPE: &'static str = "order.placed.v1";
    const SOURCE: &'static str = "/gozon/order";
    const SERVICE: &'static str = service::ORDER;

    fn key(&self) -> Uuid {
        self.order_id.as_uuid()
    }
}

impl Message for PaymentCaptured {
    const TYPE: &'static str = "payment.captured.v1";
    const SOURCE: &'static str = "/gozon/payment";
    const SERVICE: &'static str = service::PAYMENT;

    fn key(&self) -> Uuid {
        self.order_id.as_uuid()
    }
}

impl Message for PaymentDeclined {
    const TYPE: &'static str = "payment.declined.v1";
    const SOURCE: &'static str = "/gozon/payment";
    const SERVICE: &'static str = service::PAYMENT;

    fn key(&self) -> Uuid {
        self.order_id.as_uuid()
    }
}

impl Message for RefundRequested {
    const TYPE: &'static str = "refund.requested.v1";
    const SOURCE: &'static str = "/gozon/order";
    const SERVICE: &'static str = service::ORDER;

    fn key(&self) -> Uuid {
        self.order_id.as_uuid()
    }
}

impl Message for PaymentRefunded {
    const TYPE: &'static str = "payment.refunded.v1";
    const SOURCE: &'static str = "/gozon/payment";
    const SERVICE: &'static str = service::PAYMENT;

    fn key(&self) -> Uuid {
        self.order_id.as_uuid()
    }
}
