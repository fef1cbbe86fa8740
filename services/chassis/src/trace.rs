//! Which trace a request belongs to: read from `traceparent` or begun here, in each log line, problem and event.

use std::time::Instant;

use axum::{
    extract::{FromRequestParts, MatchedPath, Request},
    response::Response,
};
use contracts::TraceContext;
use http::{HeaderMap, HeaderName, HeaderValue, request::Parts};
use opentelemetry::{
    Context,
    trace::{Status, TraceContextExt},
};
use tracing::{Instrument, Span, field::Empty};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::{problem::Problem, telemetry::Sampling};

/// The answer's header that names the trace, so that a person can quote it.
pub const TRACE_ID_HEADER: HeaderName = HeaderName::from_static("trace-id");

/// Extractor: the trace this request belongs to.
#[derive(Debug, Clone, Copy)]
pub struct Trace(pub TraceContext);

impl<S: Send + Sync> FromRequestParts<S> for Trace {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let context = parts.extensions.get::<TraceContext>().copied();
        // Without the layer (a router tested alone) the request is a trace of its own.
        Ok(Self(context.unwrap_or_else(TraceContext::root)))
    }
}

/// The target of the spans that go to a collector, and of nothing else.
pub(crate) const RECORDED: &str = "gozon::recorded";

/// The target of the spans of other requests.
pub(crate) const UNRECORDED: &str = "gozon::request";

/// Whose requests they are, and which of their traces are recorded.
#[derive(Debug, Clone, Copy)]
pub struct TraceOptions {
    /// The service's name, as its spans carry it.
    pub service: &'static str,
    /// Decides for the traces that begin here.
    pub sampling: Sampling,
}

impl TraceOptions {
    /// For a service without a collector.
    #[must_use]
    pub const fn unrecorded(service: &'static str) -> Self {
        Self {
            service,
            sampling: Sampling::OFF,
        }
    }
}

/// The outermost layer of every public router: the span all log lines of a request stand in, and its trace id in the
/// answer's header and in the body of a problem.
pub(crate) async fn layer(
    options: TraceOptions,
    mut request: Request,
    next: impl AsyncFnOnce(Request) -> Response,
) -> Response {
    let (span, context) = begin(options, &request);
    let trace_id = context.trace_id();
    request.extensions_mut().insert(context);
    let mut response = answer(request, next).instrument(span.clone()).await;
    let status = response.status();
    span.set_attribute("http.response.status_code", i64::from(status.as_u16()));
    if status.is_server_error() {
        span.set_attribute("error.type", status.as_str().to_owned());
        span.set_status(Status::error(""));
    }
    if let Ok(value) = HeaderValue::from_str(&trace_id) {
        response.headers_mut().insert(TRACE_ID_HEADER, value);
    }
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        problem.write_to(&mut response, Some(trace_id));
    }
    response
}

/// Begins the request's span, in the trace its client says it is in or in one of its own. Spans are at the level of
/// errors, so that no filter for warnings takes the trace id from them.
fn begin(options: TraceOptions, request: &Request) -> (Span, TraceContext) {
    let TraceOptions { service, sampling } = options;
    let given = of(request.headers());
    let is_recorded = match given {
        Some(given) => given.is_sampled() && sampling.is_on(),
        None => sampling.samples(),
    };
    let method = request.method();
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map(MatchedPath::as_str);
    if is_recorded {
        let span = tracing::error_span!(
            target: RECORDED,
            "request",
            service,
            trace_id = Empty,
            otel.kind = "server",
            otel.name = format!("{method} {}", route.unwrap_or_default()).trim_end(),
            http.request.method = %method,
            http.route = route,
        );
        let parent = given.map(|given| Context::new().with_remote_span_context(given.to_remote()));
        // Without the layer for spans, as in a test, nothing is recorded.
        let _ = span.set_parent(parent.unwrap_or_default());
        span.set_attribute("url.path", request.uri().path().to_owned());
        span.set_attribute("url.scheme", "http");
        if let Some(context) = TraceContext::of_span(span.context().span().span_context()) {
            span.record("trace_id", context.trace_id());
            return (span, context);
        }
    }
    let context = given.unwrap_or_else(TraceContext::root);
    let span = tracing::error_span!(
        target: UNRECORDED,
        "request",
        service,
        trace_id = context.trace_id(),
        http.request.method = %method,
        http.route = route,
    );
    (span, context)
}

/// Begins a trace of work that nobody asked for over HTTP, and the span it stands in: `reconcile OutboxRelay`, say.
#[must_use]
pub fn begin_task(
    options: TraceOptions,
    work: &'static str,
    what: &'static str,
) -> (Span, TraceContext) {
    let TraceOptions { service, sampling } = options;
    if sampling.samples() {
        let span = tracing::error_span!(
            target: RECORDED,
            "task",
            service,
            trace_id = Empty,
            otel.kind = "internal",
            otel.name = format!("{work} {what}"),
        );
        // A root: whatever else this thread was at is no part of it. Without the layer for spans nothing is recorded.
        let _ = span.set_parent(Context::new());
        if let Some(context) = TraceContext::of_span(span.context().span().span_context()) {
            span.record("trace_id", context.trace_id());
            return (span, context);
        }
    }
    let context = TraceContext::root();
    let span = tracing::error_span!(
        target: UNRECORDED,
        "task",
        service,
        trace_id = context.trace_id(),
    );
    (span, context)
}

/// The recorded trace that this code runs in, to be told to whoever is asked next.
#[must_use]
pub fn current() -> Option<TraceContext> {
    TraceContext::of_span(Span::current().context().span().span_context())
}

/// Answers, and tells whoever listens closely (`chassis=debug`) how it went.
async fn answer(request: Request, next: impl AsyncFnOnce(Request) -> Response) -> Response {
    let begun = Instant::now();
    let response = next(request).await;
    tracing::debug!(
        http.response.status_code = response.status().as_u16(),
        elapsed_ms = begun.elapsed().as_millis(),
        "a request was answered"
    );
    response
}

/// The trace a client says it is in (W3C Trace Context: one valid `traceparent`).
fn of(headers: &HeaderMap) -> Option<TraceContext> {
    let mut given = headers.get_all("traceparent").iter();
    given
        .next()
        .filter(|_| given.next().is_none())
        .and_then(|value| TraceContext::parse(value.to_str().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIVEN: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_valid_traceparent_is_continued() {
        let headers = HeaderMap::from_iter([(
            HeaderName::from_static("traceparent"),
            HeaderValue::from_static(GIVEN),
        )]);
        assert_eq!(of(&headers), TraceContext::parse(GIVEN));
    }

    #[test]
    fn a_malformed_or_repeated_traceparent_is_none() {
        let mut headers = HeaderMap::new();
        headers.insert("traceparent", HeaderValue::from_static("nonsense"));
        assert_eq!(of(&headers), None);
        headers.insert("traceparent", HeaderValue::from_static(GIVEN));
        headers.append("traceparent", HeaderValue::from_static(GIVEN));
        assert_eq!(of(&headers), None);
    }
}
