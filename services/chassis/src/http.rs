//! The layers every public router has, and the limits they enforce.
//!
//! Outermost first: trace (span, trace id in the answer), metrics, headers, net (whatever failed without a problem
//! becomes one), catch panic, cross-origin check, deadline, body. The page's and services' own layers lie inside.

use std::{any::Any, time::Duration};

use axum::{
    Router,
    extract::{Request, State},
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
};
use http::{
    HeaderName, HeaderValue, StatusCode,
    header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS},
};
use tower::ServiceBuilder;
use tower_http::{
    catch_panic::CatchPanicLayer,
    csrf::{CsrfLayer, ProtectionError},
};

use crate::{
    Problem, origin,
    trace::{self, TraceOptions},
};

mod body;
mod metrics;
mod net;

pub(crate) use body::{body_incomplete, body_too_large};
pub use metrics::HttpMetrics;

/// The largest request body, in bytes.
pub const BODY_BYTES_MAX: usize = 16 * 1024;

/// How long a client may take to send its body.
pub const BODY_DEADLINE: Duration = Duration::from_secs(5);

/// How long a request may take until its answer begins.
pub const REQUEST_DEADLINE: Duration = Duration::from_secs(10);

/// Headers of every answer that does not bring its own.
const DEFAULT_HEADERS: [(HeaderName, HeaderValue); 2] = [
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (CACHE_CONTROL, HeaderValue::from_static("private, no-cache")),
];

/// Puts the common layers around a complete router. Answers are a person's own and asked for anew each time, unless a
/// handler says otherwise.
///
/// They are one layer to the router, in two functions: a router keeps each layer of a route behind a pointer of its own and
/// copies all that lies under it for every request.
pub fn finish(router: Router, metrics: &HttpMetrics, trace: TraceOptions) -> Router {
    let same_origin = CsrfLayer::new()
        .with_rejection_response(|_: ProtectionError| origin::refusal().into_response());
    router.layer(
        ServiceBuilder::new()
            .layer(from_fn_with_state((metrics.clone(), trace), outside))
            .layer(CatchPanicLayer::custom(panicked))
            .layer(same_origin)
            .layer(from_fn(inside)),
    )
}

/// What sees every answer, whoever gave it.
async fn outside(
    State((metrics, trace)): State<(HttpMetrics, TraceOptions)>,
    request: Request,
    next: Next,
) -> Response {
    trace::layer(trace, request, async |request| {
        metrics::layer(&metrics, request, async |request| {
            let mut response = net::layer(request, next).await;
            let headers = response.headers_mut();
            for (name, value) in DEFAULT_HEADERS {
                headers.entry(name).or_insert(value);
            }
            response
        })
        .await
    })
    .await
}

/// What bounds the work on a request. A WebSocket's life is not counted: its answer, the upgrade, comes at once.
async fn inside(request: Request, next: Next) -> Response {
    let answer = tokio::time::timeout(REQUEST_DEADLINE, body::layer(request, next));
    if let Ok(response) = answer.await {
        return response;
    }
    tracing::warn!("a request took too long");
    timed_out().into_response()
}

const fn timed_out() -> Problem {
    Problem::new(
        StatusCode::GATEWAY_TIMEOUT,
        "timeout",
        "The request took too long",
    )
}

/// The panic itself was logged by the hook that [`crate::telemetry`] installs.
#[allow(
    clippy::needless_pass_by_value,
    reason = "the signature is tower-http's"
)]
fn panicked(_: Box<dyn Any + Send>) -> Response {
    Problem::unexplained().into_response()
}

#[cfg(test)]
mod tests;
