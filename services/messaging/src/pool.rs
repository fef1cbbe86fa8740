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

/// How long a kept connection is taken without asking whether it still answers. Then it goes back to the pool, which looks.
const KEPT_FOR: Duration = Duration::from_secs(1);

/// A pool whose users' waits are measured and whose last connection can be kept.
#[derive(Debug, Clone)]
pub struct Pool {
    connections: PgPool,
    waits: Histogram,
    slot: Arc<Slot>,
}

/// Where the kept connection is.
#[derive(Debug)]
struct Slot {
    kept: Mutex<Option<Kept>>,
    /// Since a first connection was kept, one that rests is given back.
    is_watched: Once,
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
                kept: Mutex::new(None),
                is_watched: Once::new(),
            }),
        }
    }

    /// Takes a connection, the kept one if there is one.
    pub async fn acquire(&self) -> Result<PoolConnection<Postgres>, sqlx::Error> {
        let acquire = async {
            let kept = self.slot.lock().take();
            // One that rested too long goes back before the pool is asked: it may be the last there is.
            match kept.filter(|kept| kept.since.elapsed() < KEPT_FOR) {
                Some(kept) => Ok(kept.connection),
                None => self.connections.acquire().await,
            }
        };
        time(&self.waits, acquire).await
    }

    /// Keeps a connection at hand whose work went well. Any other is to be dropped: so it goes back to the pool, which looks
    /// whether it is whole.
    pub fn keep(&self, connection: PoolConnection<Postgres>) {
        self.slot.is_watched.call_once(|| {
            tokio::spawn(let_go(
                self.connections.close_event(),
                Arc::downgrade(&self.slot),
            ));
        });
        let mut kept = self.slot.lock();
        // Looked at under the lock: whoever empties the slot comes after this, or the pool is seen to be closed.
        if !self.connections.is_closed() {
            let since = Instant::now();
            *kept = Some(Kept { connection, since });
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
    fn lock(&self) -> MutexGuard<'_, Option<Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gives a connection back that rests, for others may want it; and at the end, for a pool that is closed waits for it.
async fn let_go(closing: CloseEvent, slot: Weak<Slot>) {
    let mut closing = pin!(closing);
    loop {
        let is_closed = timeout(KEPT_FOR, &mut closing).await.is_ok();
        let Some(slot) = slot.upgrade() else { return };
        let rested = slot
            .lock()
            .take_if(|kept| is_closed || kept.since.elapsed() >= KEPT_FOR);
        drop(rested);
        if is_closed {
            return;
        }
    }
}
