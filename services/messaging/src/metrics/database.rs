//! Operations of a client of the database, by OpenTelemetry's semantic conventions, and its waits for a connection.

use contracts::metrics::{Announce, Histograms, short};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::histogram::Histogram,
    registry::{Registry, Unit},
};
use tokio::time::Instant;

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
            "Time that intake, a consumer or a reading request waited for a connection of its pool, made anew where needed; one kept at hand is not waited for",
            self.waits.clone(),
        );
    }

    /// The waits for a connection of a pool.
    pub(crate) fn waits(&self, pool: &str) -> Histogram {
        self.waits.get_or_create_owned(&PoolLabels {
            db_client_connection_pool_name: pool.to_owned(),
        })
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
