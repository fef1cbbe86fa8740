//! Log lines, as JSON or readable on a terminal, with a filter that can be changed while the process runs.

mod json;

use std::{
    io::{self, IsTerminal},
    str::FromStr,
};

use contracts::metrics::Announce;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::Registry as Metrics,
};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    fmt::{self, MakeWriter, format::JsonFields},
    layer::Context,
    registry::LookupSpan,
    reload,
};

use self::json::JsonLines;
use crate::trace::{RECORDED, UNRECORDED};

/// What holds whatever is to be logged, by target and level. The spans of requests are there: they carry the trace id of
/// what is, and are what is recorded of a request. And the broker's client does not tell of messages that came back nor of
/// frames, for it tells their bodies; whoever uses it says what came back, and why a connection ended.
const ALWAYS: [(&str, &str); 4] = [
    (RECORDED, "error"),
    (UNRECORDED, "error"),
    (RETURNED_MESSAGES, "off"),
    (FRAMES, "off"),
];

const RETURNED_MESSAGES: &str = "lapin::returned_messages";
const FRAMES: &str = "lapin::channels";

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object per line.
    Json,
    /// For a person at a terminal.
    Text,
}

/// A word that names no format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a log format is `json` or `text`")]
pub struct UnknownLogFormat;

impl FromStr for LogFormat {
    type Err = UnknownLogFormat;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "json" => Ok(Self::Json),
            "text" => Ok(Self::Text),
            _ => Err(UnknownLogFormat),
        }
    }
}

/// The filter in force; clones share it.
#[derive(Debug, Clone)]
pub struct LogFilter {
    pub(super) handle: reload::Handle<EnvFilter, Registry>,
}

/// Why a filter could not be put in force.
#[derive(Debug, thiserror::Error)]
pub enum LogFilterError {
    /// It does not parse.
    #[error(
        "`{0}` is no log filter: write a level (`info`), or levels by module (`info,order=debug`)."
    )]
    Invalid(String),
    /// The subscriber is gone or was there before.
    #[error("the log filter cannot be changed")]
    Subscriber(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl LogFilter {
    /// A filter that filters nothing, for tests of what holds one.
    #[cfg(test)]
    pub(crate) fn detached() -> Self {
        let (layer, handle) = reload::Layer::new(EnvFilter::default());
        // The handle is of use only while its layer lives.
        std::mem::forget(layer);
        Self { handle }
    }

    /// Puts another filter in force.
    pub fn set(&self, filter: &str) -> Result<(), LogFilterError> {
        let parsed = parse(filter)?;
        self.handle
            .reload(parsed)
            .map_err(|error| LogFilterError::Subscriber(error.into()))?;
        tracing::info!(filter, "the log filter was changed");
        Ok(())
    }
}

/// Counts the log lines that say that something is wrong, as far as the filter lets them through; clones count together.
#[derive(Debug, Clone)]
pub struct LogMetrics {
    lines: Family<LevelLabels, Counter>,
    warnings: Counter,
    errors: Counter,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LevelLabels {
    level: &'static str,
}

impl Default for LogMetrics {
    fn default() -> Self {
        let lines = Family::<LevelLabels, Counter>::default();
        Self {
            warnings: lines.get_or_create_owned(&LevelLabels { level: "warn" }),
            errors: lines.get_or_create_owned(&LevelLabels { level: "error" }),
            lines,
        }
    }
}

impl LogMetrics {
    /// Shows them in a registry.
    pub fn register(&self, registry: &mut Metrics) {
        registry.announce(
            "gozon_log_lines",
            "Log lines that say that something is wrong, by level, as far as they are written",
            self.lines.clone(),
        );
    }
}

impl<S: Subscriber> Layer<S> for LogMetrics {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        match *event.metadata().level() {
            Level::ERROR => self.errors.inc(),
            Level::WARN => self.warnings.inc(),
            _ => return,
        };
    }
}

/// The layer that writes log lines, each with what the spans around it say, their trace id among it.
pub(super) fn lines<S, W>(format: LogFormat, writer: W) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    match format {
        LogFormat::Json => fmt::layer()
            .fmt_fields(JsonFields::new())
            .event_format(JsonLines)
            .with_writer(writer)
            .boxed(),
        LogFormat::Text => fmt::layer()
            .with_ansi(io::stderr().is_terminal())
            .with_writer(writer)
            .boxed(),
    }
}

pub(super) fn parse(filter: &str) -> Result<EnvFilter, LogFilterError> {
    let invalid = || LogFilterError::Invalid(filter.to_owned());
    if filter.is_empty() {
        return Err(invalid());
    }
    // Regular expressions in a filter could be made expensive by whoever may send one.
    let parsed = EnvFilter::builder()
        .with_regex(false)
        .parse(filter)
        .map_err(|_| invalid())?;
    Ok(ALWAYS.iter().fold(parsed, |filter, (target, level)| {
        let directive = format!("{target}={level}");
        filter.add_directive(
            directive
                .parse()
                .expect("a target and a level make a directive"),
        )
    }))
}

/// A panic is a log line like any other, in the format of the others and inside its request's span.
pub(super) fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string);
        let said = panic.payload_as_str().unwrap_or("something unprintable");
        tracing::error!(location, panic = said, "the program panicked");
    }));
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[derive(Debug, thiserror::Error)]
    #[error("the orders could not be stored")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn a_line_of_json_carries_its_requests_trace_id_and_the_whole_chain_of_an_error() {
        let written = Lines::default();
        let writer = written.clone();
        let layer = lines(LogFormat::Json, move || writer.clone());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            let request = tracing::info_span!(
                "request",
                otel.name = "POST",
                trace_id = tracing::field::Empty
            );
            request.record("trace_id", "0af7");
            let _inside = request.entered();
            let error = Outer(std::io::Error::other("connection refused"));
            tracing::warn!(
                orders = 3,
                error = &error as &dyn std::error::Error,
                "failed"
            );
        });
        let line: serde_json::Value = serde_json::from_slice(&written.0.lock().unwrap()).unwrap();
        for (name, value) in [
            ("level", "WARN"),
            ("message", "failed"),
            ("trace_id", "0af7"),
            (
                "error",
                "the orders could not be stored: connection refused",
            ),
        ] {
            assert_eq!(line[name], value, "{name}");
        }
        assert_eq!(line["orders"], 3);
        assert!(line.get("otel.name").is_none(), "{line}");
    }

    #[test]
    fn warnings_and_errors_are_counted_and_nothing_else() {
        let metrics = LogMetrics::default();
        tracing::subscriber::with_default(
            tracing_subscriber::registry().with(metrics.clone()),
            || {
                tracing::info!("all is well");
                tracing::warn!("something is odd");
                tracing::error!("something is wrong");
                tracing::error!("something else is");
            },
        );
        assert_eq!((metrics.warnings.get(), metrics.errors.get()), (1, 2));
    }

    #[test]
    fn no_filter_takes_the_span_of_a_request_away() {
        for filter in ["off", "order=debug", "error"] {
            let subscriber = tracing_subscriber::registry().with(parse(filter).unwrap());
            tracing::subscriber::with_default(subscriber, || {
                let recorded = tracing::error_span!(target: RECORDED, "request");
                let unrecorded = tracing::error_span!(target: UNRECORDED, "request");
                assert!(
                    !recorded.is_disabled() && !unrecorded.is_disabled(),
                    "{filter}"
                );
            });
        }
    }

    #[test]
    fn no_filter_lets_the_bodies_of_messages_through() {
        for filter in ["trace", "lapin=trace", "lapin::returned_messages=warn"] {
            let subscriber = tracing_subscriber::registry().with(parse(filter).unwrap());
            tracing::subscriber::with_default(subscriber, || {
                let returned = tracing::event_enabled!(target: RETURNED_MESSAGES, Level::WARN);
                let frames = tracing::event_enabled!(target: FRAMES, Level::TRACE);
                assert!(!returned && !frames, "{filter}");
            });
        }
    }

    #[test]
    fn a_filter_is_a_level_or_levels_by_module() {
        for filter in ["info", "info,order=debug", "warn,sqlx::query=off"] {
            assert!(parse(filter).is_ok(), "{filter}");
        }
        for filter in ["", "order=loud", "info,,=", "[{"] {
            assert!(parse(filter).is_err(), "{filter}");
        }
    }
}
