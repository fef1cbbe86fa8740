//! The serve loop: HTTP/1.1 with bounded heads, a bounded number of connections and a graceful end.
//!
//! Its own loop, because `axum::serve` lets a client hold a half-sent head for ever. HTTP/1.1 alone, because
//! browsers speak HTTP/2 only over TLS, which ends at the ingress, and because telling the two apart means waiting
//! for a client's first bytes without a limit.

use std::{io, pin::pin, sync::Arc, time::Duration};

use axum::{
    Router,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use hyper::{Request, body::Incoming, server::conn::http1};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;
use tracing::{debug, warn};

mod head_timer;

/// How long a client may take to send a request's head.
pub const HEAD_DEADLINE: Duration = Duration::from_secs(5);

/// How long a connection may be idle between two requests: longer than the minute that proxies keep one.
pub const IDLE_DEADLINE: Duration = Duration::from_secs(75);

/// The most connections at once; more wait in the kernel's queue. A WebSocket leaves this count at its upgrade.
pub const CONNECTIONS_MAX: usize = 4096;

/// The largest head, in bytes.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// How long an idle connection stays open, at the stop, for one more request, which is answered with `Connection: close`.
/// Closed at once it would take along a request that was on its way, and nobody may repeat that by himself when it is a
/// POST (RFC 9112, 9.3.1). Half of the drain at most.
const LINGER: Duration = Duration::from_secs(2);

/// How long to wait when the process is out of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until `stop`; then takes no new connections and gives those in hand `drain` to finish their requests. Every
/// answer from then on is its connection's last, and says so.
pub async fn serve(
    listener: TcpListener,
    app: Router,
    stop: CancellationToken,
    drain: Duration,
) -> io::Result<()> {
    let connections = TaskTracker::new();
    // Dropped at the end of this function, which ends the connections that did not drain.
    let cut_off = CancellationToken::new();
    let _guard = cut_off.clone().drop_guard();
    let permits = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let linger = LINGER.min(drain / 2);
    while let Some((stream, permit)) = next_connection(&listener, &permits, &stop).await {
        let connection = serve_connection(stream, app.clone(), stop.clone(), linger);
        let cut_off = cut_off.clone();
        connections.spawn(async move {
            cut_off.run_until_cancelled(connection).await;
            drop(permit);
        });
    }
    drop(listener);
    connections.close();
    if tokio::time::timeout(drain, connections.wait())
        .await
        .is_err()
    {
        warn!("connections were cut off because their requests did not end in time");
    }
    Ok(())
}

/// The next connection; None once it is time to stop.
async fn next_connection(
    listener: &TcpListener,
    permits: &Arc<Semaphore>,
    stop: &CancellationToken,
) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    let next = async {
        let permit = Arc::clone(permits)
            .acquire_owned()
            .await
            .expect("the semaphore is never closed");
        loop {
            match listener.accept().await {
                Ok((stream, _)) => return (stream, permit),
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    warn!(%error, "no connection can be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    };
    stop.run_until_cancelled(next).await
}

/// Whether the client went away before it was accepted; everything else is the process's own trouble.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
    )
}

/// Tells the client that its connection ends with this answer; one that became a socket has its own way to say so.
fn say_if_last(stop: &CancellationToken, mut response: Response) -> Response {
    if stop.is_cancelled() && response.status() != StatusCode::SWITCHING_PROTOCOLS {
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(header::CONNECTION, close);
    }
    response
}

/// One connection, until it ends or, after `stop`, until a request is answered or none has come for `linger`.
async fn serve_connection(
    stream: TcpStream,
    app: Router,
    stop: CancellationToken,
    linger: Duration,
) {
    if let Err(error) = stream.set_nodelay(true) {
        debug!(%error, "a connection is gone already");
    }
    let (stream, timer) = head_timer::of(stream);
    let stopping = stop.clone();
    // Around the router and not a layer of it: it copies each of its layers for every request.
    let app = ServiceExt::<Request<Incoming>>::map_response(app, move |response| {
        say_if_last(&stopping, response)
    });
    let connection = http1::Builder::new()
        .timer(timer)
        // Switches the timer on; how long it runs is its own affair.
        .header_read_timeout(IDLE_DEADLINE)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(app))
        .with_upgrades();
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = async { stop.cancelled().await; tokio::time::sleep(linger).await } => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        debug!(%error, "a connection ended");
    }
}

#[cfg(test)]
mod tests;
