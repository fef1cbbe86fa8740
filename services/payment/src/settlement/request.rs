//! What an event of the order service asks for, checked before anything is done with it.

use contracts::{Message, Money, OrderId, OrderPlaced, RefundRequested, UserId};
use messaging::{
    consumer::Event,
    failure::{ReasonClass, Rejection},
};

use crate::limits::Amount;

/// A request about an order's money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PaymentRequest {
    /// Which way the money is to go.
    pub purpose: Purpose,
    /// The order.
    pub order_id: OrderId,
    /// Who pays, and gets it back.
    pub user_id: UserId,
    /// How much.
    pub amount: Amount,
}

/// Which way the money is to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The order is to be paid.
    Payment,
    /// What was paid is to be given back.
    Refund,
}

impl PaymentRequest {
    /// Reads the request from an event. What is wrong with it is wrong for good: no later try would read it differently.
    pub(super) fn decode(event: &Event<'_>) -> Result<Self, Rejection> {
        match &*event.kind {
            OrderPlaced::TYPE => {
                let placed: OrderPlaced = event.decode()?;
                Ok(Self {
                    purpose: Purpose::Payment,
                    order_id: placed.order_id,
                    user_id: placed.user_id,
                    amount: amount(placed.amount)?,
                })
            }
            RefundRequested::TYPE => {
                let requested: RefundRequested = event.decode()?;
                Ok(Self {
                    purpose: Purpose::Refund,
                    order_id: requested.order_id,
                    user_id: requested.user_id,
                    amount: amount(requested.amount)?,
                })
            }
            unknown => Err(Rejection::new(
                ReasonClass::UnknownType,
                format!("the payment service knows no event of type {unknown:?}"),
            )),
        }
    }
}

fn amount(money: Money) -> Result<Amount, Rejection> {
    Amount::try_from(money).map_err(|error| Rejection::new(ReasonClass::Invalid, error.to_string()))
}

#[cfg(test)]
mod tests {
    use contracts::{EventId, TraceContext};
    use serde_json::{Value, json};

    use super::*;

    const ORDER: &str = "01935a3c-7f1e-7abc-8def-0123456789ab";

    /// What is read from an event of this type, subject and data.
    fn read(kind: &str, subject: &str, data: &Value) -> Result<PaymentRequest, Rejection> {
        PaymentRequest::decode(&Event {
            id: EventId::new(),
            kind: kind.into(),
            subject: subject.into(),
            trace: TraceContext::root(),
            data: &serde_json::value::to_raw_value(data).unwrap(),
        })
    }

    fn placed(user_id: &Value, amount: &Value) -> Value {
        json!({ "order_id": ORDER, "user_id": user_id, "amount": amount, "placed_at": "2026-01-01T00:00:00Z" })
    }

    fn rubles(amount_minor: impl Into<Value>) -> Value {
        json!({ "amount_minor": amount_minor.into(), "currency": "RUB" })
    }

    fn class_of(data: &Value) -> Option<ReasonClass> {
        read("order.placed.v1", ORDER, data)
            .err()
            .map(|rejection| rejection.class)
    }

    #[test]
    fn a_placed_order_is_a_request_to_pay() {
        let data = placed(&json!(7), &rubles(19_900));
        let request = read("order.placed.v1", ORDER, &data).unwrap();
        assert_eq!(request.purpose, Purpose::Payment);
        assert_eq!(request.order_id.to_string(), ORDER);
        assert_eq!(request.user_id.as_i64(), 7);
        assert_eq!(request.amount.money().amount_minor, 19_900);
    }

    #[test]
    fn a_requested_refund_is_a_request_to_give_back() {
        let data = json!({ "order_id": ORDER, "user_id": 7, "amount": rubles(19_900) });
        let request = read("refund.requested.v1", ORDER, &data).unwrap();
        assert_eq!(request.purpose, Purpose::Refund);
        assert_eq!(request.order_id.to_string(), ORDER);
        assert_eq!(request.amount.money().amount_minor, 19_900);
        let data = json!({ "order_id": ORDER, "user_id": 7, "amount": rubles(0) });
        let refused = read("refund.requested.v1", ORDER, &data).unwrap_err();
        assert_eq!(refused.class, ReasonClass::Invalid);
    }

    #[test]
    fn an_amount_out_of_range_is_invalid() {
        for amount in [
            rubles(0),
            rubles(-1),
            rubles(-100_000),
            rubles(100_000_000_001_i64),
            rubles(i64::MAX),
            rubles(1.5),
            rubles("100"),
            rubles(Value::Null),
            rubles(1e30),
            json!({ "amount_minor": 100 }),
            json!({ "amount_minor": 100, "currency": "USD" }),
            json!(100),
            Value::Null,
        ] {
            let class = class_of(&placed(&json!(7), &amount));
            assert_eq!(class, Some(ReasonClass::Invalid), "{amount}");
        }
        assert_eq!(
            class_of(&placed(&json!(7), &rubles(100_000_000_000_i64))),
            None
        );
    }

    #[test]
    fn a_user_id_out_of_range_is_invalid() {
        for user_id in [
            json!(0),
            json!(-1),
            json!(u64::MAX),
            json!(1.5),
            json!("7"),
            Value::Null,
        ] {
            let class = class_of(&placed(&user_id, &rubles(100)));
            assert_eq!(class, Some(ReasonClass::Invalid), "{user_id}");
        }
        assert_eq!(class_of(&placed(&json!(i64::MAX), &rubles(100))), None);
    }

    #[test]
    fn an_event_of_another_type_or_about_another_order_is_refused() {
        let data = placed(&json!(7), &rubles(100));
        for (kind, subject, class) in [
            ("order.placed.v2", ORDER, ReasonClass::UnknownType),
            ("refund.requested.v2", ORDER, ReasonClass::UnknownType),
            ("", ORDER, ReasonClass::UnknownType),
            ("order.placed.v1", "", ReasonClass::Invalid),
            (
                "order.placed.v1",
                "01935a3c-7f1e-7abc-8def-0123456789ac",
                ReasonClass::Invalid,
            ),
        ] {
            let refused = read(kind, subject, &data).unwrap_err();
            assert_eq!(refused.class, class, "{kind} {subject}");
        }
    }
}
