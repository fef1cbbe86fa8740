//! Patience with failures that pass: the same batch again, with growing pauses, for a bounded time.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::RETRY;
use crate::failure::Failure;

/// How failures that pass are borne: with growing pauses, for a bounded time, until stopped.
pub(super) struct Patience<'s> {
    stop: &'s CancellationToken,
    queue: &'static str,
    limit: Duration,
    since: tokio::time::Instant,
    pause: Duration,
}

impl<'s> Patience<'s> {
    pub(super) fn new(stop: &'s CancellationToken, queue: &'static str, limit: Duration) -> Self {
        Self {
            stop,
            queue,
            limit,
            since: tokio::time::Instant::now(),
            pause: RETRY.0,
        }
    }

    /// Waits before the next attempt; gives the failure back when there is none.
    pub(super) async fn bear(&mut self, failure: Failure) -> Result<(), Failure> {
        if self.since.elapsed() > self.limit {
            return Err(failure);
        }
        tracing::warn!(
            queue = self.queue,
            error = &failure as &dyn std::error::Error,
            "a batch could not be settled for now; trying again"
        );
        let wait = tokio::time::sleep(self.pause);
        if self.stop.run_until_cancelled(wait).await.is_none() {
            return Err(failure);
        }
        self.pause = (self.pause * 2).min(RETRY.1);
        Ok(())
    }
}
