//! An order, and what a new one must be like to be accepted.

use std::time::Duration;

use contracts::{Money, OrderId, OrderPlaced, RefundRequested, UserId};
use time::OffsetDateTime;

use crate::{
    limits,
    status::{Reason, Status},
};

/// An order as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The key of the order everywhere.
    pub id: OrderId,
    /// The number people see.
    pub number: i64,
    /// The owner.
    pub user_id: UserId,
    /// What was ordered.
    pub description: String,
    /// Its price.
    pub amount: Money,
    /// Where it stands.
    pub status: Status,
    /// Why it was cancelled.
    pub reason: Option<Reason>,
    /// Counts status changes from 1.
    pub version: i32,
    /// The trace of the request that placed it.
    pub trace_id: String,
    /// When it was placed.
    pub created_at: OffsetDateTime,
    /// When it left NEW.
    pub decided_at: Option<OffsetDateTime>,
}

impl Order {
    /// The version of an order that has just been placed.
    pub const FIRST_VERSION: i32 = 1;

    /// How long ago it was placed; zero where a clock says later.
    pub(crate) fn age(&self, now: OffsetDateTime) -> Duration {
        (now - self.created_at).try_into().unwrap_or_default()
    }

    /// The order as it was when it was placed, whatever became of it: what a repeated request is answered.
    #[must_use]
    pub fn as_placed(self) -> Self {
        Self {
            status: Status::New,
            reason: None,
            version: Self::FIRST_VERSION,
            decided_at: None,
            ..self
        }
    }

    /// The order as it was when its owner gave it up, which made it this version: what a repeated request is answered.
    #[must_use]
    pub fn as_given_up(self, version: i32) -> Self {
        Self {
            status: Status::Refunding,
            reason: None,
            version,
            ..self
        }
    }

    /// The event that asks for its money back.
    #[must_use]
    pub const fn refund_request(&self, requested_at: Option<OffsetDateTime>) -> RefundRequested {
        RefundRequested {
            order_id: self.id,
            user_id: self.user_id,
            amount: self.amount,
            requested_at,
        }
    }
}

impl From<&Order> for OrderPlaced {
    fn from(order: &Order) -> Self {
        Self {
            order_id: order.id,
            user_id: order.user_id,
            amount: order.amount,
            placed_at: Some(order.created_at),
        }
    }
}

/// An instant at the precision the database keeps, so that the first answer and every later one agree.
#[must_use]
pub fn to_stored_precision(instant: OffsetDateTime) -> OffsetDateTime {
    instant
        .replace_microsecond(instant.microsecond())
        .unwrap_or(instant)
}

/// What was ordered: 1 to 500 characters, as typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description(String);

/// Why a text is no description.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DescriptionError {
    /// It has no characters.
    #[error("the description is empty")]
    Empty,
    /// It has too many.
    #[error(
        "the description is longer than {} characters",
        limits::DESCRIPTION_MAX_CHARS
    )]
    TooLong,
    /// It contains the NUL character, which the database cannot hold.
    #[error("the description contains a NUL character")]
    Nul,
}

impl Description {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Description {
    type Error = DescriptionError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.is_empty() {
            Err(DescriptionError::Empty)
        } else if text.contains('\0') {
            Err(DescriptionError::Nul)
        } else if text.chars().nth(limits::DESCRIPTION_MAX_CHARS).is_some() {
            Err(DescriptionError::TooLong)
        } else {
            Ok(Self(text))
        }
    }
}

/// The price of an order: positive and not absurd.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price(Money);

/// Why an amount is no price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PriceError {
    /// Zero or less.
    #[error("the amount is not positive")]
    NotPositive,
    /// More than anything in the shop costs.
    #[error("the amount is above {} minor units", limits::AMOUNT_MAX_MINOR)]
    TooLarge,
}

impl Price {
    /// The price as money.
    #[must_use]
    pub const fn money(self) -> Money {
        self.0
    }
}

impl TryFrom<Money> for Price {
    type Error = PriceError;

    fn try_from(money: Money) -> Result<Self, Self::Error> {
        if money.amount_minor <= 0 {
            Err(PriceError::NotPositive)
        } else if money.amount_minor > limits::AMOUNT_MAX_MINOR {
            Err(PriceError::TooLarge)
        } else {
            Ok(Self(money))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_has_one_to_five_hundred_characters() {
        let of = |count: usize| Description::try_from("щ".repeat(count));
        assert_eq!(of(0), Err(DescriptionError::Empty));
        assert!(of(1).is_ok());
        assert!(of(500).is_ok());
        assert_eq!(of(501), Err(DescriptionError::TooLong));
        assert_eq!(
            Description::try_from("a\0b".to_owned()),
            Err(DescriptionError::Nul)
        );
    }

    #[test]
    fn a_price_is_positive_and_at_most_a_billion_roubles() {
        let of = |amount_minor| {
            Price::try_from(Money::rub(amount_minor)).map(|price| price.money().amount_minor)
        };
        assert_eq!(of(i64::MIN), Err(PriceError::NotPositive));
        assert_eq!(of(0), Err(PriceError::NotPositive));
        assert_eq!(of(1), Ok(1));
        assert_eq!(of(100_000_000_000), Ok(100_000_000_000));
        assert_eq!(of(100_000_000_001), Err(PriceError::TooLarge));
        assert_eq!(of(i64::MAX), Err(PriceError::TooLarge));
    }
}
