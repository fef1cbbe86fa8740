//! Decisions on orders: at most one row per order, never changed.

use contracts::{DeclineReason, Money, OrderId, PaymentCaptured, PaymentDeclined, UserId};
use time::OffsetDateTime;

/// What was decided on an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    /// It was paid.
    Captured,
    /// It will not be paid.
    Declined(DeclineReason),
}

impl Decision {
    pub(super) const fn outcome(self) -> &'static str {
        match self {
            Self::Captured => "CAPTURED",
            Self::Declined(_) => "DECLINED",
        }
    }

    pub(super) const fn reason(self) -> Option<&'static str> {
        match self {
            Self::Captured => None,
            Self::Declined(reason) => Some(reason.as_str()),
        }
    }

    fn parse(outcome: &str, reason: Option<&str>) -> Option<Self> {
        match (outcome, reason) {
            ("CAPTURED", None) => Some(Self::Captured),
            ("DECLINED", Some(reason)) => DeclineReason::parse(reason).map(Self::Declined),
            _ => None,
        }
    }
}

/// A decided order: what was asked, and the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Payment {
    /// The order.
    pub(crate) order_id: OrderId,
    /// Who was to pay.
    pub(crate) user_id: UserId,
    /// What was to be paid.
    pub(crate) amount: Money,
    /// The answer.
    pub(crate) decision: Decision,
    /// When the request arrived.
    pub(crate) received_at: OffsetDateTime,
    /// When it was decided.
    pub(crate) decided_at: OffsetDateTime,
}

impl Payment {
    /// The event that says it was paid.
    pub(crate) const fn captured(&self) -> PaymentCaptured {
        PaymentCaptured {
            order_id: self.order_id,
            received_at: Some(self.received_at),
            decided_at: self.decided_at,
        }
    }

    /// The event that says it was not.
    pub(crate) const fn declined(&self, reason: DeclineReason) -> PaymentDeclined {
        PaymentDeclined {
            order_id: self.order_id,
            reason,
            received_at: Some(self.received_at),
            decided_at: self.decided_at,
        }
    }
}

/// A decision as it is stored.
pub(super) fn read(outcome: &str, reason: Option<&str>) -> Result<Decision, sqlx::Error> {
    Decision::parse(outcome, reason)
        .ok_or_else(|| sqlx::Error::Decode("a payment with an unknown outcome".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_decision_reads_back_as_it_was_stored() {
        for decision in [
            Decision::Captured,
            Decision::Declined(DeclineReason::NoAccount),
            Decision::Declined(DeclineReason::InsufficientFunds),
            Decision::Declined(DeclineReason::Discarded),
        ] {
            assert_eq!(
                Decision::parse(decision.outcome(), decision.reason()),
                Some(decision)
            );
        }
    }

    #[test]
    fn a_decision_that_makes_no_sense_is_not_read() {
        assert_eq!(Decision::parse("CAPTURED", Some("no_account")), None);
        assert_eq!(Decision::parse("DECLINED", None), None);
        assert_eq!(Decision::parse("DECLINED", Some("whim")), None);
        assert_eq!(Decision::parse("captured", None), None);
    }
}
