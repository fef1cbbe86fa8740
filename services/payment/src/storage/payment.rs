//! Decisions on orders: at most one row per order, never changed.

use contracts::{DeclineReason, Money, OrderId, PaymentCaptured, PaymentDeclined, UserId};
use messaging::failure::Failure;
use sqlx::PgTransaction;
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
    const fn outcome(self) -> &'static str {
        match self {
            Self::Captured => "CAPTURED",
            Self::Declined(_) => "DECLINED",
        }
    }

    const fn reason(self) -> Option<&'static str> {
        match self {
            Self::Captured => None,
            Self::Declined(reason) => Some(reason.as_str()),
        }
    }

    pub(super) fn parse(outcome: &str, reason: Option<&str>) -> Option<Self> {
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

/// The decisions that stand for these orders.
pub(crate) async fn find_all(
    tx: &mut PgTransaction<'_>,
    order_ids: &[OrderId],
) -> Result<Vec<Payment>, sqlx::Error> {
    let order_ids: Vec<_> = order_ids.iter().map(|id| id.as_uuid()).collect();
    let rows = sqlx::query!(
        "select order_id, user_id, amount_minor, outcome, reason, received_at, decided_at
         from payments.payment where order_id = any($1)",
        &order_ids,
    )
    .fetch_all(&mut **tx)
    .await?;
    rows.into_iter()
        .map(|row| {
            let decision = Decision::parse(&row.outcome, row.reason.as_deref())
                .ok_or_else(|| sqlx::Error::Decode("a payment with an unknown outcome".into()))?;
            Ok(Payment {
                order_id: row.order_id,
                user_id: row.user_id,
                amount: Money::rub(row.amount_minor),
                decision,
                received_at: row.received_at,
                decided_at: row.decided_at,
            })
        })
        .collect()
}

/// Writes new decisions, in the order of their keys so that two batches never wait for each other in a circle. If another
/// transaction has decided one of these orders meanwhile, that is a passing failure: the next attempt finds its decision.
pub(crate) async fn insert_all(
    tx: &mut PgTransaction<'_>,
    payments: &[Payment],
) -> Result<(), Failure> {
    let column = |of: fn(&Payment) -> i64| payments.iter().map(of).collect::<Vec<_>>();
    let instants = |of: fn(&Payment) -> OffsetDateTime| payments.iter().map(of).collect::<Vec<_>>();
    let order_ids: Vec<_> = payments.iter().map(|p| p.order_id.as_uuid()).collect();
    let currencies: Vec<_> = payments
        .iter()
        .map(|payment| payment.amount.currency.code().to_owned())
        .collect();
    let outcomes: Vec<_> = payments
        .iter()
        .map(|payment| payment.decision.outcome().to_owned())
        .collect();
    let reasons: Vec<_> = payments
        .iter()
        .map(|payment| payment.decision.reason().map(str::to_owned))
        .collect();
    sqlx::query!(
        "insert into payments.payment
             (order_id, user_id, amount_minor, currency, outcome, reason, received_at, decided_at)
         select order_id, user_id, amount_minor, currency, outcome, reason, received_at, decided_at
         from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[],
                     $7::timestamptz[], $8::timestamptz[])
             as decided (order_id, user_id, amount_minor, currency, outcome, reason, received_at, decided_at)
         order by order_id",
        &order_ids,
        &column(|payment| payment.user_id.as_i64()),
        &column(|payment| payment.amount.amount_minor),
        &currencies,
        &outcomes,
        &reasons as &[Option<String>],
        &instants(|payment| payment.received_at),
        &instants(|payment| payment.decided_at),
    )
    .execute(&mut **tx)
    .await
    .map_err(|error| match &error {
        sqlx::Error::Database(refusal) if refusal.constraint() == Some("payment_pkey") => {
            Failure::Transient(Box::new(error))
        }
        _ => error.into(),
    })?;
    Ok(())
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
