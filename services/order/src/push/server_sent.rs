//! A client over server-sent events: the WebSocket's frames, for networks and programs that know only HTTP.
//!
//! The id of an event is its frame's cursor, so that a browser's `EventSource` resumes by itself (`Last-Event-ID`).

use std::{convert::Infallible, time::Duration};

use axum::response::{
    IntoResponse, Response,
    sse::{Event, Sse},
};
use futures_util::stream::unfold;
use http::HeaderName;
use tokio::{
    sync::{OwnedSemaphorePermit, mpsc},
    time::timeout,
};
use tokio_util::task::TaskTracker;

use super::{
    frame::Frame,
    hub::Subscription,
    peer::{End, Peer},
    pulse::Pulse,
    stream::{self, Source},
};
use crate::limits;

/// Tells nginx, and those that learnt it from there, not to collect the answer before passing it on.
const NO_BUFFERING: (HeaderName, &str) = (HeaderName::from_static("x-accel-buffering"), "no");

/// The connection's end of the stream.
struct ServerSent {
    events: mpsc::Sender<Event>,
    /// How long the client waits before it comes again; told with the first event.
    retry: Option<Duration>,
}

/// Serves a registered client with an answer that lasts as long as its stream.
pub(crate) fn serve(
    place: OwnedSemaphorePermit,
    mut subscription: Subscription,
    source: Source,
    streams: &TaskTracker,
) -> Response {
    let (events, taken) = mpsc::channel(1);
    let mut peer = ServerSent {
        events,
        retry: Some(Duration::from_millis(fastrand::u64(
            limits::EVENTS_RETRY_MILLIS,
        ))),
    };
    streams.spawn(async move {
        stream::serve(&mut peer, &mut subscription, source).await;
        drop(place);
    });
    let body = unfold(taken, async |mut taken| {
        let event = taken.recv().await?;
        Some((Ok::<_, Infallible>(event), taken))
    });
    ([NO_BUFFERING], Sse::new(body)).into_response()
}

impl ServerSent {
    async fn write(&self, event: Event) -> Result<(), End> {
        match timeout(limits::SOCKET_WRITE_TIMEOUT, self.events.send(event)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(End::Gone),
        }
    }
}

impl Peer for ServerSent {
    const PROTOCOL: &str = "http";

    async fn send(&mut self, frame: &Frame) -> Result<(), End> {
        let mut event = Event::default().data(frame.to_json());
        if let Some(cursor) = frame.cursor() {
            event = event.id(cursor);
        }
        if let Some(retry) = self.retry.take() {
            event = event.retry(retry);
        }
        self.write(event).await
    }

    /// Nothing is asked: the beat that follows is taken in time, or the client is gone.
    async fn ping(&mut self, pulse: &mut Pulse) -> Result<(), End> {
        pulse.hear();
        Ok(())
    }

    async fn listen(&mut self) -> Result<(), End> {
        self.events.closed().await;
        Err(End::Gone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::push::pulse::Beat;

    #[tokio::test(start_paused = true)]
    async fn who_takes_the_beats_is_alive_and_who_does_not_is_gone() {
        let (events, mut taken) = mpsc::channel(1);
        let mut peer = ServerSent {
            events,
            retry: None,
        };
        let mut pulse = Pulse::new();
        for _ in 0..3 {
            assert_eq!(pulse.beat().await, Beat::Ping);
            assert_eq!(peer.ping(&mut pulse).await, Ok(()));
            assert_eq!(peer.send(&Frame::Beat).await, Ok(()));
            assert!(taken.recv().await.is_some());
        }
        assert_eq!(
            peer.send(&Frame::Beat).await,
            Ok(()),
            "one waits to be taken"
        );
        assert_eq!(peer.send(&Frame::Beat).await, Err(End::Gone));
        drop(taken);
        assert_eq!(peer.listen().await, Err(End::Gone));
    }
}
