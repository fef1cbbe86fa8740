//! Operations of a client of the database, by OpenTelemetry's semantic conventions, and its waits for a connection.

use std::{
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, Once, PoisonError, Weak},
    time::Duration,
};

use contracts::metrics::{Announce, Histograms, short};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::histogram::Histogram,
    registry::{Registry, Unit},
};
use sqlx::{
    PgPool, PgTransaction, Postgres, SqlSafeStr,
    pool::{CloseEvent, MaybePoolConnection, PoolConnection},
};
use tokio::time::{Instant, timeout};

/// Operations of a client of the database; clones measure together.
#[derive(Debug, Clone)]
pub struct DatabaseMetrics {
    durations: Histograms<OperationLabels>,
    waits: Histograms<PoolLabels>,
}

/// An operation that is timed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Placing orders.
    Place,
    /// A consumer's transaction.
    Settle,
    /// A relay's read of what is new.
    ReadOutbox,
    /// A relay's write-back of how far it has published.
    WriteBack,
    /// A relay's account of what it has published.
    AppendPublishLog,
    /// The tail's read of what is new in the history, and what it takes to deliver it.
    Tail,
}

impl Operation {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Place => "place",
            Self::Settle => "settle",
            Self::ReadOutbox => "read_outbox",
            Self::WriteBack => "write_back",
            Self::AppendPublishLog => "append_publish_log",
            Self::Tail => "tail",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OperationLabels {
    db_namespace: &'static str,
    db_operation_name: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PoolLabels {
    db_client_connection_pool_name: String,
}

impl Default for DatabaseMetrics {
    fn default() -> Self {
        Self {
            durations: Histograms::new_with_constructor(short),
            waits: Histograms::new_with_constructor(short),
        }
    }
}

impl DatabaseMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.announce_in(
            Unit::Seconds,
            "db_client_operation_duration",
            "Time of a transaction or read of the hot path, failed ones included",
            self.durations.clone(),
        );
        registry.announce_in(
            Unit::Seconds,
            "db_client_connection_wait_time",
            "Time that intake, a consumer or a reading request waited for a connection of its pool, made anew where needed",
            self.waits.clone(),
        );
    }

    /// The times of an operation in a database.
    #[must_use]
    pub fn operation(&self, database: &'static str, operation: Operation) -> Histogram {
        self.durations.get_or_create_owned(&OperationLabels {
            db_namespace: database,
            db_operation_name: operation.as_str(),
        })
    }
}

/// Takes down how long some work takes.
pub async fn time<T>(durations: &Histogram, work: impl Future<Output = T>) -> T {
    let begun = Instant::now();
    let done = work.await;
    durations.observe(begun.elapsed().as_secs_f64());
    done
}

/// A pool whose users' waits for a connection are measured. The pool has no hook for that, so they are where connections are
/// taken.
///
/// It can also keep a connection at hand, for work that goes on batch after batch. The pool hands its connections out in
/// turn, so each batch would meet another process of the server, with cold caches; and it asks each that is given back
/// whether it still answers, which wakes that process once more.
#[derive(Debug, Clone)]
pub struct MeasuredPool {
    pool: PgPool,
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

/// How long a kept connection is taken without asking whether it still answers. Then it goes back to the pool, which looks.
const KEPT_FOR: Duration = Duration::from_secs(1);

impl MeasuredPool {
    /// The pool, known by its application name.
    #[must_use]
    pub fn new(pool: PgPool, metrics: &DatabaseMetrics) -> Self {
        let options = pool.connect_options();
        let waits = metrics.waits.get_or_create_owned(&PoolLabels {
            db_client_connection_pool_name: options
                .get_application_name()
                .unwrap_or_default()
                .to_owned(),
        });
        Self {
            pool,
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
                None => self.pool.acquire().await,
            }
        };
        time(&self.waits, acquire).await
    }

    /// Keeps a connection at hand whose work went well. Any other is to be dropped: so it goes back to the pool, which looks
    /// whether it is whole.
    pub fn keep(&self, connection: PoolConnection<Postgres>) {
        self.slot.is_watched.call_once(|| {
            tokio::spawn(let_go(self.pool.close_event(), Arc::downgrade(&self.slot)));
        });
        let mut kept = self.slot.lock();
        // Looked at under the lock: whoever empties the slot comes after this, or the pool is seen to be closed.
        if !self.pool.is_closed() {
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
        &self.pool
    }
}
