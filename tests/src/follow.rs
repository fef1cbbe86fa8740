//! A socket that follows a customer's orders, and what its user would see on the screen.

use std::{collections::HashMap, time::Duration};

use anyhow::{Context, bail};
use futures_util::StreamExt;
use serde::Deserialize;
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{self, Message, client::IntoClientRequest, http::HeaderValue},
};
use url::Url;
use uuid::Uuid;

use crate::{Entrance, customer::Order};

/// A WebSocket client's connection.
pub type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// The socket must say something within this time when something is expected.
const PATIENCE: Duration = Duration::from_secs(20);

/// An open socket of `/api/v1/events`.
pub struct Follow {
    socket: Socket,
    /// The newest cursor.
    pub cursor: String,
    /// What the first frame said: true when it went on from the cursor it was given.
    pub resumed: bool,
    /// The orders of the first frame.
    pub snapshot: Vec<Order>,
}

/// What a client shows: it outlives sockets, and drops what it knows already.
#[derive(Debug, Default)]
pub struct Screen {
    orders: HashMap<Uuid, Order>,
    /// Each order's statuses in the order they were shown.
    pub shown: HashMap<Uuid, Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Frame {
    Snapshot {
        cursor: String,
        resumed: bool,
        orders: Vec<Order>,
    },
    Changes {
        cursor: String,
        orders: Vec<Order>,
    },
    Beat,
}

impl Follow {
    /// Opens the socket and reads its first frame.
    pub async fn open(
        entrance: &Entrance,
        token: &str,
        cursor: Option<&str>,
    ) -> anyhow::Result<Self> {
        let mut url = entrance.url("/api/v1/events");
        if let Some(cursor) = cursor {
            url.query_pairs_mut().append_pair("cursor", cursor);
        }
        let bearer = format!("Bearer {token}");
        let mut socket = open_socket(url, &[("authorization", &bearer)]).await?;
        match next_frame(&mut socket).await? {
            Frame::Snapshot {
                cursor,
                resumed,
                orders,
            } => Ok(Self {
                socket,
                cursor,
                resumed,
                snapshot: orders,
            }),
            other => bail!("the first frame is {other:?}"),
        }
    }

    /// The next change. An error when the socket closes or tells of none in time.
    pub async fn next(&mut self) -> anyhow::Result<Vec<Order>> {
        let change = async {
            loop {
                match next_frame(&mut self.socket).await? {
                    Frame::Changes { cursor, orders } => return Ok((cursor, orders)),
                    Frame::Beat => {}
                    Frame::Snapshot { .. } => bail!("a later frame is a snapshot"),
                }
            }
        };
        let (cursor, orders) = timeout(PATIENCE, change)
            .await
            .context("the socket tells of no change")??;
        self.cursor = cursor;
        Ok(orders)
    }

    /// Reads changes until an order has ended.
    ///
    /// # Panics
    /// When the socket closes or stays silent before.
    pub async fn ended(&mut self, id: Uuid) -> Order {
        loop {
            let orders = self.next().await.expect("the socket goes on");
            if let Some(order) = orders
                .into_iter()
                .find(|order| order.id == id && order.has_ended())
            {
                return order;
            }
        }
    }
}

impl Screen {
    /// Shows what is news.
    pub fn show(&mut self, orders: Vec<Order>) {
        for order in orders {
            let known = self.orders.get(&order.id);
            if known.is_none_or(|known| known.version < order.version) {
                self.shown
                    .entry(order.id)
                    .or_default()
                    .push(order.status.clone());
                self.orders.insert(order.id, order);
            }
        }
    }

    /// An order as it stands on the screen.
    #[must_use]
    pub fn order(&self, id: Uuid) -> Option<&Order> {
        self.orders.get(&id)
    }

    /// How many orders on the screen have ended.
    #[must_use]
    pub fn ended(&self) -> usize {
        self.orders
            .values()
            .filter(|order| order.has_ended())
            .count()
    }
}

/// Opens any WebSocket with additional headers.
///
/// # Errors
/// [`tungstenite::Error::Http`] when the server refuses.
///
/// # Panics
/// When the URL or a header is malformed.
pub async fn open_socket(
    mut url: Url,
    headers: &[(&'static str, &str)],
) -> Result<Socket, tungstenite::Error> {
    url.set_scheme("ws").expect("http becomes ws");
    let mut request = url.as_str().into_client_request()?;
    for (name, value) in headers {
        let value = HeaderValue::from_str(value).expect("a header of text");
        request.headers_mut().insert(*name, value);
    }
    let (socket, _response) = connect_async(request).await?;
    Ok(socket)
}

/// The next text message of a socket; answers pings on the way.
pub async fn next_text(socket: &mut Socket) -> anyhow::Result<String> {
    loop {
        let message = timeout(PATIENCE, socket.next())
            .await
            .context("the socket stays silent")?
            .context("the socket ended")??;
        match message {
            Message::Text(text) => return Ok(text.to_string()),
            Message::Ping(_) | Message::Pong(_) => {}
            other => bail!("the socket says {other:?}"),
        }
    }
}

async fn next_frame(socket: &mut Socket) -> anyhow::Result<Frame> {
    let text = next_text(socket).await?;
    serde_json::from_str(&text).with_context(|| format!("an unknown frame: {text}"))
}
