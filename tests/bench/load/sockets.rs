//! The sockets: one WebSocket for each customer, over which the shop pushes how that customer's orders end.

use std::sync::Arc;

use anyhow::{Context, bail};
use futures_util::{SinkExt, StreamExt};
use serde::Deserialize;
use tokio::{net::TcpStream, time::Instant};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{
        Message, client::IntoClientRequest, http::HeaderValue, protocol::WebSocketConfig,
    },
};
use uuid::Uuid;

use crate::{board::End, crowd::for_each, orders::Orders};

/// There are ten thousand of these; a longer frame makes its own buffer grow.
const BUFFER_BYTES: usize = 2 * 1024;

type Socket = WebSocketStream<TcpStream>;

/// A frame, as far as it matters here.
#[derive(Debug, Deserialize)]
struct Frame<'a> {
    /// None in a beat.
    #[serde(borrow, default)]
    orders: Vec<Change<'a>>,
}

#[derive(Debug, Deserialize)]
struct Change<'a> {
    id: Uuid,
    status: &'a str,
}

/// Opens a socket for every customer. They are read until the program ends.
pub(crate) async fn open_all(orders: &Arc<Orders>) -> anyhow::Result<()> {
    for_each("follow their orders", orders.crowd.len(), |index| {
        let orders = Arc::clone(orders);
        async move {
            let socket = open(&orders, index)
                .await
                .with_context(|| format!("customer {index} cannot follow its orders"))?;
            tokio::spawn(async move {
                if let Err(error) = follow(&orders, socket).await {
                    let told = format!("the socket of customer {index}: {error:#}");
                    orders.recorder.socket_ended(&told);
                }
            });
            Ok(())
        }
    })
    .await?;
    orders.pool.close_idle();
    Ok(())
}

/// Connects, and reads the first frame: what the customer ordered in earlier runs.
async fn open(orders: &Orders, index: usize) -> anyhow::Result<Socket> {
    let stream = TcpStream::connect(orders.pool.address()).await?;
    stream.set_nodelay(true)?;
    let url = format!("ws://{}/api/v1/events", orders.pool.host());
    let mut request = url.into_client_request()?;
    let bearer = HeaderValue::from_str(&format!("Bearer {}", orders.crowd.token(index)))?;
    request.headers_mut().insert("authorization", bearer);
    let config = WebSocketConfig::default()
        .read_buffer_size(BUFFER_BYTES)
        .write_buffer_size(0);
    let (mut socket, _) = client_async_with_config(request, stream, Some(config)).await?;
    let first = socket.next().await.context("it ends at once")??;
    anyhow::ensure!(first.is_text(), "it begins with {first:?}");
    Ok(socket)
}

/// Reads until the socket ends, which it must not do while orders are under way.
async fn follow(orders: &Orders, mut socket: Socket) -> anyhow::Result<()> {
    loop {
        match socket.next().await.context("it ended")?? {
            Message::Text(text) => {
                let at = Instant::now();
                read(&text, |order, finished| {
                    orders.saw(order, End { at, finished });
                })?;
            }
            // The answer is queued already; it goes out with the next flush.
            Message::Ping(_) => socket.flush().await?,
            Message::Close(frame) => bail!("it was closed: {frame:?}"),
            _ => {}
        }
    }
}

/// Tells of every order in a frame that has ended, and whether it was paid.
fn read(text: &str, mut ended: impl FnMut(Uuid, bool)) -> anyhow::Result<()> {
    let frame: Frame<'_> =
        serde_json::from_str(text).with_context(|| format!("an unknown frame: {text}"))?;
    for change in frame.orders {
        match change.status {
            "NEW" => {}
            "FINISHED" => ended(change.id, true),
            "CANCELLED" => ended(change.id, false),
            other => bail!("an unknown status: {other}"),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_orders_that_ended_are_told() {
        let (new, paid, refused) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
        let text = format!(
            r#"{{"type":"changes","cursor":"c","orders":[
                {{"id":"{new}","number":1,"status":"NEW","reason":null}},
                {{"id":"{paid}","number":2,"status":"FINISHED","reason":null}},
                {{"id":"{refused}","number":3,"status":"CANCELLED","reason":"no_account"}}]}}"#
        );
        let mut told = Vec::new();
        read(&text, |order, finished| told.push((order, finished))).unwrap();
        assert_eq!(told, [(paid, true), (refused, false)]);
    }

    #[test]
    fn a_beat_tells_of_nothing() {
        let mut told = 0;
        read(r#"{"type":"beat"}"#, |_, _| told += 1).unwrap();
        assert_eq!(told, 0);
    }

    #[test]
    fn what_cannot_be_understood_is_an_error() {
        let ignore = |_, _| {};
        assert!(read("[]{", ignore).is_err());
        let id = Uuid::now_v7();
        let text = format!(r#"{{"orders":[{{"id":"{id}","status":"LOST"}}]}}"#);
        assert!(read(&text, ignore).is_err());
    }
}
