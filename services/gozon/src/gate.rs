//! A gate that opens once: what waits behind it needs a schema or a topology that may not be there yet.

use axum::{
    extract::{Request, State},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
};
use chassis::{BoxError, Problem};
use tokio_util::sync::CancellationToken;
use utoipa_axum::router::OpenApiRouter;

/// Closed at first; clones open together.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gate(CancellationToken);

impl Gate {
    pub(crate) fn open(&self) {
        self.0.cancel();
    }

    /// Waits until it is open.
    pub(crate) async fn opened(&self) {
        self.0.cancelled().await;
    }

    /// What readiness asks.
    pub(crate) fn check(&self) -> Result<(), BoxError> {
        if self.0.is_cancelled() {
            Ok(())
        } else {
            Err("waiting for `gozon migrate`, or for the database".into())
        }
    }

    /// Answers 503 for these routes until it opens.
    pub(crate) fn guard(&self, router: OpenApiRouter) -> OpenApiRouter {
        router.route_layer(from_fn_with_state(self.clone(), layer))
    }
}

async fn layer(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    if gate.0.is_cancelled() {
        next.run(request).await
    } else {
        Problem::unavailable()
            .detail("The service is starting.")
            .into_response()
    }
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, routing::get};
    use http::StatusCode;
    use tower::ServiceExt;

    use super::*;

    #[tokio::test]
    async fn routes_answer_503_until_their_gate_opens() {
        let gate = Gate::default();
        let router = OpenApiRouter::new().route("/", get(async || "open"));
        let router = axum::Router::from(gate.guard(router));
        let status = async || {
            let request = Request::new(Body::empty());
            router.clone().oneshot(request).await.unwrap().status()
        };
        assert_eq!(status().await, StatusCode::SERVICE_UNAVAILABLE);
        assert!(gate.check().is_err());
        gate.open();
        assert_eq!(status().await, StatusCode::OK);
        assert!(gate.check().is_ok());
    }
}
