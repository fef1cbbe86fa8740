//! One socket of the event stream: opening, then changes, until either side ends it.

use axum::{
    body::Bytes,
    extract::ws::{CloseFrame, Message, WebSocket, close_code},
};
use sqlx::PgPool;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{
    cursor,
    frame::Frame,
    hub::{Subscription, Update},
    opening::{self, Opening},
    pulse::{Beat, Pulse},
};
use crate::{api::view::OrderView, limits, storage::position::Position};

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

/// Serves a registered socket to its end.
pub(crate) async fn serve(
    mut socket: WebSocket,
    mut subscription: Subscription,
    pool: PgPool,
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
    close(&mut socket, end).await;
}

async fn stream(
    socket: &mut WebSocket,
    subscription: &mut Subscription,
    pool: &PgPool,
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
    loop {
        let update = match next(socket, subscription, &mut pulse).await {
            Ok(update) => update,
            Err(end) => return end,
        };
        if let Some(frame) = changes(update, &opened, &mut sent)
            && send(socket, frame.to_message()).await.is_err()
        {
            return End::Gone;
        }
    }
}

/// Waits for the next update, and meanwhile keeps the connection alive and notices its end.
pub(crate) async fn next(
    socket: &mut WebSocket,
    subscription: &mut Subscription,
    pulse: &mut Pulse,
) -> Result<Update, End> {
    loop {
        tokio::select! {
            update = subscription.updates.recv() => return update.ok_or(End::TryAgain),
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
    pool: &PgPool,
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

/// The frame of an update: without what the opening saw, and with a cursor that never goes back.
fn changes(update: Update, opened: &Position, sent: &mut Position) -> Option<Frame> {
    if let Some(reached) = update.reached {
        let told = update.changes.iter().map(|change| change.xid);
        let reached = reached.up_to(told.fold(sent.last_xid(), u64::max));
        if sent.is_at_or_before(&reached) {
            *sent = reached;
        }
    }
    let orders: Vec<OrderView> = update
        .changes
        .iter()
        .filter(|change| !opened.snapshot.sees(change.xid))
        .map(|change| change.order.clone().into())
        .collect();
    (!orders.is_empty()).then(|| Frame::Changes {
        cursor: cursor::encode(sent),
        orders,
    })
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use contracts::{Money, OrderId, UserId};
    use time::OffsetDateTime;

    use super::*;
    use crate::{order::Order, push::hub::Changed, status::Status};

    fn position(snapshot: &str) -> Position {
        Position {
            system_identifier: 7,
            snapshot: snapshot.parse().unwrap(),
        }
    }

    fn change(xid: u64) -> Changed {
        let order = Order {
            id: OrderId::new(),
            number: xid.try_into().unwrap(),
            user_id: UserId::try_from(1).unwrap(),
            description: "Laces".to_owned(),
            amount: Money::rub(100),
            status: Status::New,
            reason: None,
            version: 1,
            trace_id: String::new(),
            created_at: OffsetDateTime::UNIX_EPOCH,
            decided_at: None,
        };
        Changed { xid, order }
    }

    fn update(xids: &[u64], reached: Option<&str>) -> Update {
        Update {
            changes: xids.iter().copied().map(change).collect(),
            reached: reached.map(|reached| Arc::new(position(reached))),
        }
    }

    /// The numbers told in a frame and its cursor.
    fn told(frame: Option<Frame>) -> Option<(Vec<i64>, Position)> {
        match frame? {
            Frame::Changes { cursor, orders } => {
                let numbers = orders.iter().map(|order| order.number).collect();
                Some((numbers, cursor::decode(&cursor).unwrap()))
            }
            Frame::Snapshot { .. } => panic!("changes never make a snapshot"),
        }
    }

    #[test]
    fn what_the_opening_saw_is_not_told_again() {
        let opened = position("10:20:12");
        let mut sent = opened.clone();
        let frame = changes(
            update(&[11, 12, 19, 20], Some("21:21:")),
            &opened,
            &mut sent,
        );
        assert_eq!(told(frame), Some((vec![12, 20], position("21:21:"))));
        assert!(changes(update(&[9, 11], Some("21:21:")), &opened, &mut sent).is_none());
    }

    #[test]
    fn the_cursor_never_goes_back_and_stays_in_the_middle_of_a_difference() {
        let opened = position("10:20:12");
        let mut sent = opened.clone();
        for (xid, reached, expected) in [
            (12, Some("10:15:12"), "10:20:12"),
            (12, Some("10:20:11,12"), "10:20:12"),
            (12, None, "10:20:12"),
            (12, Some("20:20:"), "20:20:"),
            (25, Some("30:30:"), "26:26:"),
            (25, Some("20:25:"), "26:26:"),
        ] {
            let frame = changes(update(&[xid], reached), &opened, &mut sent);
            let number = i64::try_from(xid).unwrap();
            assert_eq!(
                told(frame),
                Some((vec![number], position(expected))),
                "{reached:?}"
            );
        }
    }
}
