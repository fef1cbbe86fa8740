//! Measuring a running shop: latencies, processor time, and the report that the load generator hands to whoever asked.

pub mod latencies;
pub mod phase;
pub mod processor;
pub mod report;

pub use latencies::Latencies;
pub use phase::Phase;
pub use report::{LoadReport, Quantiles};

use std::time::Duration;

/// How many of something happened in a second.
#[must_use]
pub fn per_second(count: u64, time: Duration) -> f64 {
    as_f64(count) / time.as_secs_f64().max(f64::MIN_POSITIVE)
}

/// What each of `count` cost of a time, in microseconds; zero where there was none.
#[must_use]
pub fn micros_each(time: Duration, count: u64) -> f64 {
    if count == 0 {
        return 0.0;
    }
    time.as_secs_f64() * 1e6 / as_f64(count)
}

/// A share of two counts; zero where there is no whole.
#[must_use]
pub fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        return 0.0;
    }
    as_f64(part) / as_f64(whole)
}

/// A count as a floating point number. Nothing that a bench counts reaches four thousand millions.
fn as_f64(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::float_cmp, reason = "these quotients are exact")]
    fn rates_and_shares_are_plain_quotients_and_nothing_divides_by_zero() {
        assert_eq!(per_second(500, Duration::from_millis(250)), 2_000.0);
        assert_eq!(micros_each(Duration::from_millis(1), 4), 250.0);
        assert_eq!(micros_each(Duration::from_millis(1), 0), 0.0);
        assert_eq!(share(1, 4), 0.25);
        assert_eq!(share(1, 0), 0.0);
    }
}
