//! A client of the sockets.

use std::{net::SocketAddr, time::Duration};

use futures_util::{SinkExt, StreamExt};
use http::{Request, StatusCode};
use serde_json::Value;
use tokio::{
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Error, Message, client::IntoClientRequest, protocol::frame::coding::CloseCode},
};
use tokio_util::sync::CancellationToken;

use crate::fixture::Shop;

const AT_MOST: Duration = Duration::from_secs(5);

/// The service on a port, its tail running.
pub(crate) struct Listening {
    address: SocketAddr,
    ending: CancellationToken,
}

/// One open socket.
pub(crate) struct Stream {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Listening {
    pub(crate) async fn start(shop: &Shop) -> Self {
        let listening = Self::without_tail(shop).await;
        let tail = order::tail(&shop.state, messaging::metrics::Metrics::default());
        tokio::spawn(tail.run(listening.ending.clone()));
        listening
    }

    pub(crate) async fn without_tail(shop: &Shop) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let ending = CancellationToken::new();
        tokio::spawn(chassis::serve::serve(
            listener,
            shop.router.clone(),
            ending.clone(),
            Duration::from_secs(1),
        ));
        Self { address, ending }
    }

    pub(crate) fn host(&self) -> String {
        self.address.to_string()
    }

    /// A request for a socket.
    pub(crate) fn request(&self, path: &str) -> Request<()> {
        format!("ws://{}{path}", self.address)
            .into_client_request()
            .unwrap()
    }

    /// The status of a refused upgrade.
    pub(crate) async fn refusal(&self, request: Request<()>) -> StatusCode {
        match connect_async(request).await {
            Err(Error::Http(response)) => response.status(),
            other => panic!("not refused: {other:?}"),
        }
    }

    /// Connects by a request.
    pub(crate) async fn open(&self, request: Request<()>) -> Stream {
        let (socket, _) = connect_async(request).await.unwrap();
        Stream { socket }
    }

    /// Connects to a path without any session.
    pub(crate) async fn connect_to(&self, path: &str) -> Stream {
        self.open(self.request(path)).await
    }

    /// Connects as a user, resuming at a cursor if there is one; and reads the first frame.
    pub(crate) async fn connect(
        &self,
        shop: &Shop,
        user: i64,
        cursor: Option<&str>,
    ) -> (Stream, Value) {
        let query = cursor
            .map(|cursor| format!("?cursor={cursor}"))
            .unwrap_or_default();
        let mut request = self.request(&format!("/api/v1/events{query}"));
        request
            .headers_mut()
            .insert("authorization", shop.bearer(user).parse().unwrap());
        let mut stream = self.open(request).await;
        let first = stream.next().await;
        assert_eq!(first["type"], "snapshot");
        (stream, first)
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.ending.cancel();
    }
}

impl Stream {
    async fn message(&mut self) -> Option<Message> {
        let next = timeout(AT_MOST, self.socket.next())
            .await
            .expect("a message in time");
        next.and_then(Result::ok)
    }

    /// The next text frame.
    pub(crate) async fn next(&mut self) -> Value {
        loop {
            match self.message().await {
                Some(Message::Text(text)) => return serde_json::from_str(&text).unwrap(),
                Some(Message::Ping(_) | Message::Pong(_)) => {}
                other => panic!("no frame but {other:?}"),
            }
        }
    }

    /// The next text frame, if one comes within this time.
    pub(crate) async fn next_within(&mut self, time: Duration) -> Option<Value> {
        timeout(time, self.next()).await.ok()
    }

    /// The code the server closes with; what comes before is skipped. None if it just hangs up.
    pub(crate) async fn close_code(&mut self) -> Option<CloseCode> {
        while let Some(message) = self.message().await {
            if let Message::Close(frame) = message {
                return frame.map(|frame| frame.code);
            }
        }
        None
    }

    pub(crate) async fn say(&mut self, text: String) {
        self.socket.send(Message::Text(text.into())).await.unwrap();
    }
}
