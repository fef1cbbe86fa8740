//! `GET /api/v1/events`: the asker's orders as a WebSocket, each change the moment it is committed.

use axum::{
    extract::{State, WebSocketUpgrade},
    response::Response,
};
use chassis::{Principal, Problem, extract::Query, origin};
use http::HeaderMap;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    OrderState,
    error::Error,
    limits,
    push::{cursor, frame::Frame, socket},
};

/// Where to resume.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Events {
    /// The newest cursor of an earlier connection. One that cannot be resumed is as good as none.
    cursor: Option<String>,
}

/// Streams the asker's orders: first a snapshot, then every change.
///
/// Close code 1012 or 1013: connect again with the newest cursor.
#[utoipa::path(
    get,
    path = "/api/v1/events",
    tag = "orders",
    security(("session" = []), ("bearer" = [])),
    params(Events),
    responses(
        (status = SWITCHING_PROTOCOLS, description = "A WebSocket; its text frames are JSON", body = Frame),
        (status = UNAUTHORIZED, description = "`unauthenticated`", body = Problem, content_type = "application/problem+json"),
        (status = FORBIDDEN, description = "`cross_origin`", body = Problem, content_type = "application/problem+json"),
        (status = TOO_MANY_REQUESTS, description = "`too_many_sockets`", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn events(
    State(state): State<OrderState>,
    principal: Principal,
    Query(query): Query<Events>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Problem> {
    origin::require_same(&headers)?;
    let cursor = query.cursor.as_deref().and_then(cursor::decode);
    let subscription = state
        .hub()
        .subscribe(principal.user_id)
        .map_err(Error::TooManySockets)?;
    let sockets = state.sockets().clone();
    let pool = state.api_pool().clone();
    let stop = state.stopping().clone();
    Ok(upgrade
        .read_buffer_size(limits::SOCKET_READ_BUFFER_BYTES)
        .max_message_size(limits::SOCKET_MESSAGE_MAX_BYTES)
        .max_frame_size(limits::SOCKET_MESSAGE_MAX_BYTES)
        .on_upgrade(move |socket| {
            sockets.track_future(socket::serve(socket, subscription, pool, cursor, stop))
        }))
}
