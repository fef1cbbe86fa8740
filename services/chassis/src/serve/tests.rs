//! The serve loop over real sockets.

use axum::{extract::ws::WebSocketUpgrade, routing::get};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::Notify,
    task::JoinHandle,
};

use super::*;

struct Server {
    address: std::net::SocketAddr,
    stop: CancellationToken,
    task: JoinHandle<io::Result<()>>,
}

async fn start(app: Router, drain: Duration) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let task = tokio::spawn(serve(listener, app, stop.clone(), drain));
    Server {
        address,
        stop,
        task,
    }
}

async fn send(server: &Server, text: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    stream
}

async fn read_some(stream: &mut TcpStream) -> String {
    let mut bytes = [0; 4096];
    let length = stream.read(&mut bytes).await.unwrap();
    String::from_utf8_lossy(&bytes[..length]).into_owned()
}

async fn read_all(mut stream: TcpStream) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    text
}

#[tokio::test]
async fn a_half_sent_head_is_closed_after_its_deadline() {
    let server = start(Router::new(), Duration::ZERO).await;
    let closings = ["GET / HTTP/1.1\r\nHost: x", "", "PRI * HTTP/2.0\r\n"].map(async |head| {
        let stream = send(&server, head).await;
        tokio::time::timeout(HEAD_DEADLINE + Duration::from_secs(2), read_all(stream))
            .await
            .unwrap_or_else(|_| panic!("still open: {head:?}"))
    });
    futures_util::future::join_all(closings).await;
}

#[tokio::test]
async fn a_second_head_has_its_deadline_from_its_first_byte() {
    let server = start(Router::new(), Duration::ZERO).await;
    let request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    let mut stream = send(&server, request).await;
    read_some(&mut stream).await;
    // Idle for longer than a head may take: a proxy's connection stays.
    tokio::time::sleep(HEAD_DEADLINE + Duration::from_secs(1)).await;
    stream.write_all(request.as_bytes()).await.unwrap();
    assert!(read_some(&mut stream).await.starts_with("HTTP/1.1 404 "));
    stream.write_all(b"GET / HT").await.unwrap();
    tokio::time::timeout(HEAD_DEADLINE + Duration::from_secs(2), read_all(stream))
        .await
        .expect("closed");
}

#[tokio::test]
async fn a_request_in_hand_is_answered_before_the_end() {
    let go_on = Arc::new(Notify::new());
    let waiting = Arc::clone(&go_on);
    let app = Router::new().route(
        "/",
        get(async move || {
            waiting.notified().await;
            "done"
        }),
    );
    let server = start(app, Duration::from_secs(5)).await;
    let stream = send(&server, "GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    let idle = send(&server, "").await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    server.stop.cancel();
    tokio::task::yield_now().await;
    go_on.notify_one();
    assert!(read_all(stream).await.ends_with("done"));
    assert_eq!(read_all(idle).await, "");
    server.task.await.unwrap().unwrap();
    assert!(TcpStream::connect(server.address).await.is_err());
}

#[tokio::test]
async fn a_request_on_its_way_when_the_stop_begins_is_answered_as_the_last() {
    let app = Router::new().route("/", get(async || "done"));
    let server = start(app, Duration::from_secs(10)).await;
    let request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    let mut kept = send(&server, request).await;
    let first = read_some(&mut kept).await;
    assert!(!first.contains("connection: close"), "{first}");
    server.stop.cancel();
    tokio::time::timeout(Duration::from_millis(200), kept.readable())
        .await
        .expect_err("nothing is said and nothing is closed before there is a request");
    kept.write_all(request.as_bytes()).await.unwrap();
    let last = read_all(kept).await;
    assert!(last.contains("connection: close\r\n"), "{last}");
    assert!(last.ends_with("done"), "{last}");
    server.task.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_connection_that_asks_nothing_more_does_not_hold_up_the_stop() {
    let server = start(Router::new(), Duration::from_mins(1)).await;
    let mut idle = send(&server, "GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    read_some(&mut idle).await;
    server.stop.cancel();
    tokio::time::timeout(LINGER * 5, server.task)
        .await
        .expect("long before the drain is over")
        .unwrap()
        .unwrap();
    assert_eq!(read_all(idle).await, "");
}

#[tokio::test]
async fn a_request_that_does_not_end_is_cut_off() {
    let app = Router::new().route("/", get(std::future::pending::<String>));
    let server = start(app, Duration::from_millis(100)).await;
    let stream = send(&server, "GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    server.stop.cancel();
    server.task.await.unwrap().unwrap();
    assert_eq!(read_all(stream).await, "");
}

#[tokio::test]
async fn a_websocket_can_be_opened() {
    let app = Router::new().route(
        "/",
        get(async |upgrade: WebSocketUpgrade| upgrade.on_upgrade(async |_| {})),
    );
    let server = start(app, Duration::ZERO).await;
    let stream = send(
        &server,
        "GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
    )
    .await;
    assert!(read_all(stream).await.starts_with("HTTP/1.1 101 "));
}
