//! How long requests take and how they end, by route (OpenTelemetry: `http.server.request.duration`).

use std::time::Instant;

use axum::{
    extract::{MatchedPath, Request},
    response::Response,
};
use contracts::{
    TraceContext,
    metrics::{Announce, TracedHistogram, TracedHistograms, observe},
};
use http::Method;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{family::Family, gauge::Gauge},
    registry::{Registry, Unit},
};

/// Upper bounds in seconds, as the semantic conventions advise.
const BUCKETS_SECONDS: [f64; 14] = [
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];

/// The metrics of a public router.
#[derive(Debug, Clone)]
pub struct HttpMetrics {
    duration: TracedHistograms<Labels>,
    active: Family<ActiveLabels, Gauge>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
#[allow(
    clippy::struct_field_names,
    reason = "the semantic conventions name them so"
)]
struct Labels {
    http_request_method: &'static str,
    http_route: String,
    http_response_status_code: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ActiveLabels {
    http_request_method: &'static str,
}

/// A request under way; it may also end because its client goes away.
struct Active(Gauge);

impl Active {
    fn begin(gauge: Gauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl HttpMetrics {
    /// New metrics, shown by `registry`.
    #[must_use]
    pub fn register(registry: &mut Registry) -> Self {
        let duration = TracedHistograms::<Labels>::new_with_constructor(|| {
            TracedHistogram::new(BUCKETS_SECONDS.into_iter())
        });
        registry.announce_in(
            Unit::Seconds,
            "http_server_request_duration",
            "Time from a request's head to its answer's head",
            duration.clone(),
        );
        let active = Family::<ActiveLabels, Gauge>::default();
        registry.announce(
            "http_server_active_requests",
            "Requests that were begun and not answered yet",
            active.clone(),
        );
        Self { duration, active }
    }
}

/// Measures each request. What matched no route shares one label: a scanner must not make a series per address.
pub(super) async fn layer(
    metrics: &HttpMetrics,
    request: Request,
    next: impl AsyncFnOnce(Request) -> Response,
) -> Response {
    let begun = Instant::now();
    let http_request_method = known(request.method());
    let route = request.extensions().get::<MatchedPath>();
    let http_route = route.map_or_else(|| "other".to_owned(), |path| path.as_str().to_owned());
    let trace = request.extensions().get::<TraceContext>().copied();
    let active = ActiveLabels {
        http_request_method,
    };
    let active = Active::begin(metrics.active.get_or_create_owned(&active));
    let response = next(request).await;
    drop(active);
    let labels = Labels {
        http_request_method,
        http_route,
        http_response_status_code: response.status().as_u16(),
    };
    let duration = metrics.duration.get_or_create(&labels);
    observe(&duration, begun.elapsed(), trace);
    response
}

/// A method may be any word; the label has only those we serve.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        Method::PATCH => "PATCH",
        _ => "_OTHER",
    }
}
