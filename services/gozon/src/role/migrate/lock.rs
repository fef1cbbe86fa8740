//! One migration of a database at a time: an advisory lock of the session, gone with it however it ends.

use std::time::Duration;

use anyhow::bail;
use sqlx::PgConnection;
use tokio::time::Instant;

use crate::config::Database;

/// The lock's number: `gozon` in ASCII. Advisory locks are per database, so both databases use the same.
const LOCK: i64 = 0x67_6f_7a_6f_6e;

/// How long to wait for another migration.
const WAIT_MAX: Duration = Duration::from_mins(2);

/// How often to ask for the lock. Waiting inside the server would end at its `lock_timeout`, and hold a snapshot that
/// `create index concurrently` in the other migration would wait for.
const STEP: Duration = Duration::from_millis(250);

/// Takes the lock, after whoever has it.
pub(super) async fn acquire(
    connection: &mut PgConnection,
    database: Database,
) -> anyhow::Result<()> {
    let deadline = Instant::now() + WAIT_MAX;
    let mut told = false;
    while !try_acquire(connection).await? {
        if Instant::now() >= deadline {
            bail!("another migration has held the lock for {WAIT_MAX:?}");
        }
        if !told {
            println!(
                "database {:9} waiting for another migration",
                database.as_str()
            );
            told = true;
        }
        tokio::time::sleep(STEP).await;
    }
    Ok(())
}

async fn try_acquire(connection: &mut PgConnection) -> sqlx::Result<bool> {
    sqlx::query_scalar("select pg_try_advisory_lock($1)")
        .bind(LOCK)
        .fetch_one(connection)
        .await
}
