//! One socket of the event stream: opening, then changes, until either side ends it.

use axum::{
    body::Bytes,
    extract::ws::{CloseFrame, Message, WebSocket, close_code},
};
use messaging::metrics::MeasuredPool;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::{
    cursor,
    frame::Frame,
    held::{Due, Held},
    hub::{Subscription, Update},
    opening::{self, Opening},
    pulse::{Beat, Pulse},
    span,
};
use crate::{api::view::OrderView, limits, metrics::Metrics, storage::position::Position};

/// The end of a socket, as the client is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The client left, or cannot be reached.
    Gone,
    /// The process stops; another replica is ready.
    Stopping,
    /// The stream broke: the client was too slow, or the database is away. It comes again with its cursor.
    TryAgain,
}

impl End {
    /// The end's stable name.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::Stopping => "stopping",
            Self::TryAgain => "try_again",
        }
    }
}

/// Serves a registered socket to its end.
pub(crate) async fn serve(
    mut socket: WebSocket,
    mut subscription: Subscription,
    pool: MeasuredPool,
    cursor: Option<Position>,
    stop: CancellationToken,
) {
    let cut = subscription.cut.clone();
    let end = tokio::select! {
        biased;
        () = stop.cancelled() => End::Stopping,
        () = cut.cancelled() => End::TryAgain,
        end = stream(&mut socket, &mut subscription, &pool, cursor) => end,
    };
    subscription.metrics().closed(end);
    close(&mut socket, end).await;
}

async fn stream(
    socket: &mut WebSocket,
    subscription: &mut Subscription,
    pool: &MeasuredPool,
    cursor: Option<Position>,
) -> End {
    let Some(opening) = open(subscription, pool, cursor.as_ref()).await else {
        return End::TryAgain;
    };
    let mut sent = opening.position.clone();
    let opened = opening.position.clone();
    if send(socket, snapshot(opening)).await.is_err() {
        return End::Gone;
    }
    let mut pulse = Pulse::new();
    let mut held = Held::default();
    loop {
        match next(socket, subscription, &mut pulse, held.until()).await {
            Ok(Some(update)) => {
                if let Some(due) = held.make_room(&update, &sent)
                    && tell(socket, due, subscription.metrics()).await.is_err()
                {
                    return End::Gone;
                }
                held.take_in(update, &opened, &mut sent);
            }
            Ok(None) => held.release(),
            Err(end) => return end,
        }
        if let Some(due) = held.frame(&sent)
            && tell(socket, due, subscription.metrics()).await.is_err()
        {
            return End::Gone;
        }
    }
}

/// Waits for the next update, until an instant if one is given, and meanwhile keeps the connection alive and notices its
/// end.
pub(crate) async fn next(
    socket: &mut WebSocket,
    subscription: &mut Subscription,
    pulse: &mut Pulse,
    until: Option<Instant>,
) -> Result<Option<Update>, End> {
    // Polled only if there is an instant to wait for.
    let up = sleep_until(until.unwrap_or_else(Instant::now));
    tokio::pin!(up);
    loop {
        tokio::select! {
            update = subscription.updates.recv() => return update.map(Some).ok_or(End::TryAgain),
            () = &mut up, if until.is_some() => return Ok(None),
            message = socket.recv() => match message {
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Err(End::Gone),
                // Clients have nothing to say; what they say all the same is a sign of life.
                Some(Ok(_)) => pulse.hear(),
            },
            beat = pulse.beat() => match beat {
                Beat::Ping => send(socket, Message::Ping(Bytes::new())).await?,
                Beat::Dead => return Err(End::Gone),
            },
        }
    }
}

/// Reads the opening, once the tail has its place; none if the database cannot say.
async fn open(
    subscription: &Subscription,
    pool: &MeasuredPool,
    cursor: Option<&Position>,
) -> Option<Opening> {
    timeout(limits::TAIL_START_TIMEOUT, subscription.tail_follows())
        .await
        .ok()?;
    match opening::read(pool, subscription.user_id(), cursor).await {
        Ok(opening) => Some(opening),
        Err(error) => {
            tracing::warn!(error = %chassis::chain(&error), "a socket could not read its orders");
            None
        }
    }
}

fn snapshot(opening: Opening) -> Message {
    let frame = Frame::Snapshot {
        cursor: cursor::encode(&opening.position),
        resumed: opening.resumed,
        orders: opening.orders.into_iter().map(OrderView::from).collect(),
    };
    frame.to_message()
}

async fn tell(socket: &mut WebSocket, due: Due, metrics: &Metrics) -> Result<(), End> {
    let sent = send(socket, due.frame.to_message()).await;
    if sent.is_ok() {
        for told in &due.told {
            metrics.pushed(told.taken_at, told.trace);
        }
    }
    span::end(due.spans, &sent);
    sent
}

/// Sends a message in bounded time.
pub(crate) async fn send(socket: &mut WebSocket, message: Message) -> Result<(), End> {
    match timeout(limits::SOCKET_WRITE_TIMEOUT, socket.send(message)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(End::Gone),
    }
}

/// Closes with the code that says: try again.
pub(crate) async fn close(socket: &mut WebSocket, end: End) {
    let reason = match end {
        End::Gone => return,
        End::Stopping => "the server stops: connect again with your cursor",
        End::TryAgain => "the stream broke: connect again with your cursor",
    };
    let frame = Message::Close(Some(CloseFrame {
        code: close_code::AGAIN,
        reason: reason.into(),
    }));
    let farewell = async {
        if socket.send(frame).await.is_ok() {
            // Until the client's own close frame: a connection dropped with unread data would take ours with it.
            while let Some(Ok(_)) = socket.recv().await {}
        }
    };
    // Whether the client took it or not, the connection ends here.
    let _ = timeout(limits::SOCKET_CLOSE_TIMEOUT, farewell).await;
}
