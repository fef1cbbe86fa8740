//! What the process says about itself: log lines, and spans for a collector where there is one.

mod logs;
mod traces;

use std::io;

use opentelemetry::trace::Tracer;
use tracing::{Level, Subscriber};
use tracing_subscriber::{
    Layer, filter::filter_fn, layer::SubscriberExt, registry::LookupSpan, reload,
    util::SubscriberInitExt,
};

pub use self::{
    logs::{LogFilter, LogFilterError, LogFormat, LogMetrics, UnknownLogFormat},
    traces::{
        OtlpProtocol, Sampling, SpanMetrics, TraceError, TraceSettings, Traces, UnknownOtlpProtocol,
    },
};

/// What a process is to say about itself.
#[derive(Debug, Clone)]
pub struct TelemetrySettings<'s> {
    /// How log lines look.
    pub format: LogFormat,
    /// Which log lines are written.
    pub filter: &'s str,
    /// Where spans go; none if there is no collector.
    pub traces: Option<TraceSettings>,
    /// The services that this process runs, by the names that their spans carry.
    pub services: &'static [&'static str],
}

/// What a process says about itself, and what can be changed about it.
#[derive(Debug)]
pub struct Telemetry {
    /// Which log lines are written.
    pub log_filter: LogFilter,
    /// How often something was wrong.
    pub log_metrics: LogMetrics,
    /// What becomes of spans.
    pub span_metrics: SpanMetrics,
    /// Where spans go; none if there is no collector.
    pub traces: Option<Traces>,
}

/// Why a process cannot say anything.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// There are no log lines.
    #[error("log lines cannot be written")]
    Logs(#[source] LogFilterError),
    /// There are no spans.
    #[error("spans cannot be exported")]
    Traces(#[source] TraceError),
}

/// Installs the subscriber, and a hook that logs panics; once per process, inside its runtime.
pub fn init(settings: &TelemetrySettings<'_>) -> Result<Telemetry, TelemetryError> {
    let filter = logs::parse(settings.filter).map_err(TelemetryError::Logs)?;
    let (filter, handle) = reload::Layer::new(filter);
    let (log_metrics, span_metrics) = (LogMetrics::default(), SpanMetrics::default());
    let traces = match &settings.traces {
        Some(traces) if !settings.services.is_empty() => Some(
            Traces::start(traces, settings.services, &span_metrics)
                .map_err(TelemetryError::Traces)?,
        ),
        _ => None,
    };
    let spans = traces.clone().map(recording);
    tracing_subscriber::registry()
        .with(filter)
        .with(logs::lines(settings.format, io::stderr))
        .with(log_metrics.clone())
        .with(spans)
        .try_init()
        .map_err(|error| TelemetryError::Logs(LogFilterError::Subscriber(error.into())))?;
    logs::log_panics();
    Ok(Telemetry {
        log_filter: LogFilter { handle },
        log_metrics,
        span_metrics,
        traces,
    })
}

/// The layer that hands spans to a tracer: only those made for it, and the warnings and errors that are logged inside them.
/// What nobody records costs it nothing. It says that it wants no more than warnings, for otherwise every library would ask
/// of all its finest log lines whether anybody wants them, which was a quarter of the program's time under load.
fn recording<S, T>(tracer: T) -> impl Layer<S> + Send + Sync
where
    S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
    T: Tracer<Span: Send + Sync> + Send + Sync + 'static,
{
    tracing_opentelemetry::layer()
        .with_tracer(tracer)
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
        .with_filter(
            filter_fn(|metadata| {
                if metadata.is_event() {
                    *metadata.level() <= Level::WARN
                } else {
                    metadata.target() == crate::trace::RECORDED
                }
            })
            .with_max_level_hint(Level::WARN),
        )
}

impl Telemetry {
    /// Which of the traces that begin in this process are recorded.
    #[must_use]
    pub fn sampling(&self) -> Sampling {
        self.traces
            .as_ref()
            .map_or(Sampling::OFF, |traces| traces.sampling)
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::noop::NoopTracer;
    use tracing::level_filters::LevelFilter;

    use super::*;

    #[test]
    fn recording_spans_makes_nobody_ask_for_finer_log_lines_than_are_written() {
        for (filter, finest) in [("warn", LevelFilter::WARN), ("info", LevelFilter::INFO)] {
            let (filter, _handle) = reload::Layer::new(logs::parse(filter).unwrap());
            let subscriber = tracing_subscriber::registry()
                .with(filter)
                .with(Some(recording(NoopTracer::new())));
            assert_eq!(subscriber.max_level_hint(), Some(finest));
        }
    }
}
