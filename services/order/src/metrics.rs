//! What the order service measures.

use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder},
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

use crate::load::Overload;

/// The measures; clones measure together.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    /// Sockets of the event stream that are open.
    pub sockets: Gauge,
    /// Orders of the whole database that are NEW, as this replica's tail counts them.
    pub undecided_orders: Gauge,
    /// Requests for an order that were refused because too much was under way, by the limit they met.
    pub shed_requests: Family<ShedLabels, Counter>,
    /// Requests for payment or refund that the reconciler repeated.
    pub reconciled_orders: Counter,
    /// Orders that are NEW or REFUNDING for too long, by whether an attempt is to come; zero on replicas that do not reconcile.
    pub stuck_orders: Family<StuckLabels, Gauge>,
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
        registry.register(
            "gozon_undecided_orders",
            "Orders of the whole database that are NEW",
            metrics.undecided_orders.clone(),
        );
        registry.register(
            "gozon_shed_requests",
            "Requests for an order refused because too much was under way, by the limit they met",
            metrics.shed_requests.clone(),
        );
        registry.register(
            "gozon_reconciled_orders",
            "Requests for payment or refund repeated because their order was NEW or REFUNDING for too long",
            metrics.reconciled_orders.clone(),
        );
        registry.register(
            "gozon_stuck_orders",
            "Orders that are NEW or REFUNDING for too long, as the replica that reconciles sees them",
            metrics.stuck_orders.clone(),
        );
        metrics
    }
}

/// Labels of [`Metrics::shed_requests`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ShedLabels {
    /// The limit that was met.
    pub reason: Overload,
}

/// Labels of [`Metrics::stuck_orders`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct StuckLabels {
    /// What is to become of them.
    pub state: StuckState,
}

/// What is to become of a stuck order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StuckState {
    /// Its request will be repeated.
    ToRetry,
    /// It had its last attempt.
    GivenUp,
}

impl EncodeLabelValue for StuckState {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        let name = match self {
            Self::ToRetry => "to_retry",
            Self::GivenUp => "given_up",
        };
        EncodeLabelValue::encode(&name, encoder)
    }
}

impl EncodeLabelValue for Overload {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        EncodeLabelValue::encode(&self.as_str(), encoder)
    }
}
