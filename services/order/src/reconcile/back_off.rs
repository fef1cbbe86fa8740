//! The pauses between the attempts at one order.

use std::time::Duration;

/// Pauses that double from the first to the longest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackOff {
    /// The pause after the first attempt.
    pub first: Duration,
    /// No pause is longer.
    pub longest: Duration,
}

impl BackOff {
    /// The pause after the attempt of this number, counted from one.
    #[must_use]
    pub fn after(&self, attempt: i32) -> Duration {
        let doublings = u32::try_from(attempt.saturating_sub(1)).unwrap_or(0);
        let factor = 2_u32.checked_pow(doublings).unwrap_or(u32::MAX);
        self.first.saturating_mul(factor).min(self.longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let back_off = BackOff {
            first: Duration::from_mins(1),
            longest: Duration::from_mins(5),
        };
        let pauses = [1, 2, 3, 4, 1_000].map(|attempt| back_off.after(attempt).as_secs());
        assert_eq!(pauses, [60, 120, 240, 300, 300]);
    }
}
