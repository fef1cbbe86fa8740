//! Money in a request's body.

use std::fmt;

use contracts::{Currency, Money};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{MapAccess, Visitor, value::MapAccessDeserializer},
};

/// Money as a request may spell it: unlike in an event, a field that nobody knows is a mistake. Document it with
/// `#[schema(value_type = chassis::openapi::Money)]`.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct RequestMoney {
    amount_minor: i64,
    currency: Currency,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    amount_minor: i64,
    currency: Currency,
}

impl<'de> Deserialize<'de> for RequestMoney {
    /// From an object only: for a derived struct, serde would also take an array of its fields' values.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor)
    }
}

struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = RequestMoney;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with amount_minor and currency")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RequestMoney, A::Error> {
        let fields = Fields::deserialize(MapAccessDeserializer::new(map))?;
        Ok(RequestMoney {
            amount_minor: fields.amount_minor,
            currency: fields.currency,
        })
    }
}

impl From<RequestMoney> for Money {
    fn from(request: RequestMoney) -> Self {
        Self {
            amount_minor: request.amount_minor,
            currency: request.currency,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_object_with_exactly_its_fields_is_money() {
        let exact = r#"{"amount_minor": 1, "currency": "RUB"}"#;
        let money: RequestMoney = serde_json::from_str(exact).unwrap();
        assert_eq!(Money::from(money), Money::rub(1));
        for other in [
            r#"{"amount_minor": 1, "currency": "RUB", "discount": 1}"#,
            r#"{"amount_minor": 1}"#,
            r#"[1, "RUB"]"#,
            "1",
            "null",
        ] {
            assert!(
                serde_json::from_str::<RequestMoney>(other).is_err(),
                "{other}"
            );
        }
    }
}
