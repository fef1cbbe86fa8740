//! The admin server of a process: `/livez`, `/readyz`, `/metrics` and `PUT /log-level`. Its port is not public.

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::{get, put},
};
use http::{StatusCode, header::CONTENT_TYPE};
use prometheus_client::registry::Registry;

use crate::{
    Problem, Readiness,
    metrics::{self, CONTENT_TYPE_METRICS},
    telemetry::LogFilter,
};

/// What the admin server shows and changes.
#[derive(Debug, Clone)]
pub struct Admin {
    /// Asked by `/readyz`.
    pub readiness: Arc<Readiness>,
    /// Shown by `/metrics`.
    pub registry: Arc<Registry>,
    /// Changed by `PUT /log-level`.
    pub log_filter: LogFilter,
}

/// The admin server's router.
pub fn router(admin: Admin) -> Router {
    Router::new()
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .route("/metrics", get(show_metrics))
        .route("/log-level", put(set_log_level))
        .with_state(admin)
}

/// Always yes: if the runtime is stuck there is no answer at all, and nothing else is cured by a restart.
async fn livez() -> &'static str {
    "alive\n"
}

async fn readyz(State(admin): State<Admin>) -> Response {
    let report = admin.readiness.report().await;
    let status = if report.ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, axum::Json(report)).into_response()
}

async fn show_metrics(State(admin): State<Admin>) -> Response {
    match metrics::text(&admin.registry) {
        Ok(text) => ([(CONTENT_TYPE, CONTENT_TYPE_METRICS)], text).into_response(),
        Err(error) => Problem::internal(&error).into_response(),
    }
}

/// The body is a filter as in `GOZON_LOG`: `info`, or `info,order=debug`.
async fn set_log_level(State(admin): State<Admin>, filter: String) -> Response {
    match admin.log_filter.set(filter.trim()) {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => Problem::new(
            StatusCode::BAD_REQUEST,
            "log_filter_invalid",
            "The log filter cannot be used",
        )
        .detail(error.to_string())
        .into_response(),
    }
}

#[cfg(test)]
mod tests;
