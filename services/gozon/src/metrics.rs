//! The metrics of a process: one registry, with what every process has; its parts add their own.

pub(crate) mod catalogue;
pub(crate) mod databases;

use chassis::{
    http::HttpMetrics,
    metrics::{PoolMetrics, Registry, registry},
};

use self::databases::Databases;
use crate::process::Base;

/// The metrics of a process.
#[derive(Debug)]
pub(crate) struct Metrics {
    pub(crate) registry: Registry,
    pub(crate) http: HttpMetrics,
    pub(crate) pools: PoolMetrics,
    pub(crate) databases: Databases,
    pub(crate) messaging: messaging::metrics::Metrics,
}

impl Metrics {
    /// Metrics that count for one process, inside its runtime.
    pub(crate) fn register(base: &Base) -> Self {
        let mut registry = registry(env!("CARGO_PKG_VERSION"));
        base.log_metrics.register(&mut registry);
        base.span_metrics.register(&mut registry);
        Self {
            http: HttpMetrics::register(&mut registry),
            pools: PoolMetrics::register(&mut registry),
            databases: Databases::register(&mut registry),
            messaging: messaging::metrics::Metrics::register(&mut registry),
            registry,
        }
    }
}
