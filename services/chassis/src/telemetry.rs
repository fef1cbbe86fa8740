//! What the process says about itself: log lines, and spans for a collector where there is one.

mod logs;
mod traces;

use std::io;

use tracing_subscriber::{
    Layer, filter::filter_fn, layer::SubscriberExt, reload, util::SubscriberInitExt,
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
    // Only the spans made for it, and what is logged inside them: what nobody records costs this layer nothing.
    let spans = traces.clone().map(|traces| {
        tracing_opentelemetry::layer()
            .with_tracer(traces)
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_filter(filter_fn(|metadata| {
                metadata.is_event() || metadata.target() == crate::trace::RECORDED
            }))
    });
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

impl Telemetry {
    /// Which of the traces that begin in this process are recorded.
    #[must_use]
    pub fn sampling(&self) -> Sampling {
        self.traces
            .as_ref()
            .map_or(Sampling::OFF, |traces| traces.sampling)
    }
}
