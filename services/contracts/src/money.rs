//! Money: a whole number of minor units and its currency, never a float.

use serde::{Deserialize, Serialize};

/// The currencies the shop deals in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Currency {
    /// Russian rouble, two decimals (ISO 4217 number 643).
    #[serde(rename = "RUB")]
    Rub,
}

impl Currency {
    /// The ISO 4217 code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Rub => "RUB",
        }
    }
}

/// An amount of money in minor units (kopecks for roubles); negative for a debit in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    /// Minor units, a hundredth of a rouble each.
    pub amount_minor: i64,
    /// The currency of `amount_minor`.
    pub currency: Currency,
}

/// How an amount could not be computed or read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// The result does not fit into 64 bits.
    #[error("the amount is too large")]
    Overflow,
    /// The text is not a plain decimal number.
    #[error("the amount is not a decimal number")]
    NotDecimal,
    /// The text has a fraction finer than a minor unit.
    #[error("the amount has more than two decimals")]
    TooManyDecimals,
}

impl Money {
    /// Roubles from kopecks.
    #[must_use]
    pub const fn rub(amount_minor: i64) -> Self {
        Self {
            amount_minor,
            currency: Currency::Rub,
        }
    }

    /// The sum. Fails if it does not fit.
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        let amount_minor = self
            .amount_minor
            .checked_add(other.amount_minor)
            .ok_or(MoneyError::Overflow)?;
        Ok(Self {
            amount_minor,
            ..self
        })
    }

    /// The amount with the opposite sign. Fails for the one number that has none.
    pub fn checked_neg(self) -> Result<Self, MoneyError> {
        let amount_minor = self
            .amount_minor
            .checked_neg()
            .ok_or(MoneyError::Overflow)?;
        Ok(Self {
            amount_minor,
            ..self
        })
    }

    /// Reads roubles as a decimal literal (`100`, `0.1`, `-3.50`), digit by digit and so exactly. At most two decimals
    /// that matter: `1.500` is 1.5, `1.005` is refused. Exponents are refused.
    pub fn rub_from_decimal(text: &str) -> Result<Self, MoneyError> {
        let (negative, digits) = text
            .strip_prefix('-')
            .map_or((false, text), |rest| (true, rest));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let only_digits =
            |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !only_digits(whole) || !only_digits(fraction) {
            return Err(MoneyError::NotDecimal);
        }
        let fraction = fraction.trim_end_matches('0');
        if fraction.len() > 2 {
            return Err(MoneyError::TooManyDecimals);
        }
        let minor = format!("{}{whole}{fraction:0<2}", if negative { "-" } else { "" });
        minor
            .parse()
            .map(Self::rub)
            .map_err(|_| MoneyError::Overflow)
    }

    /// Roubles as a decimal literal that reads back exactly: `100.0`, `99.95`, `-0.1`.
    #[must_use]
    pub fn to_decimal(self) -> String {
        let sign = if self.amount_minor < 0 { "-" } else { "" };
        let minor = self.amount_minor.unsigned_abs();
        let text = format!("{sign}{}.{:02}", minor / 100, minor % 100);
        text.strip_suffix('0')
            .map_or_else(|| text.clone(), str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn decimals_are_read_exactly_or_refused() {
        for (text, expected) in [
            ("100", Ok(10_000)),
            ("100.0", Ok(10_000)),
            ("0.1", Ok(10)),
            ("0.10", Ok(10)),
            ("1.500", Ok(150)),
            ("-3.07", Ok(-307)),
            ("92233720368547758.07", Ok(i64::MAX)),
            ("92233720368547758.08", Err(MoneyError::Overflow)),
            ("1000000000000000000000000000000", Err(MoneyError::Overflow)),
            ("0.001", Err(MoneyError::TooManyDecimals)),
            ("1e2", Err(MoneyError::NotDecimal)),
            ("NaN", Err(MoneyError::NotDecimal)),
            ("", Err(MoneyError::NotDecimal)),
            ("1.", Err(MoneyError::NotDecimal)),
            ("+1", Err(MoneyError::NotDecimal)),
            ("--1", Err(MoneyError::NotDecimal)),
        ] {
            assert_eq!(
                Money::rub_from_decimal(text).map(|money| money.amount_minor),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn a_tenth_three_times_is_three_tenths() {
        let tenth = Money::rub_from_decimal("0.1").unwrap();
        let sum = tenth
            .checked_add(tenth)
            .and_then(|two| two.checked_add(tenth))
            .unwrap();
        assert_eq!(sum.to_decimal(), "0.3");
    }

    #[test]
    fn a_sum_that_overflows_is_an_error() {
        assert_eq!(
            Money::rub(i64::MAX).checked_add(Money::rub(1)),
            Err(MoneyError::Overflow)
        );
        assert_eq!(
            Money::rub(i64::MIN).checked_neg(),
            Err(MoneyError::Overflow)
        );
    }

    proptest! {
        #[test]
        fn every_amount_reads_back_from_its_decimal(amount_minor: i64) {
            let money = Money::rub(amount_minor);
            prop_assert_eq!(Money::rub_from_decimal(&money.to_decimal()), Ok(money));
        }
    }
}
