//! The watches: every few seconds they read what no single process knows of itself (what waits in an outbox, in a queue, as
//! a dead letter) and show it as metrics. What cannot be read is withdrawn.

mod look;
mod outbox;
mod queue;
mod rows;

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::failure::BoxError;

pub use self::{
    look::{QueueDepth, QueueLook},
    outbox::OutboxWatch,
    queue::QueueWatch,
    rows::RowWatch,
};

/// How often a watch reads.
const EVERY: Duration = Duration::from_secs(5);

/// How long one reading may take.
const READING_TIME_MAX: Duration = Duration::from_secs(4);

/// What a watch does.
trait Watch: Send {
    /// What it reads, for people.
    const WHAT: &'static str;

    /// Reads once and shows it.
    fn read(&mut self) -> impl Future<Output = Result<(), BoxError>> + Send;

    /// Shows nothing any more.
    fn withdraw(&self);
}

/// Reads again and again until stopped. That it fails is told once, until it succeeds again.
async fn repeat<W: Watch>(watch: &mut W, stop: &CancellationToken) {
    let mut told = false;
    loop {
        let reading = tokio::time::timeout(READING_TIME_MAX, watch.read());
        let Some(outcome) = stop.run_until_cancelled(reading).await else {
            return;
        };
        match outcome.map_err(BoxError::from).flatten() {
            Ok(()) => told = false,
            Err(error) => {
                watch.withdraw();
                if !std::mem::replace(&mut told, true) {
                    tracing::warn!(
                        what = W::WHAT,
                        error = &*error as &dyn std::error::Error,
                        "what metrics tell of cannot be read; they are withdrawn until it can"
                    );
                }
            }
        }
        let pause = tokio::time::sleep(EVERY);
        if stop.run_until_cancelled(pause).await.is_none() {
            return;
        }
    }
}
