//! The layers every public router has, and the limits they enforce.
//!
//! Outermost first: trace (span, trace id in the answer), metrics, headers, net (whatever failed without a problem
//! becomes one), catch panic, cross-origin check, deadline, body. The page's and services' own layers lie inside.

use std::{any::Any, time::Duration};

use axum::{
    Router,
    extract::Request,
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
};
use http::{
    HeaderValue, StatusCode,
    header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS},
};
use tower_http::{
    catch_panic::CatchPanicLayer,
    csrf::{CsrfLayer, ProtectionError},
    set_header::SetResponseHeaderLayer,
};

use crate::{Problem, origin, trace};

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

/// Puts the common layers around a complete router. Answers are a person's own and asked for anew each time, unless a
/// handler says otherwise.
pub fn finish(router: Router, metrics: &HttpMetrics) -> Router {
    let same_origin = CsrfLayer::new()
        .with_rejection_response(|_: ProtectionError| origin::refusal().into_response());
    // Each layer wraps the ones above it.
    router
        .layer(from_fn(body::layer))
        .layer(from_fn(deadline))
        .layer(same_origin)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn(net::layer))
        .layer(SetResponseHeaderLayer::if_not_present(
            X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ))
        .layer(SetResponseHeaderLayer::if_not_present(
            CACHE_CONTROL,
            HeaderValue::from_static("private, no-cache"),
        ))
        .layer(from_fn_with_state(metrics.clone(), metrics::layer))
        .layer(from_fn(trace::layer))
}

/// 504 for a request that takes too long. A WebSocket's life is not counted: its answer, the upgrade, comes at once.
async fn deadline(request: Request, next: Next) -> Response {
    if let Ok(response) = tokio::time::timeout(REQUEST_DEADLINE, next.run(request)).await {
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
