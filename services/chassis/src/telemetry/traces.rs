//! Spans on their way to a collector, in OpenTelemetry's protocol: one provider for each service, so that each has its
//! `service.name` even where one process runs several.
//!
//! Whether a trace is recorded is decided once, where it begins ([`Sampling`]); from then on its context says so, in the
//! process and on the wire, and only for such traces is a span made at all. Spans wait in a bounded queue of each service.
//! When the collector is dead or slow they are dropped and counted, and no order waits for it.

mod queue;

use std::{str::FromStr, time::Duration};

use contracts::metrics::Announce as _;
use opentelemetry::{
    Context, InstrumentationScope, KeyValue,
    trace::{SpanBuilder, Tracer, TracerProvider},
};
use opentelemetry_otlp::{
    SpanExporter, WithExportConfig, WithTonicConfig, tonic_types::transport::ClientTlsConfig,
};
use opentelemetry_sdk::{
    Resource,
    trace::{Sampler, SdkTracer, SdkTracerProvider, Span},
};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};

/// How long one export may take.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long the last export may hold up the end of the process.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(2);

/// The attribute of a request's span that says whose it is.
const SERVICE: &str = "service";

/// How spans reach the collector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OtlpProtocol {
    /// gRPC, by custom on port 4317.
    Grpc,
    /// Protobuf over HTTP, by custom on port 4318.
    Http,
}

/// A word that names no protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a protocol for spans is `grpc` or `http`")]
pub struct UnknownOtlpProtocol;

impl FromStr for OtlpProtocol {
    type Err = UnknownOtlpProtocol;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "grpc" => Ok(Self::Grpc),
            "http" => Ok(Self::Http),
            _ => Err(UnknownOtlpProtocol),
        }
    }
}

/// Where spans go, and of how many traces.
#[derive(Debug, Clone)]
pub struct TraceSettings {
    /// The collector's address: `http://collector:4317`.
    pub endpoint: String,
    /// How it is spoken to.
    pub protocol: OtlpProtocol,
    /// The share of traces that are recorded, of those that begin here; 0 to 1.
    pub ratio: f64,
    /// The version of this program.
    pub version: &'static str,
}

/// Why spans cannot be exported.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// The collector's address is none.
    #[error("spans cannot be sent to {endpoint}")]
    Exporter {
        /// The address.
        endpoint: String,
        /// Why not.
        #[source]
        source: opentelemetry_otlp::ExporterBuildError,
    },
    /// The share of traces is none.
    #[error("the share of traces to record is a number from 0 to 1")]
    Ratio,
}

/// Which of the traces that begin here are recorded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampling {
    /// None where there is no collector.
    ratio: Option<f64>,
}

impl Sampling {
    /// None: there is no collector.
    pub const OFF: Self = Self { ratio: None };

    /// Decides for a trace that begins here.
    pub(crate) fn samples(self) -> bool {
        self.ratio.is_some_and(|ratio| fastrand::f64() < ratio)
    }

    /// Whether there is a collector.
    pub(crate) const fn is_on(self) -> bool {
        self.ratio.is_some()
    }
}

/// What became of spans.
#[derive(Debug, Clone, Default)]
pub struct SpanMetrics {
    spans: Family<SpanLabels, Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SpanLabels {
    service: &'static str,
    outcome: &'static str,
}

impl SpanMetrics {
    /// Shows them in a registry.
    pub fn register(&self, registry: &mut Registry) {
        registry.announce(
            "gozon_telemetry_spans",
            "Spans by what became of them: exported, failed (the collector did not take them) or dropped (the queue was full)",
            self.spans.clone(),
        );
    }

    fn of(&self, service: &'static str) -> queue::Counts {
        let of = |outcome| {
            self.spans
                .get_or_create_owned(&SpanLabels { service, outcome })
        };
        queue::Counts {
            exported: of("exported"),
            failed: of("failed"),
            dropped: of("dropped"),
        }
    }
}

/// The providers of this process; dropped, they stop without a last export.
#[derive(Debug, Clone)]
pub struct Traces {
    providers: Vec<(&'static str, SdkTracerProvider)>,
    pub(crate) sampling: Sampling,
}

impl Traces {
    /// Begins to export the spans of these services, and makes their tracers the process's. Inside a runtime.
    pub(crate) fn start(
        settings: &TraceSettings,
        services: &[&'static str],
        metrics: &SpanMetrics,
    ) -> Result<Self, TraceError> {
        if !(0.0..=1.0).contains(&settings.ratio) {
            return Err(TraceError::Ratio);
        }
        let providers = services
            .iter()
            .map(|service| {
                let exporter = exporter(settings).map_err(|source| TraceError::Exporter {
                    endpoint: settings.endpoint.clone(),
                    source,
                })?;
                let provider = SdkTracerProvider::builder()
                    .with_sampler(Sampler::AlwaysOn)
                    .with_resource(resource(service, settings.version))
                    .with_span_processor(queue::processor(service, exporter, metrics.of(service)))
                    .build();
                Ok((*service, provider))
            })
            .collect::<Result<_, _>>()?;
        let sampling = Sampling {
            ratio: Some(settings.ratio),
        };
        let traces = Self {
            providers,
            sampling,
        };
        opentelemetry::global::set_tracer_provider(traces.clone());
        Ok(traces)
    }

    /// Exports what waits, in bounded time; to be called outside of any runtime's worker.
    pub fn shut_down(self) {
        std::thread::scope(|scope| {
            for (service, provider) in &self.providers {
                scope.spawn(move || {
                    if let Err(error) = provider.shutdown_with_timeout(SHUTDOWN_TIMEOUT) {
                        tracing::warn!(service, error = %crate::chain(&error), "the last spans were not exported");
                    }
                });
            }
        });
    }

    fn provider(&self, service: &str) -> &SdkTracerProvider {
        let named = self.providers.iter().find(|(name, _)| *name == service);
        let (_, provider) = named.unwrap_or(&self.providers[0]);
        provider
    }
}

/// A tracer's name is that of its service.
impl TracerProvider for Traces {
    type Tracer = SdkTracer;

    fn tracer_with_scope(&self, scope: InstrumentationScope) -> SdkTracer {
        self.provider(scope.name()).tracer_with_scope(scope)
    }
}

/// The tracer of the spans that carry a service's name as an attribute, as those of requests do.
impl Tracer for Traces {
    type Span = Span;

    fn build_with_context(&self, builder: SpanBuilder, parent: &Context) -> Span {
        let attributes = builder.attributes.iter().flatten();
        let service = attributes
            .filter(|attribute| attribute.key.as_str() == SERVICE)
            .map(|attribute| attribute.value.as_str())
            .next()
            .unwrap_or_default()
            .into_owned();
        self.tracer(service).build_with_context(builder, parent)
    }
}

fn exporter(
    settings: &TraceSettings,
) -> Result<SpanExporter, opentelemetry_otlp::ExporterBuildError> {
    match settings.protocol {
        OtlpProtocol::Grpc => {
            let exporter = SpanExporter::builder()
                .with_tonic()
                .with_endpoint(&settings.endpoint)
                .with_timeout(EXPORT_TIMEOUT);
            if settings.endpoint.starts_with("https:") {
                let tls = ClientTlsConfig::new().with_native_roots();
                exporter.with_tls_config(tls).build()
            } else {
                exporter.build()
            }
        }
        OtlpProtocol::Http => SpanExporter::builder()
            .with_http()
            .with_endpoint(format!(
                "{}/v1/traces",
                settings.endpoint.trim_end_matches('/')
            ))
            .with_timeout(EXPORT_TIMEOUT)
            .build(),
    }
}

fn resource(service: &'static str, version: &'static str) -> Resource {
    Resource::builder_empty()
        .with_attributes([
            KeyValue::new("service.name", service),
            KeyValue::new("service.namespace", "gozon"),
            KeyValue::new("service.version", version),
            KeyValue::new("service.instance.id", uuid::Uuid::new_v4().to_string()),
        ])
        .build()
}
