//! How metrics are shown to whoever reads them: names before their first value, exemplars that name a trace, and readings
//! that are gone when nothing can be read.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, SystemTime},
};

use prometheus_client::{
    encoding::{
        EncodeGaugeValue, EncodeLabel, EncodeLabelSet, EncodeMetric, LabelSetEncoder, MetricEncoder,
    },
    metrics::{
        MetricType, TypedMetric, counter, exemplar::HistogramWithExemplars, family::Family, gauge,
        histogram::Histogram,
    },
    registry::{Metric, Registry, Unit},
};

use crate::TraceContext;

/// A histogram whose exemplars name the traces that are recorded.
pub type TracedHistogram = HistogramWithExemplars<TraceContext>;

/// Histograms by their labels, all with the same buckets.
pub type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

/// The same with exemplars.
pub type TracedHistograms<L> = Family<L, TracedHistogram, fn() -> TracedHistogram>;

/// A counter of seconds.
pub type SecondsCounter = counter::Counter<f64, std::sync::atomic::AtomicU64>;

/// A gauge of seconds.
pub type SecondsGauge = gauge::Gauge<f64, std::sync::atomic::AtomicU64>;

/// Upper bounds, in seconds, of what usually takes milliseconds.
pub const SHORT_SECONDS: [f64; 14] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// A histogram of what usually takes milliseconds.
#[must_use]
pub fn short() -> Histogram {
    Histogram::new(SHORT_SECONDS)
}

/// The same with exemplars.
#[must_use]
pub fn short_traced() -> TracedHistogram {
    TracedHistogram::new(SHORT_SECONDS.into_iter())
}

/// Takes down how long something took, with its trace as the bucket's exemplar if that is recorded.
pub fn observe(histogram: &TracedHistogram, took: Duration, trace: Option<TraceContext>) {
    let exemplar = trace.filter(TraceContext::is_sampled);
    // Most have none, and need not ask for the time.
    let at = exemplar.map(|_| SystemTime::now());
    histogram.observe(took.as_secs_f64(), exemplar, at);
}

/// As the label set of an exemplar.
impl EncodeLabelSet for TraceContext {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> fmt::Result {
        ("trace_id", self.trace_id().as_str()).encode(encoder.encode_label())
    }
}

/// Registering metrics whose names, meanings and types are shown before they have a series. A registry by itself leaves out
/// families without one, and then nobody knows what there is to be asked for.
pub trait Announce {
    /// Registers a metric that counts things.
    fn announce(&mut self, name: &str, help: &str, metric: impl Metric);
    /// Registers a metric that has a unit, which becomes part of its name.
    fn announce_in(&mut self, unit: Unit, name: &str, help: &str, metric: impl Metric);
}

impl Announce for Registry {
    fn announce(&mut self, name: &str, help: &str, metric: impl Metric) {
        self.register(name, help, Announced(metric));
    }

    fn announce_in(&mut self, unit: Unit, name: &str, help: &str, metric: impl Metric) {
        self.register_with_unit(name, help, unit, Announced(metric));
    }
}

/// A metric that is never left out, by `is_empty`'s default.
#[derive(Debug)]
struct Announced<M>(M);

impl<M: EncodeMetric> EncodeMetric for Announced<M> {
    fn encode(&self, encoder: MetricEncoder<'_>) -> fmt::Result {
        self.0.encode(encoder)
    }

    fn metric_type(&self) -> MetricType {
        self.0.metric_type()
    }
}

/// Gauges that are read together, each time anew. What is not in the last reading is not shown, and nothing is while nothing
/// can be read: a gauge of a database that is away must not stand still and look well. Clones share the readings.
#[derive(Debug)]
pub struct Readings<L, V = i64>(Arc<RwLock<BySource<L, V>>>);

/// Several may read the same of different things, in one process.
type BySource<L, V> = HashMap<&'static str, Vec<(L, V)>>;

impl<L: Clone, V: Clone> Readings<L, V> {
    /// Puts a reading in the place of this source's last one.
    pub fn show(&self, source: &'static str, reading: impl IntoIterator<Item = (L, V)>) {
        let reading = reading.into_iter().collect();
        let mut sources = self.0.write().unwrap_or_else(PoisonError::into_inner);
        sources.insert(source, reading);
    }

    /// This source cannot read.
    pub fn withdraw(&self, source: &'static str) {
        let mut sources = self.0.write().unwrap_or_else(PoisonError::into_inner);
        sources.remove(source);
    }

    /// What is shown.
    #[must_use]
    pub fn shown(&self) -> Vec<(L, V)> {
        let sources = self.0.read().unwrap_or_else(PoisonError::into_inner);
        sources.values().flatten().cloned().collect()
    }
}

impl<L, V> Default for Readings<L, V> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<L, V> Clone for Readings<L, V> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<L, V> TypedMetric for Readings<L, V> {
    const TYPE: MetricType = MetricType::Gauge;
}

impl<L: EncodeLabelSet, V: EncodeGaugeValue> EncodeMetric for Readings<L, V> {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        let sources = self.0.read().unwrap_or_else(PoisonError::into_inner);
        for (labels, value) in sources.values().flatten() {
            encoder.encode_family(labels)?.encode_gauge(value)?;
        }
        Ok(())
    }

    fn metric_type(&self) -> MetricType {
        Self::TYPE
    }
}

/// The label set of a reading that needs none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Unlabelled;

impl EncodeLabelSet for Unlabelled {
    fn encode(&self, _: &mut LabelSetEncoder<'_>) -> fmt::Result {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;

    use super::*;

    fn shown(registry: &Registry) -> String {
        let mut text = String::new();
        encode(&mut text, registry).unwrap();
        text
    }

    #[test]
    fn a_metric_is_announced_before_it_has_a_series() {
        let mut registry = Registry::default();
        let family = Family::<[(&str, &str); 1], counter::Counter>::default();
        registry.announce_in(Unit::Seconds, "waits", "How long", family);
        let text = shown(&registry);
        assert!(text.contains("# HELP waits_seconds How long.\n"), "{text}");
        assert!(text.contains("# TYPE waits_seconds counter\n"), "{text}");
    }

    #[test]
    fn only_a_recorded_trace_is_an_exemplar() {
        let histogram = short_traced();
        let mut registry = Registry::default();
        registry.announce("took", "How long", histogram.clone());
        observe(
            &histogram,
            Duration::from_millis(3),
            Some(TraceContext::root()),
        );
        assert!(!shown(&registry).contains("trace_id"));
        let given = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        observe(
            &histogram,
            Duration::from_millis(3),
            TraceContext::parse(given),
        );
        let text = shown(&registry);
        let exemplar = "le=\"0.005\"} 2 # {trace_id=\"0af7651916cd43dd8448eb211c80319c\"} 0.003";
        assert!(text.contains(exemplar), "{text}");
    }

    #[test]
    fn what_cannot_be_read_is_not_shown() {
        let readings = Readings::<[(&'static str, &'static str); 1]>::default();
        let mut registry = Registry::default();
        registry.announce("waiting", "How many", readings.clone());
        readings.show("one", [([("queue", "a")], 1), ([("queue", "b")], 2)]);
        readings.show("other", [([("queue", "c")], 3)]);
        readings.show("one", [([("queue", "b")], 4)]);
        let text = shown(&registry);
        assert!(!text.contains("queue=\"a\""), "{text}");
        assert!(text.contains("waiting{queue=\"b\"} 4"), "{text}");
        readings.withdraw("one");
        let text = shown(&registry);
        assert!(!text.contains("queue=\"b\""), "{text}");
        assert!(text.contains("waiting{queue=\"c\"} 3"), "{text}");
    }
}
