//! `GET /api/v1/events`: the asker's orders as a stream, each change the moment it is committed; over a WebSocket or as
//! server-sent events.

use axum::{
    extract::{State, WebSocketUpgrade, ws::rejection::WebSocketUpgradeRejection},
    response::{IntoResponse, Response},
};
use chassis::{Principal, Problem, extract::Query, origin};
use http::{
    HeaderMap,
    header::{ACCEPT, UPGRADE},
};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    OrderState,
    error::Error,
    limits,
    push::{cursor, frame::Frame, server_sent, socket, stream::Source},
};

/// The media type of server-sent events.
const EVENT_STREAM: &str = "text/event-stream";

/// What a browser sends when it opens an event stream again: the id of the last event, here its cursor.
const LAST_EVENT_ID: &str = "last-event-id";

/// Where to resume.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Events {
    /// The newest cursor of an earlier connection; `Last-Event-ID` goes before it. One that cannot be resumed is as good as
    /// none.
    cursor: Option<String>,
}

/// Streams the asker's orders: first a snapshot, then every change.
///
/// As a WebSocket: close code 1012 or 1013 means to connect again with the newest cursor. As server-sent events
/// (`Accept: text/event-stream`): the same frames as data, each with its cursor as id; a browser resumes by itself. Either
/// way a `beat` comes every 20 seconds, whatever happens: who hears nothing for 45 connects again.
#[utoipa::path(
    get,
    path = "/api/v1/events",
    tag = "orders",
    security(("session" = []), ("bearer" = [])),
    params(Events, ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event received")),
    responses(
        (status = SWITCHING_PROTOCOLS, description = "A WebSocket; its text frames are JSON", body = Frame),
        (status = OK, description = "Server-sent events; their data are JSON", body = Frame, content_type = "text/event-stream"),
        (status = UNAUTHORIZED, description = "`unauthenticated`", body = Problem, content_type = "application/problem+json"),
        (status = FORBIDDEN, description = "`cross_origin`", body = Problem, content_type = "application/problem+json"),
        (status = NOT_ACCEPTABLE, description = "`no_stream_asked`", body = Problem, content_type = "application/problem+json"),
        (status = TOO_MANY_REQUESTS, description = "`too_many_sockets`", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn events(
    State(state): State<OrderState>,
    principal: Principal,
    Query(query): Query<Events>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    origin::require_same(&headers)?;
    let last = headers.get(LAST_EVENT_ID).and_then(|id| id.to_str().ok());
    let source = Source {
        pool: state.api_pool().clone(),
        cursor: last.or(query.cursor.as_deref()).and_then(cursor::decode),
        stop: state.stopping().clone(),
    };
    let subscribe = || {
        let subscription = state.hub().subscribe(principal.user_id);
        subscription.map_err(Error::TooManySockets)
    };
    let streams = state.sockets().clone();
    match upgrade {
        Ok(upgrade) => {
            let subscription = subscribe()?;
            Ok(upgrade
                .read_buffer_size(limits::SOCKET_READ_BUFFER_BYTES)
                .max_message_size(limits::SOCKET_MESSAGE_MAX_BYTES)
                .max_frame_size(limits::SOCKET_MESSAGE_MAX_BYTES)
                .on_upgrade(move |socket| {
                    streams.track_future(socket::serve(socket, subscription, source))
                }))
        }
        Err(_) if accepts_events(&headers) => {
            let place = state.hub().server_sent_place();
            let place = place.map_err(Error::TooManySockets)?;
            Ok(server_sent::serve(place, subscribe()?, source, &streams))
        }
        Err(flaw) if headers.contains_key(UPGRADE) => Ok(flaw.into_response()),
        Err(_) => Err(Error::NoStreamAsked.into()),
    }
}

/// Whether server-sent events are asked for by name.
fn accepts_events(headers: &HeaderMap) -> bool {
    let mut ranges = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    ranges.any(|range| {
        let (media_type, _) = range.split_once(';').unwrap_or((range, ""));
        media_type.trim().eq_ignore_ascii_case(EVENT_STREAM)
    })
}
