//! `GET /ops/v1/{service}/dead-letters/{id}`: one dead letter whole.

use axum::extract::State;
use chassis::{
    Problem,
    extract::{Json, Path},
    identity::Operator,
};
use messaging::dead_letter::show;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::DeadLetter;
use crate::ops::{OpsState, error::Error};

/// A dead letter whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct WholeDeadLetter {
    /// What a list says of it.
    #[serde(flatten)]
    pub(crate) letter: DeadLetter,
    /// The routing key it came with.
    pub(crate) routing_key: String,
    /// The AMQP headers and properties it came with.
    pub(crate) headers: serde_json::Value,
    /// The body's size in bytes.
    pub(crate) body_bytes: usize,
    /// The body as text; what is no UTF-8 is replaced.
    pub(crate) body: String,
}

/// Read a dead letter
///
/// With its headers and its body as they arrived.
#[utoipa::path(
    get,
    path = "/dead-letters/{id}",
    tag = "operators",
    security(("session" = []), ("bearer" = [])),
    params(("id" = i64, Path, description = "Its number in this service")),
    responses(
        (status = 200, description = "The dead letter", body = WholeDeadLetter),
        (status = 401, description = "`unauthenticated`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`: not an operator", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`dead_letter_not_found`", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(in crate::ops) async fn show_dead_letter(
    State(state): State<OpsState>,
    _: Operator,
    Path(id): Path<String>,
) -> Result<Json<WholeDeadLetter>, Error> {
    // What is no number names no dead letter.
    let id: i64 = id.parse().map_err(|_| Error::DeadLetterNotFound)?;
    let mut connection = state.pool.acquire().await?;
    let whole = show(&mut connection, id)
        .await?
        .ok_or(Error::DeadLetterNotFound)?;
    Ok(Json(WholeDeadLetter {
        letter: whole.letter.into(),
        routing_key: whole.routing_key,
        headers: whole.headers,
        body_bytes: whole.body.len(),
        body: String::from_utf8_lossy(&whole.body).into_owned(),
    }))
}
