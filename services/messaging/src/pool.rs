//! The pools of the hot path: a database's connections, whose users' waits are measured where connections are taken, for the
//! driver's pool has no hook for that.
//!
//! Work that goes on batch after batch keeps its connection at hand. The driver's pool hands its connections out in turn, so
//! each batch would meet another process of the server, with cold caches; and it asks each that is given back whether it
//! still answers, which wakes that process once more.

use std::{
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, Once, PoisonError, Weak},
    time::Duration,
};

use prometheus_client::metrics::histogram::Histogram;
use sqlx::{
    PgPool, PgTransaction, Postgres, SqlSafeStr,
    pool::{CloseEvent, MaybePoolConnection, PoolConnection},
};
use tokio::time::{Instant, timeout};

use crate::metrics::{DatabaseMetrics, time};

/// How long a kept connection is taken without asking whether it still answers, which is as long as the pools themselves
/// take one for fresh. Then it goes back to the pool, which looks.
const KEPT_FOR: Duration = Duration::from_secs(1);

/// How often a connection that goes on working is given back all the same.
const RENEWED_EVERY: Duration = Duration::from_mins(1);

/// A pool whose users' waits are measured and whose last connection can be kept. Clones share the kept connection; another
/// [`Pool`] over the same connections has one of its own.
#[derive(Debug, Clone)]
pub struct Pool {
    connections: PgPool,
    waits: Histogram,
    slot: Arc<Slot>,
}

/// Where the kept connection is.
#[derive(Debug)]
struct Slot {
    hand: Mutex<Hand>,
    /// Starts the task that gives a resting connection back.
    watch: Once,
}

/// What the slot holds, or has just handed out.
#[derive(Debug)]
struct Hand {
    kept: Option<Kept>,
    /// When the pool last got one back that went on working.
    renewed: Instant,
}

/// A connection at hand.
#[derive(Debug)]
struct Kept {
    connection: PoolConnection<Postgres>,
    since: Instant,
}

impl Pool {
    /// The pool, known by its application name.
    #[must_use]
    pub fn new(connections: PgPool, metrics: &DatabaseMetrics) -> Self {
        let options = connections.connect_options();
        let waits = metrics.waits(options.get_application_name().unwrap_or_default());
        Self {
            connections,
            waits,
            slot: Arc::new(Slot {
                hand: Mutex::new(Hand {
                    kept: None,
                    renewed: Instant::now(),
                }),
                watch: Once::new(),
            }),
        }
    }

    /// Takes a connection, the kept one if there is one.
    pub async fn acquire(&self) -> Result<PoolConnection<Postgres>, sqlx::Error> {
        let kept = self.slot.lock().kept.take();
        // One that rested too long goes back before the pool is asked: it may be the last there is.
        match kept.filter(|kept| kept.since.elapsed() < KEPT_FOR) {
            Some(kept) => Ok(kept.connection),
            None => time(&self.waits, self.connections.acquire()).await,
        }
    }

    /// Keeps a connection at hand whose work went well. Any other is to be dropped: so it goes back to the pool, which looks
    /// whether it is whole. Now and then a connection that goes on working is given back, too: the pool ends what has lived
    /// too long.
    pub fn keep(&self, connection: PoolConnection<Postgres>) {
        self.slot.watch.call_once(|| {
            tokio::spawn(let_go(
                self.connections.close_event(),
                Arc::downgrade(&self.slot),
            ));
        });
        let mut hand = self.slot.lock();
        let since = Instant::now();
        // Looked at under the lock: whoever empties the slot comes after this, or the pool is seen to be closed.
        if !self.connections.is_closed() && !hand.renews(since) {
            hand.kept = Some(Kept { connection, since });
        }
    }

    /// Takes a connection and begins a transaction.
    pub async fn begin(&self) -> Result<PgTransaction<'static>, sqlx::Error> {
        let connection = MaybePoolConnection::PoolConnection(self.acquire().await?);
        PgTransaction::begin(connection, None).await
    }

    /// Takes a connection and begins a transaction with these words.
    pub async fn begin_with(
        &self,
        statement: impl SqlSafeStr,
    ) -> Result<PgTransaction<'static>, sqlx::Error> {
        let connection = MaybePoolConnection::PoolConnection(self.acquire().await?);
        PgTransaction::begin(connection, Some(statement.into_sql_str())).await
    }

    /// The pool, for what need not be measured.
    #[must_use]
    pub const fn unmeasured(&self) -> &PgPool {
        &self.connections
    }
}

impl Slot {
    fn lock(&self) -> MutexGuard<'_, Hand> {
        self.hand.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hand {
    /// Whether another connection's turn has come.
    fn renews(&mut self, now: Instant) -> bool {
        let is_due = now >= self.renewed + RENEWED_EVERY;
        if is_due {
            self.renewed = now;
        }
        is_due
    }

    /// Gives back what rested long enough, and says when to look again.
    fn put_down(&mut self, now: Instant) -> Duration {
        drop(self.kept.take_if(|kept| now >= kept.since + KEPT_FOR));
        let since = self.kept.as_ref().map_or(now, |kept| kept.since);
        since + KEPT_FOR - now
    }
}

/// Gives a connection back that rests, for others may want it; and at the end, for a pool that is closed waits for it.
async fn let_go(closing: CloseEvent, slot: Weak<Slot>) {
    let mut closing = pin!(closing);
    let mut pause = KEPT_FOR;
    loop {
        let is_closed = timeout(pause, &mut closing).await.is_ok();
        let Some(slot) = slot.upgrade() else { return };
        if is_closed {
            drop(slot.lock().kept.take());
            return;
        }
        pause = slot.lock().put_down(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_that_goes_on_working_is_given_back_once_a_minute() {
        let begun = Instant::now();
        let mut hand = Hand {
            kept: None,
            renewed: begun,
        };
        let early = begun + RENEWED_EVERY - Duration::from_nanos(1);
        let due = begun + RENEWED_EVERY;
        assert_eq!(
            [early, due, due, due + RENEWED_EVERY].map(|now| hand.renews(now)),
            [false, true, false, true]
        );
    }
}
