//! What one run of the load generator found, as it stands in its JSON output.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LoadReport {
    /// The length of the measured interval, in seconds.
    pub seconds: f64,
    /// Orders whose status push arrived within the interval.
    pub orders: u64,
    /// The same per second.
    pub orders_per_second: f64,
    /// The same in each second of the interval.
    pub orders_each_second: Vec<u64>,
    /// How many of them were paid.
    pub finished: u64,
    /// How many of them were refused.
    pub cancelled: u64,
    /// From the POST (open loop: from when it was due) to the push of the order's end.
    pub to_push: Quantiles,
    /// From the POST (open loop: from when it was due) to its answer.
    pub to_answer: Quantiles,
    /// POSTs that the shop put off with a 503.
    pub refused: u64,
    /// POSTs that failed otherwise, and sockets that ended.
    pub errors: u64,
    /// The first of the errors.
    pub first_errors: Vec<String>,
    /// Orders that were accepted and whose end was not pushed in time.
    pub lost: u64,
    /// What the load generator itself used of a processor, per order, in microseconds.
    pub generator_cpu_us_per_order: f64,
    /// What each of the servers named used of a processor, per order, in microseconds.
    pub server_cpu_us_per_order: BTreeMap<String, f64>,
    /// The processors that everything else on the machine kept busy: above a few hundredths, somebody else was at work.
    pub elsewhere_cpus: f64,
}

/// Quantiles of a latency, in milliseconds.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Quantiles {
    /// Half are not above it.
    pub p50_ms: f64,
    /// Nine of ten are not above it.
    pub p90_ms: f64,
    /// 99 of a hundred are not above it.
    pub p99_ms: f64,
    /// 999 of a thousand are not above it.
    pub p999_ms: f64,
    /// The longest.
    pub max_ms: f64,
}

impl LoadReport {
    /// What all the servers together used of a processor, per order, in microseconds.
    #[must_use]
    pub fn server_cpu_us(&self) -> f64 {
        self.server_cpu_us_per_order.values().sum()
    }
}
