//! A client over a WebSocket.

use axum::{
    body::Bytes,
    extract::ws::{CloseFrame, Message, WebSocket, close_code},
};
use tokio::time::timeout;

use super::{
    frame::Frame,
    hub::Subscription,
    peer::{End, Peer},
    pulse::Pulse,
    stream::{self, Source},
};
use crate::limits;

/// Serves a registered socket to its end.
pub(crate) async fn serve(mut socket: WebSocket, mut subscription: Subscription, source: Source) {
    let end = stream::serve(&mut socket, &mut subscription, source).await;
    close(&mut socket, end).await;
}

impl Peer for WebSocket {
    const PROTOCOL: &str = "websocket";

    async fn send(&mut self, frame: &Frame) -> Result<(), End> {
        send(self, Message::Text(frame.to_json().into())).await
    }

    async fn ping(&mut self, _: &mut Pulse) -> Result<(), End> {
        send(self, Message::Ping(Bytes::new())).await
    }

    async fn listen(&mut self) -> Result<(), End> {
        match self.recv().await {
            Some(Ok(Message::Close(_)) | Err(_)) | None => Err(End::Gone),
            // Clients have nothing to say; what they say all the same is a sign of life.
            Some(Ok(_)) => Ok(()),
        }
    }
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
