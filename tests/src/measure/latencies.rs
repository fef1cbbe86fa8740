//! Latencies, every one of them kept, so that a percentile is exact and not a bucket's edge.

use std::time::Duration;

use super::Quantiles;

/// Durations in whole microseconds.
#[derive(Debug, Default, Clone)]
pub struct Latencies(Vec<u32>);

impl Latencies {
    /// Adds one; what is longer than an hour counts as an hour and some.
    pub fn add(&mut self, latency: Duration) {
        self.0
            .push(u32::try_from(latency.as_micros()).unwrap_or(u32::MAX));
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The quantiles that are reported; all zero where nothing was measured.
    #[must_use]
    pub fn quantiles(mut self) -> Quantiles {
        self.0.sort_unstable();
        let at = |per_mille| f64::from(nearest_rank(&self.0, per_mille)) / 1_000.0;
        Quantiles {
            p50_ms: at(500),
            p90_ms: at(900),
            p99_ms: at(990),
            p999_ms: at(999),
            max_ms: at(1_000),
        }
    }
}

/// The smallest value such that `per_mille` of all are not above it.
fn nearest_rank(sorted: &[u32], per_mille: usize) -> u32 {
    let rank = (sorted.len() * per_mille).div_ceil(1_000);
    sorted
        .get(rank.saturating_sub(1))
        .copied()
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_the_smallest_value_that_so_many_do_not_exceed() {
        let hundred: Vec<u32> = (1..=100).collect();
        assert_eq!(nearest_rank(&hundred, 500), 50);
        assert_eq!(nearest_rank(&hundred, 990), 99);
        assert_eq!(nearest_rank(&hundred, 999), 100);
        assert_eq!(nearest_rank(&hundred, 1_000), 100);
        assert_eq!(nearest_rank(&[7], 500), 7);
        assert_eq!(nearest_rank(&[], 500), 0);
    }

    #[test]
    #[expect(
        clippy::float_cmp,
        reason = "thousandths of small integers compare exactly"
    )]
    fn the_order_of_arrival_does_not_matter() {
        let mut latencies = Latencies::default();
        for milliseconds in [5, 1, 4, 2, 3] {
            latencies.add(Duration::from_millis(milliseconds));
        }
        assert_eq!(latencies.count(), 5);
        let quantiles = latencies.quantiles();
        assert_eq!(quantiles.p50_ms, 3.0);
        assert_eq!(quantiles.p99_ms, 5.0);
        assert_eq!(quantiles.max_ms, 5.0);
    }
}
