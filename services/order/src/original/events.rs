//! `/api/orders/ws/{user_id}` and `/ws/{user_id}`: pushes the decisions about a user's orders, from the connection on.

use axum::{
    extract::{
        State, WebSocketUpgrade,
        ws::{Message, WebSocket},
    },
    response::{IntoResponse, Response},
};
use chassis::extract::Path;
use contracts::UserId;
use serde::Serialize;
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;

use crate::{
    OrderState,
    error::Error,
    limits,
    order::Order,
    push::{
        held::Told,
        hub::Subscription,
        peer::{End, Peer},
        pulse::Pulse,
        socket::{close, send},
        span,
        stream::{Turn, next, until_cut_off},
    },
    status::Status,
};

/// A decision.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OriginalDecision)]
pub(crate) struct Decided {
    /// The order's number.
    #[schema(example = 17)]
    order_id: i64,
    /// FINISHED or CANCELLED.
    status: Status,
    /// Its owner.
    #[schema(value_type = i64, example = 1)]
    user_id: UserId,
}

/// Streams the decisions about a user's orders.
#[utoipa::path(
    get,
    path = "/api/orders/ws/{user_id}",
    operation_id = "original_events",
    tag = "original",
    params(("user_id" = i64, Path, description = "Whose orders")),
    responses((status = SWITCHING_PROTOCOLS, description = "A WebSocket; its text frames are JSON", body = Decided))
)]
pub(super) async fn orders_ws(
    state: State<OrderState>,
    user_id: Path<UserId>,
    upgrade: WebSocketUpgrade,
) -> Response {
    ws(state, user_id, upgrade).await
}

/// The same under a shorter address.
#[utoipa::path(
    get,
    path = "/ws/{user_id}",
    operation_id = "original_events_short",
    tag = "original",
    params(("user_id" = i64, Path, description = "Whose orders")),
    responses((status = SWITCHING_PROTOCOLS, description = "A WebSocket; its text frames are JSON", body = Decided))
)]
pub(super) async fn ws(
    State(state): State<OrderState>,
    Path(user_id): Path<UserId>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let subscription = match state.hub().subscribe(user_id) {
        Ok(subscription) => subscription,
        Err(too_many) => return Error::TooManySockets(too_many).into_response(),
    };
    let sockets = state.sockets().clone();
    let stop = state.stopping().clone();
    upgrade
        .read_buffer_size(limits::SOCKET_READ_BUFFER_BYTES)
        .max_message_size(limits::SOCKET_MESSAGE_MAX_BYTES)
        .max_frame_size(limits::SOCKET_MESSAGE_MAX_BYTES)
        .on_upgrade(move |socket| sockets.track_future(serve(socket, subscription, stop)))
}

async fn serve(mut socket: WebSocket, mut subscription: Subscription, stop: CancellationToken) {
    let cut = subscription.cut.clone();
    let end = until_cut_off(&stop, &cut, stream(&mut socket, &mut subscription)).await;
    subscription.metrics().closed(end);
    close(&mut socket, end).await;
}

async fn stream(socket: &mut WebSocket, subscription: &mut Subscription) -> End {
    let mut pulse = Pulse::new();
    loop {
        let update = match next(socket, subscription, &mut pulse, None).await {
            Ok(Turn::Changed(update)) => update,
            // The original's clients know decisions and nothing else.
            Ok(Turn::Pinged | Turn::Up) => continue,
            Err(end) => return end,
        };
        for change in update.changes.iter() {
            let Some(decision) = Decided::of(&change.order) else {
                continue;
            };
            let span = span::begin(change, WebSocket::PROTOCOL);
            let sent = send(socket, decision.to_message()).await;
            span::end(span.into_iter().collect(), &sent);
            if sent.is_err() {
                return End::Gone;
            }
            subscription.took(&[Told {
                order_id: change.order.id,
                version: change.order.version,
                taken_at: change.order.decided_at.unwrap_or(change.order.created_at),
                trace: change.trace,
            }]);
        }
    }
}

impl Decided {
    fn of(order: &Order) -> Option<Self> {
        let decided = match order.status {
            // What the original would show has not changed.
            Status::New | Status::Refunding => return None,
            Status::Finished | Status::Cancelled => order.status,
        };
        Some(Self {
            order_id: order.number,
            status: decided,
            user_id: order.user_id,
        })
    }

    fn to_message(&self) -> Message {
        let text = serde_json::to_string(self).expect("numbers and a name have a JSON form");
        Message::Text(text.into())
    }
}
