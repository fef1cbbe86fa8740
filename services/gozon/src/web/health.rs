//! `GET /ops/v1/web/health`: how the role `web` is. It keeps nothing and leans on nothing, so a replica that answers works;
//! each can answer for itself alone.

use axum::extract::State;
use chassis::{Problem, extract::Json, identity::Operator};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::WebState;

/// How the replica that answers is.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct WebHealth {
    /// Its version.
    version: String,
    /// For how many seconds it has been up.
    up_seconds: f64,
}

pub(crate) fn router() -> OpenApiRouter<WebState> {
    OpenApiRouter::new().routes(routes!(read_web_health))
}

/// Look at the health of the role `web`
///
/// That of the replica that answers.
#[utoipa::path(
    get,
    path = "/ops/v1/web/health",
    tag = "operators",
    security(("session" = []), ("bearer" = [])),
    responses(
        (status = 200, description = "How the replica is", body = WebHealth),
        (status = 401, description = "`unauthenticated`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`: not an operator", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn read_web_health(State(state): State<WebState>, _: Operator) -> Json<WebHealth> {
    Json(WebHealth {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        up_seconds: state.started.elapsed().as_secs_f64(),
    })
}
