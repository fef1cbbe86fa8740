//! Who is at the other end of an event stream, whatever carries it.

use super::{frame::Frame, pulse::Pulse};

/// The end of an event stream.
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

/// A client. Every write to it is bounded in time: who does not take it is gone.
pub(crate) trait Peer {
    /// What carries the stream, as spans name it.
    const PROTOCOL: &str;

    /// Sends a frame.
    async fn send(&mut self, frame: &Frame) -> Result<(), End>;

    /// Asks for a sign of life, where the client has a way to give one; who has none is heard by taking its frames.
    async fn ping(&mut self, pulse: &mut Pulse) -> Result<(), End>;

    /// Waits for a sign of life; an error when the client leaves.
    async fn listen(&mut self) -> Result<(), End>;
}
