//! How long a connection may wait for a request's head: briefly once it has begun, long while the connection is idle.
//!
//! hyper has one limit for both. A limit short enough against clients that send a head byte by byte would close idle
//! connections under the hands of a proxy, which then fails the request it had just sent on one.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
};

use hyper::rt::{Sleep, Timer};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Instant,
};

use super::{HEAD_DEADLINE, IDLE_DEADLINE};

/// How many bytes a connection has received; shared by its stream and its timer.
type Received = Arc<AtomicU64>;

/// A stream that counts what it receives, and the timer that goes by it.
pub(super) fn of<S>(stream: S) -> (Counted<S>, HeadTimer) {
    let received = Received::default();
    let timer = HeadTimer {
        received: Arc::clone(&received),
    };
    (Counted { stream, received }, timer)
}

/// The timer hyper asks for when it begins to wait for a head.
#[derive(Debug)]
pub(super) struct HeadTimer {
    received: Received,
}

impl Timer for HeadTimer {
    fn sleep(&self, _: std::time::Duration) -> Pin<Box<dyn Sleep>> {
        Box::pin(HeadSleep::new(Arc::clone(&self.received)))
    }

    fn sleep_until(&self, _: std::time::Instant) -> Pin<Box<dyn Sleep>> {
        Box::pin(HeadSleep::new(Arc::clone(&self.received)))
    }
}

/// Ends when the head took too long.
struct HeadSleep {
    received: Received,
    received_before: u64,
    sleep: Pin<Box<tokio::time::Sleep>>,
    idle: bool,
}

impl HeadSleep {
    fn new(received: Received) -> Self {
        let received_before = received.load(Ordering::Relaxed);
        // Who connects has something to say; only between two requests is there a reason to be silent.
        let idle = received_before > 0;
        let limit = if idle { IDLE_DEADLINE } else { HEAD_DEADLINE };
        Self {
            received,
            received_before,
            sleep: Box::pin(tokio::time::sleep(limit)),
            idle,
        }
    }
}

impl Sleep for HeadSleep {}

impl Future for HeadSleep {
    type Output = ();

    /// Asked again after each byte, and so the place to notice the first.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.idle && self.received.load(Ordering::Relaxed) > self.received_before {
            self.idle = false;
            self.sleep.as_mut().reset(Instant::now() + HEAD_DEADLINE);
        }
        self.sleep.as_mut().poll(cx)
    }
}

/// A stream that counts the bytes it receives.
#[derive(Debug)]
pub(super) struct Counted<S> {
    stream: S,
    received: Received,
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        let bytes = (buffer.filled().len() - before) as u64;
        self.received.fetch_add(bytes, Ordering::Relaxed);
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
