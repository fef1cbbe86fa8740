//! The bounded queue of a service's spans, and a count of what becomes of them.
//!
//! The queue itself and the thread that empties it are the SDK's, which says of what it drops only in its log: so spans
//! are counted in and out around it, and it never has more of them than it has room for.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use opentelemetry::Context;
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{BatchConfigBuilder, BatchSpanProcessor, Span, SpanData, SpanExporter, SpanProcessor},
};
use prometheus_client::metrics::counter::Counter;

/// The most spans of a service that wait or are under way.
pub(super) const SPANS_MAX: usize = 16_384;

/// The most spans in one export.
const BATCH_SPANS: usize = 2_048;

/// How long spans wait for company.
const DELAY: Duration = Duration::from_secs(1);

/// What became of a service's spans.
#[derive(Debug, Clone, Default)]
pub(super) struct Counts {
    pub(super) exported: Counter,
    pub(super) failed: Counter,
    pub(super) dropped: Counter,
}

/// A processor that queues spans for an exporter.
pub(super) fn processor<E: SpanExporter + 'static>(
    service: &'static str,
    exporter: E,
    counts: Counts,
) -> impl SpanProcessor + 'static {
    let inside = Arc::new(AtomicUsize::new(0));
    let config = BatchConfigBuilder::default()
        .with_max_queue_size(SPANS_MAX)
        .with_max_export_batch_size(BATCH_SPANS)
        .with_scheduled_delay(DELAY)
        .build();
    let counted = CountingExporter {
        service,
        exporter,
        counts: counts.clone(),
        inside: Arc::clone(&inside),
        is_failing: AtomicBool::new(false),
    };
    BoundedProcessor {
        queue: BatchSpanProcessor::builder(counted)
            .with_batch_config(config)
            .build(),
        inside,
        dropped: counts.dropped,
    }
}

/// Takes no more spans than there is room for.
#[derive(Debug)]
struct BoundedProcessor {
    queue: BatchSpanProcessor,
    /// Spans that were taken and whose export has not ended.
    inside: Arc<AtomicUsize>,
    dropped: Counter,
}

impl SpanProcessor for BoundedProcessor {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.queue.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        let taken = self
            .inside
            .try_update(Ordering::Relaxed, Ordering::Relaxed, |inside| {
                (inside < SPANS_MAX).then_some(inside + 1)
            });
        if taken.is_ok() {
            self.queue.on_end(span);
        } else {
            self.dropped.inc();
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.queue.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.queue.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.queue.set_resource(resource);
    }
}

/// Counts the spans that leave the queue; that they cannot be exported is logged once, and once that they can again.
#[derive(Debug)]
struct CountingExporter<E> {
    service: &'static str,
    exporter: E,
    counts: Counts,
    inside: Arc<AtomicUsize>,
    is_failing: AtomicBool,
}

impl<E: SpanExporter> SpanExporter for CountingExporter<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        let exported = self.exporter.export(batch).await;
        self.inside.fetch_sub(spans, Ordering::Relaxed);
        let count = u64::try_from(spans).expect("a count fits");
        let service = self.service;
        match &exported {
            Ok(()) => {
                self.counts.exported.inc_by(count);
                if self.is_failing.swap(false, Ordering::Relaxed) {
                    tracing::info!(service, "spans are exported again");
                }
            }
            Err(error) => {
                self.counts.failed.inc_by(count);
                if !self.is_failing.swap(true, Ordering::Relaxed) {
                    tracing::warn!(
                        service,
                        error = %crate::chain(error),
                        "spans cannot be exported; they are dropped until the collector takes them"
                    );
                }
            }
        }
        exported
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use opentelemetry::trace::{Tracer, TracerProvider};
    use opentelemetry_sdk::{error::OTelSdkError, trace::SdkTracerProvider};

    use super::*;

    /// A collector that answers each export when it is told how.
    #[derive(Debug)]
    struct Slow(std::sync::Mutex<mpsc::Receiver<bool>>);

    impl SpanExporter for Slow {
        async fn export(&self, _: Vec<SpanData>) -> OTelSdkResult {
            match self.0.lock().unwrap().recv() {
                Ok(true) => Ok(()),
                _ => Err(OTelSdkError::InternalFailure("refused".to_owned())),
            }
        }
    }

    #[test]
    fn spans_beyond_the_queue_are_dropped_and_each_is_counted_once() {
        const BEYOND: usize = 100;
        let (answers, asked) = mpsc::channel();
        let counts = Counts::default();
        let exporter = Slow(asked.into());
        let provider = SdkTracerProvider::builder()
            .with_span_processor(processor("test", exporter, counts.clone()))
            .build();
        let tracer = provider.tracer("test");
        for _ in 0..SPANS_MAX + BEYOND {
            drop(tracer.start("span"));
        }
        assert_eq!(counts.dropped.get(), u64::try_from(BEYOND).unwrap());
        assert_eq!(counts.exported.get() + counts.failed.get(), 0);
        answers.send(true).unwrap();
        drop(answers);
        // The first export is taken, all others are refused.
        let _ = provider.shutdown();
        let (taken, failed) = (counts.exported.get(), counts.failed.get());
        assert!(taken > 0 && failed > 0, "{taken} {failed}");
        assert_eq!(taken + failed, u64::try_from(SPANS_MAX).unwrap());
    }
}
