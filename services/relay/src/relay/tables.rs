//! Keeping the tables small: partitions made ahead and dropped, and what is old deleted.

use std::time::Duration;

use messaging::outbox;
use tokio::time::Instant;

use super::{Relay, RelayError, connected, flow::meanwhile, in_time};

/// How often partitions are made ahead.
const PARTITION_UPKEEP: Duration = Duration::from_mins(10);

/// How often old rows are deleted, unless there are more than a step deletes.
const ROW_UPKEEP: Duration = Duration::from_secs(10);

/// The most rows of a table deleted in one step.
const ROWS_PER_STEP: i32 = 20_000;

/// Postgres' code for a lock that was not granted in time.
const LOCK_NOT_AVAILABLE: &str = "55P03";

/// When the tables are looked after next.
#[derive(Debug, Clone, Copy)]
pub(super) struct TableUpkeep {
    partitions_at: Instant,
    rows_at: Instant,
}

impl TableUpkeep {
    /// All of it is due at once.
    pub(super) const fn due(now: Instant) -> Self {
        Self {
            partitions_at: now,
            rows_at: now,
        }
    }
}

impl Relay {
    /// Makes and drops partitions, and deletes old keys, duplicates and ends of redrives. That a reader is in the way is no
    /// failure of the relay.
    pub(super) async fn keep_tables(&mut self) -> Result<(), RelayError> {
        let now = Instant::now();
        if now >= self.tables.partitions_at {
            self.tables.partitions_at = now + PARTITION_UPKEEP;
            let connection = connected(&mut self.connection, &self.pool).await?;
            match in_time(outbox::maintain_partitions(connection)).await {
                Err(error) if is_lock_timeout(&error) => {
                    self.tables.partitions_at = now + ROW_UPKEEP;
                }
                outcome => {
                    outcome?;
                }
            }
        }
        if now >= self.tables.rows_at {
            self.tables.rows_at = now + ROW_UPKEEP;
            let keys = statement!(
                self,
                connection,
                outbox::forget_idempotency_keys(connection, ROWS_PER_STEP)
            );
            let duplicates = statement!(
                self,
                connection,
                outbox::forget_duplicates(connection, ROWS_PER_STEP)
            );
            let ends = statement!(
                self,
                connection,
                outbox::forget_redrive_ends(connection, ROWS_PER_STEP)
            );
            if keys.max(duplicates).max(ends) >= i64::from(ROWS_PER_STEP) {
                self.tables.rows_at = now;
            }
        }
        Ok(())
    }
}

fn is_lock_timeout(error: &sqlx::Error) -> bool {
    let code = error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| code == LOCK_NOT_AVAILABLE)
}
