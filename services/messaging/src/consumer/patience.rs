//! Patience with failures that pass: the same batch again, with growing pauses, for a bounded time.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{RETRY, Session};
use crate::failure::BoxError;

/// How long deliveries are kept while the database is away; then the channel is closed and they go back to the queue.
const KEEP_DELIVERIES: Duration = Duration::from_mins(10);

/// How failures that pass are borne: with growing pauses, for a bounded time, until stopped.
pub(super) struct Patience<'s> {
    stop: &'s CancellationToken,
    since: tokio::time::Instant,
    pause: Duration,
}

impl<'s> Patience<'s> {
    pub(super) fn new(stop: &'s CancellationToken) -> Self {
        let since = tokio::time::Instant::now();
        Self {
            stop,
            since,
            pause: RETRY.0,
        }
    }

    /// Waits before the next attempt; gives the error back when there is none.
    pub(super) async fn bear(
        &mut self,
        error: BoxError,
        session: &Session,
    ) -> Result<(), BoxError> {
        if self.since.elapsed() > KEEP_DELIVERIES || !session.connection.status().connected() {
            return Err(error);
        }
        tracing::warn!(
            queue = session.queue,
            error = &*error as &dyn std::error::Error,
            "a batch could not be settled for now; trying again"
        );
        let wait = tokio::time::sleep(self.pause);
        if self.stop.run_until_cancelled(wait).await.is_none() {
            return Err(error);
        }
        self.pause = (self.pause * 2).min(RETRY.1);
        Ok(())
    }
}
