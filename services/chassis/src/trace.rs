//! Which trace a request belongs to: read from `traceparent` or begun here, in each log line, problem and event.

use std::time::Instant;

use axum::{
    extract::{FromRequestParts, MatchedPath, Request},
    response::Response,
};
use contracts::TraceContext;
use http::{HeaderMap, HeaderName, HeaderValue, request::Parts};
use tracing::Instrument;

use crate::problem::Problem;

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

/// The outermost layer of every public router: the span all log lines of a request stand in, and its trace id in the
/// answer's header and in the body of a problem.
pub(crate) async fn layer(
    mut request: Request,
    next: impl AsyncFnOnce(Request) -> Response,
) -> Response {
    let context = of(request.headers());
    let trace_id = context.trace_id();
    request.extensions_mut().insert(context);
    let route = request.extensions().get::<MatchedPath>();
    // At the level of errors, so that no filter for warnings takes the trace id from them.
    let span = tracing::error_span!(
        "request",
        trace_id,
        http.request.method = %request.method(),
        http.route = route.map(MatchedPath::as_str),
    );
    let mut response = answer(request, next).instrument(span).await;
    if let Ok(value) = HeaderValue::from_str(&trace_id) {
        response.headers_mut().insert(TRACE_ID_HEADER, value);
    }
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        problem.write_to(&mut response, Some(trace_id));
    }
    response
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

/// The trace a client says it is in (W3C Trace Context: one valid `traceparent`), else a new one.
fn of(headers: &HeaderMap) -> TraceContext {
    let mut given = headers.get_all("traceparent").iter();
    given
        .next()
        .filter(|_| given.next().is_none())
        .and_then(|value| TraceContext::parse(value.to_str().ok()?))
        .unwrap_or_else(TraceContext::root)
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
        assert_eq!(of(&headers).to_string(), GIVEN);
    }

    #[test]
    fn a_malformed_or_repeated_traceparent_begins_a_new_trace() {
        let mut headers = HeaderMap::new();
        headers.insert("traceparent", HeaderValue::from_static("nonsense"));
        assert_ne!(of(&headers), of(&headers));
        headers.insert("traceparent", HeaderValue::from_static(GIVEN));
        headers.append("traceparent", HeaderValue::from_static(GIVEN));
        assert_ne!(of(&headers).to_string(), GIVEN);
    }
}
