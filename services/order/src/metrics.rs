//! What the order service measures.

use prometheus_client::{metrics::gauge::Gauge, registry::Registry};

/// The measures; clones measure together.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    /// Sockets of the event stream that are open.
    pub sockets: Gauge,
}

impl Metrics {
    /// Measures that show up in this registry.
    #[must_use]
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register(
            "gozon_event_sockets",
            "Open sockets of the event stream",
            metrics.sockets.clone(),
        );
        metrics
    }
}
