//! The ledger check: walks all accounts, again and again, and compares each balance with the sum of its entries.
//!
//! It takes a page of accounts at a time by their primary key, and of one account a stretch of entries at a time, however
//! many there are; it works a tenth of the time and rests the others. One replica checks, by a lock that ends with its
//! connection.

use std::time::Duration;

use contracts::AccountId;
use sqlx::{PgConnection, PgPool, pool::PoolConnection};
use time::OffsetDateTime;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    metrics::Metrics,
    storage::ledger_check::{self as storage, Summed},
};

/// Accounts read at once.
const PAGE_ACCOUNTS: i64 = 50;

/// Entries of each of them read with the page.
const PAGE_ENTRIES: i64 = 500;

/// Entries read at once of an account that has more.
const STRETCH_ENTRIES: i64 = 10_000;

/// The pause between two passes, and before another try to become the one that checks.
const PAUSE: Duration = Duration::from_secs(30);

/// How many times as long as it took to read something the check rests after it.
const REST: u32 = 9;

/// How long a read may take, whatever becomes of the network: beyond the server's own limit.
const READ_TIME_MAX: Duration = Duration::from_secs(15);

/// The most accounts that one pass logs.
const LOGGED_MAX: i64 = 20;

/// What a pass found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Drift {
    /// Accounts whose balance is not the sum of their entries.
    pub accounts: i64,
    /// By how much, in minor units, summed up without signs.
    pub minor: i64,
}

/// A pass over all accounts, as operators ask for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LedgerPass {
    /// When it was completed.
    pub completed_at: OffsetDateTime,
    /// How many accounts it compared.
    pub accounts: i64,
    /// Accounts whose balance is not the sum of their entries.
    pub drifting_accounts: i64,
    /// By how much, in minor units, summed up without signs.
    pub drift_minor: i64,
}

/// What the last whole pass found, whichever replica made it; none before the first.
pub async fn last_pass(connection: &mut PgConnection) -> Result<Option<LedgerPass>, sqlx::Error> {
    storage::last(connection).await
}

/// One process's ledger check.
#[derive(Debug)]
pub struct LedgerCheck {
    pool: PgPool,
    metrics: Metrics,
}

impl LedgerCheck {
    /// A check that reads through `pool`, as the writer.
    #[must_use]
    pub const fn new(pool: PgPool, metrics: Metrics) -> Self {
        Self { pool, metrics }
    }

    /// Checks until stopped, through every outage, or waits until the replica that does is gone.
    pub async fn run(self, stop: CancellationToken) {
        let mut told = false;
        let check = async {
            loop {
                match self.check().await {
                    Ok(()) => told = false,
                    Err(error) if !told => {
                        tracing::warn!(error = %chassis::chain(&error), "the ledger check was interrupted; beginning again");
                        told = true;
                    }
                    Err(_) => {}
                }
                self.metrics.withdraw_drift();
                sleep(PAUSE).await;
            }
        };
        stop.run_until_cancelled(check).await;
    }

    /// Passes over all accounts until the connection fails; nothing if another replica checks.
    async fn check(&self) -> Result<(), sqlx::Error> {
        let Some(mut connection) = self.lock().await? else {
            return Ok(());
        };
        loop {
            self.pass(&mut connection).await?;
            sleep(PAUSE).await;
        }
    }

    /// A connection that holds the lock. It is no longer the pool's: the lock shall end with it.
    async fn lock(&self) -> Result<Option<PgConnection>, sqlx::Error> {
        let mut connection = self.pool.acquire().await?;
        if in_time(storage::try_lock(&mut connection)).await? {
            Ok(Some(PoolConnection::detach(connection)))
        } else {
            Ok(None)
        }
    }

    /// Compares all accounts once.
    pub(crate) async fn pass(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        let mut drift = Drift::default();
        let mut after = Uuid::nil();
        let mut accounts = 0;
        loop {
            let page = storage::page(connection, after, PAGE_ACCOUNTS, PAGE_ENTRIES);
            let page = at_rest(page).await?;
            let Some(last) = page.last() else { break };
            after = last.account_id.as_uuid();
            self.metrics.checked(page.len());
            accounts += i64::try_from(page.len()).expect("a page is small");
            for summed in page {
                let whole = rest_of(connection, summed).await?;
                drift.add(&whole);
            }
        }
        let completed_at = OffsetDateTime::now_utc();
        let pass = LedgerPass {
            completed_at,
            accounts,
            drifting_accounts: drift.accounts,
            drift_minor: drift.minor,
        };
        in_time(storage::completed(connection, &pass)).await?;
        #[allow(
            clippy::cast_precision_loss,
            reason = "the seconds of a Unix time fit into a float"
        )]
        let now = completed_at.unix_timestamp() as f64;
        self.metrics.pass_completed(drift, now);
        Ok(())
    }
}

/// Reads the entries of an account that its page left out. The last read sees the balance and the end of the entries at the
/// same instant.
async fn rest_of(connection: &mut PgConnection, mut summed: Summed) -> Result<Summed, sqlx::Error> {
    let mut asked = PAGE_ENTRIES;
    while summed.entries >= asked {
        asked = STRETCH_ENTRIES;
        let more = storage::more(connection, summed.account_id, summed.last_number, asked);
        let more = at_rest(more).await?;
        summed = Summed {
            entries_minor: summed.entries_minor.saturating_add(more.entries_minor),
            ..more
        };
    }
    Ok(summed)
}

impl Drift {
    fn add(&mut self, summed: &Summed) {
        let minor = summed.balance_minor.abs_diff(summed.entries_minor);
        if minor == 0 {
            return;
        }
        self.accounts += 1;
        let minor = i64::try_from(minor).unwrap_or(i64::MAX);
        self.minor = self.minor.saturating_add(minor);
        if self.accounts <= LOGGED_MAX {
            log(
                summed.account_id,
                summed.balance_minor,
                summed.entries_minor,
            );
        }
    }
}

fn log(account_id: AccountId, balance_minor: i64, entries_minor: i64) {
    tracing::error!(
        %account_id,
        balance_minor,
        entries_minor,
        "an account's balance is not the sum of its ledger entries"
    );
}

/// Reads, and rests for as long as keeps the share of the work small.
async fn at_rest<T>(read: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    let begun = Instant::now();
    let read = in_time(read).await?;
    sleep(begun.elapsed() * REST).await;
    Ok(read)
}

async fn in_time<T>(read: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    timeout(READ_TIME_MAX, read)
        .await
        .unwrap_or_else(|elapsed| Err(sqlx::Error::Io(elapsed.into())))
}

#[cfg(test)]
mod tests;
