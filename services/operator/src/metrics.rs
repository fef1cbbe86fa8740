//! What the operator measures.

use std::time::Duration;

use contracts::{
    TraceContext,
    metrics::{Announce, Histograms, TracedHistograms, observe, short, short_traced},
};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::{Registry, Unit},
};

/// The measures; clones measure together.
#[derive(Debug, Clone)]
pub struct Metrics {
    /// 1 while this operator holds the lease and acts.
    pub(crate) leads: Gauge,
    /// Calls of the API server.
    pub(crate) calls: Family<CallLabels, Counter>,
    reconciles: Family<KindLabels, Counter>,
    failures: Family<FailureLabels, Counter>,
    durations: TracedHistograms<KindLabels>,
    queues: Histograms<KindLabels>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabels {
    kind: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FailureLabels {
    kind: &'static str,
    class: &'static str,
}

/// Labels of [`Metrics::calls`]: as a Role names them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct CallLabels {
    pub(crate) verb: &'static str,
    pub(crate) group: String,
    pub(crate) resource: String,
    pub(crate) status: u16,
}

impl Metrics {
    /// Measures that show up in this registry.
    #[must_use]
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            leads: Gauge::default(),
            calls: Family::default(),
            reconciles: Family::default(),
            failures: Family::default(),
            durations: Family::new_with_constructor(short_traced),
            queues: Family::new_with_constructor(short),
        };
        registry.announce(
            "gozon_operator_leads",
            "1 while this operator holds the lease and acts, 0 while it stands by",
            metrics.leads.clone(),
        );
        registry.announce(
            "gozon_operator_reconciles",
            "Reconciles of resources, failed ones included",
            metrics.reconciles.clone(),
        );
        registry.announce(
            "gozon_operator_failures",
            "Failures by class: what the operator could not do, or could not be told, and tries again",
            metrics.failures.clone(),
        );
        registry.announce_in(
            Unit::Seconds,
            "gozon_operator_reconcile_duration",
            "How long a reconcile took",
            metrics.durations.clone(),
        );
        registry.announce_in(
            Unit::Seconds,
            "gozon_operator_queue_duration",
            "How long after it was due a reconcile began",
            metrics.queues.clone(),
        );
        registry.announce(
            "gozon_operator_api_calls",
            "Calls of the API server by verb, group and resource, as a Role names them, and by the status of the answer; 0 where none came",
            metrics.calls.clone(),
        );
        metrics
    }

    pub(crate) fn reconciled(
        &self,
        kind: &'static str,
        took: Duration,
        trace: Option<TraceContext>,
    ) {
        let labels = KindLabels { kind };
        self.reconciles.get_or_create(&labels).inc();
        observe(&self.durations.get_or_create(&labels), took, trace);
    }

    pub(crate) fn failed(&self, kind: &'static str, class: &'static str) {
        let labels = FailureLabels { kind, class };
        self.failures.get_or_create(&labels).inc();
    }

    pub(crate) fn waited(&self, kind: &'static str, late: Duration) {
        let labels = KindLabels { kind };
        self.queues
            .get_or_create(&labels)
            .observe(late.as_secs_f64());
    }
}
