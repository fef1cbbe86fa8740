//! The monitor: reads the state of the outbox ten times a second.

use std::sync::Arc;

use messaging::outbox;
use sqlx::PgPool;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::Load;
use crate::limits;

/// The reader of the outbox's state; one per process.
#[derive(Debug)]
pub struct LoadMonitor {
    load: Arc<Load>,
    pool: PgPool,
}

impl LoadMonitor {
    pub(crate) const fn new(load: Arc<Load>, pool: PgPool) -> Self {
        Self { load, pool }
    }

    /// Reads until stopped. While the database is away the last reading stands, and ages; the metric is withdrawn.
    pub async fn run(self, stop: CancellationToken) {
        let mut told = false;
        let watch = async {
            loop {
                let read = self.read().await;
                if read.is_err() {
                    self.load.metrics().show_undecided(None);
                }
                match read {
                    Ok(()) => told = false,
                    Err(error) if !told => {
                        tracing::warn!(error = %chassis::chain(&error), "the state of the outbox cannot be read");
                        told = true;
                    }
                    Err(_) => {}
                }
                sleep(limits::LOAD_REFRESH).await;
            }
        };
        stop.run_until_cancelled(watch).await;
    }

    /// Reads once.
    pub async fn read(&self) -> Result<(), sqlx::Error> {
        let reading = async {
            let mut connection = self.pool.acquire().await?;
            outbox::unpublished(&mut connection).await
        };
        let reading = timeout(limits::LOAD_READ_TIMEOUT, reading)
            .await
            .unwrap_or_else(|elapsed| Err(sqlx::Error::Io(elapsed.into())))?;
        let undecided = self.load.undecided();
        self.load
            .outbox()
            .see(&reading, undecided.decided(), Instant::now());
        self.load.metrics().show_undecided(Some(undecided.count()));
        Ok(())
    }
}
