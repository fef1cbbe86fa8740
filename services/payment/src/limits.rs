//! Every limit of the payment service, and the types that cannot exist beyond them.

use contracts::Money;

/// The largest order and the largest top-up: a billion roubles.
pub const AMOUNT_MAX_MINOR: i64 = 100_000_000_000;

/// The largest balance a top-up may leave. Half of what 64 bits hold: a refund, which no ceiling may refuse, still fits.
pub const BALANCE_MAX_MINOR: i64 = 1 << 62;

/// The entries on a page when the client does not say.
pub const PAGE_DEFAULT: i64 = 20;

/// The most entries on a page.
pub const PAGE_MAX: i64 = 100;

/// A positive amount no larger than [`AMOUNT_MAX_MINOR`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount(Money);

/// Why a sum of money is no [`Amount`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Zero or less.
    #[error("the amount must be positive")]
    NotPositive,
    /// More than [`AMOUNT_MAX_MINOR`].
    #[error("the amount must be at most {AMOUNT_MAX_MINOR} minor units")]
    TooLarge,
}

impl Amount {
    /// The amount as money.
    #[must_use]
    pub const fn money(self) -> Money {
        self.0
    }
}

impl TryFrom<Money> for Amount {
    type Error = AmountError;

    fn try_from(money: Money) -> Result<Self, Self::Error> {
        match money.amount_minor {
            ..=0 => Err(AmountError::NotPositive),
            1..=AMOUNT_MAX_MINOR => Ok(Self(money)),
            _ => Err(AmountError::TooLarge),
        }
    }
}

/// How many entries a page may hold: 1 to [`PAGE_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageLimit(i64);

/// A page size outside 1 to [`PAGE_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the limit must be between 1 and {PAGE_MAX}")]
pub struct PageLimitOutOfRange;

impl PageLimit {
    /// The limit as a plain integer.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl Default for PageLimit {
    fn default() -> Self {
        Self(PAGE_DEFAULT)
    }
}

impl TryFrom<i64> for PageLimit {
    type Error = PageLimitOutOfRange;

    fn try_from(limit: i64) -> Result<Self, Self::Error> {
        if (1..=PAGE_MAX).contains(&limit) {
            Ok(Self(limit))
        } else {
            Err(PageLimitOutOfRange)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_positive_and_at_most_a_billion_roubles() {
        for (amount_minor, expected) in [
            (i64::MIN, Err(AmountError::NotPositive)),
            (-1, Err(AmountError::NotPositive)),
            (0, Err(AmountError::NotPositive)),
            (1, Ok(1)),
            (100_000_000_000, Ok(100_000_000_000)),
            (100_000_000_001, Err(AmountError::TooLarge)),
            (i64::MAX, Err(AmountError::TooLarge)),
        ] {
            let amount = Amount::try_from(Money::rub(amount_minor));
            assert_eq!(
                amount.map(|amount| amount.money().amount_minor),
                expected,
                "{amount_minor}"
            );
        }
    }

    #[test]
    fn a_page_holds_1_to_100_entries_and_20_by_default() {
        assert_eq!(PageLimit::default().get(), 20);
        for (limit, allowed) in [
            (i64::MIN, false),
            (0, false),
            (1, true),
            (100, true),
            (101, false),
        ] {
            assert_eq!(PageLimit::try_from(limit).is_ok(), allowed, "{limit}");
        }
    }

    #[test]
    fn the_ceiling_leaves_headroom_for_every_refund() {
        assert_eq!(BALANCE_MAX_MINOR, 4_611_686_018_427_387_904);
        // As much again as the ceiling: 46 million of the largest orders refunded to one account.
        const { assert!(i64::MAX - BALANCE_MAX_MINOR >= 46_000_000 * AMOUNT_MAX_MINOR) };
    }
}
