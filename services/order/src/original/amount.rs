//! Roubles as a JSON number, read and written digit by digit: never through a float.

use contracts::{Money, MoneyError};
use serde_json::value::RawValue;

/// The number's text as money. The body parser has seen to it that it is JSON, not that it is a number.
pub(super) fn from_json(number: &RawValue) -> Result<Money, MoneyError> {
    Money::rub_from_decimal(number.get())
}

/// Money as a number.
pub(super) fn to_json(money: Money) -> Box<RawValue> {
    RawValue::from_string(money.to_decimal()).expect("a decimal literal is a JSON number")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_exactly_and_anything_else_is_refused() {
        let of = |json: &str| {
            from_json(serde_json::from_str(json).unwrap()).map(|money| money.amount_minor)
        };
        assert_eq!(of("0.1"), Ok(10));
        assert_eq!(of("92233720368547758.07"), Ok(i64::MAX));
        for json in [
            "\"100\"",
            "null",
            "true",
            "[1]",
            "{\"amount\":1}",
            "1e2",
            "1e400",
            "0.001",
        ] {
            assert!(of(json).is_err(), "{json}");
        }
        assert_eq!(
            of(&format!("1{}", "0".repeat(30))),
            Err(MoneyError::Overflow)
        );
    }

    #[test]
    fn a_number_is_written_as_it_reads_back() {
        for (minor, text) in [
            (10_000, "100.0"),
            (i64::MAX, "92233720368547758.07"),
            (10, "0.1"),
        ] {
            assert_eq!(to_json(Money::rub(minor)).get(), text);
        }
    }
}
