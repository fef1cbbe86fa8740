//! An OpenTelemetry collector: takes spans over gRPC and over HTTP, and keeps them to be looked at.

use std::{
    collections::BTreeMap,
    fmt::Write,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{Router, body::Bytes, extract::State, http::StatusCode, routing::post};
use opentelemetry_proto::tonic::{
    collector::trace::v1::{
        ExportTraceServiceRequest, ExportTraceServiceResponse,
        trace_service_server::{TraceService, TraceServiceServer},
    },
    common::v1::{AnyValue, KeyValue, any_value::Value},
    trace::v1::{self, span::SpanKind, status::StatusCode as SpanStatus},
};
use prost::Message;
use tokio::net::TcpListener;

use crate::poll_until;

/// The collector. It ends with the test that made it.
#[derive(Debug, Clone)]
pub struct Collector {
    /// Its address, as `http://127.0.0.1:4317`; both protocols are spoken there.
    pub endpoint: String,
    spans: Arc<Mutex<Vec<Span>>>,
}

/// A span as it arrived.
#[derive(Debug, Clone)]
pub struct Span {
    /// `service.name` of the resource it came with.
    pub service: String,
    /// Its name.
    pub name: String,
    /// `Server`, `Client`, `Producer`, `Consumer` or `Internal`.
    pub kind: SpanKind,
    /// Where it stands.
    pub at: Place,
    /// The span it is a child of; empty for a root.
    pub parent: String,
    /// The spans it is linked to.
    pub links: Vec<Place>,
    /// What it says of itself, as text.
    pub attributes: BTreeMap<String, String>,
    /// Whether it says that it failed.
    pub failed: bool,
    /// Nanoseconds from its start to its end.
    pub nanoseconds: u64,
}

/// A trace and a span of it, in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The trace.
    pub trace_id: String,
    /// The span.
    pub span_id: String,
}

impl Collector {
    /// A collector on a port of its own.
    ///
    /// # Panics
    /// When there is no port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it listens");
        let collector = Self {
            endpoint: format!("http://{address}"),
            spans: Arc::default(),
        };
        let grpc = tonic::service::Routes::new(TraceServiceServer::new(collector.clone()));
        let router = Router::new()
            .route("/v1/traces", post(take_over_http))
            .with_state(collector.clone())
            .merge(grpc.into_axum_router());
        tokio::spawn(async move { axum::serve(listener, router).await });
        collector
    }

    /// All spans so far.
    #[must_use]
    pub fn spans(&self) -> Vec<Span> {
        let spans = self.spans.lock();
        spans.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until the spans so far are enough.
    ///
    /// # Panics
    /// When they are not in time.
    pub async fn until(
        &self,
        what: &str,
        within: Duration,
        are_enough: impl Fn(&[Span]) -> bool,
    ) -> Vec<Span> {
        poll_until(what, within, async || {
            Some(self.spans()).filter(|spans| are_enough(spans))
        })
        .await
    }

    fn take(&self, request: ExportTraceServiceRequest) {
        let mut spans = self.spans.lock().unwrap_or_else(PoisonError::into_inner);
        for of_resource in request.resource_spans {
            let resource = of_resource.resource.unwrap_or_default();
            let service = texts(&resource.attributes)
                .remove("service.name")
                .unwrap_or_default();
            let scopes = of_resource.scope_spans.into_iter();
            let arrived = scopes.flat_map(|scope| scope.spans);
            spans.extend(arrived.map(|span| Span::of(&service, span)));
        }
    }
}

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: tonic::Request<ExportTraceServiceRequest>,
    ) -> Result<tonic::Response<ExportTraceServiceResponse>, tonic::Status> {
        self.take(request.into_inner());
        Ok(tonic::Response::new(ExportTraceServiceResponse::default()))
    }
}

async fn take_over_http(State(collector): State<Collector>, body: Bytes) -> StatusCode {
    match ExportTraceServiceRequest::decode(body) {
        Ok(request) => {
            collector.take(request);
            StatusCode::OK
        }
        Err(_) => StatusCode::BAD_REQUEST,
    }
}

impl Span {
    fn of(service: &str, span: v1::Span) -> Self {
        let links = span.links.iter();
        Self {
            service: service.to_owned(),
            kind: span.kind(),
            at: Place::of(&span.trace_id, &span.span_id),
            parent: hexadecimal(&span.parent_span_id),
            links: links
                .map(|link| Place::of(&link.trace_id, &link.span_id))
                .collect(),
            attributes: texts(&span.attributes),
            failed: span
                .status
                .is_some_and(|status| status.code() == SpanStatus::Error),
            nanoseconds: span.end_time_unix_nano - span.start_time_unix_nano,
            name: span.name,
        }
    }

    /// What it says of itself under this name.
    ///
    /// # Panics
    /// When it says nothing.
    #[must_use]
    pub fn says(&self, name: &str) -> &str {
        let said = self.attributes.get(name);
        said.unwrap_or_else(|| panic!("{} says no {name}: {:?}", self.name, self.attributes))
    }
}

impl Place {
    fn of(trace_id: &[u8], span_id: &[u8]) -> Self {
        Self {
            trace_id: hexadecimal(trace_id),
            span_id: hexadecimal(span_id),
        }
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes all");
        text
    })
}

fn texts(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let attributes = attributes.iter();
    attributes
        .map(|attribute| (attribute.key.clone(), text(attribute.value.as_ref())))
        .collect()
}

fn text(value: Option<&AnyValue>) -> String {
    match value.and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::BoolValue(flag)) => flag.to_string(),
        Some(Value::DoubleValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    }
}
