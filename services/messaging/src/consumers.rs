//! The consumers of a service's queue: each process tells of its own in a row, and any replica reads them all.

use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::{
    metrics::{InboxLabels, InboxMetrics, InboxOutcome, QueueLabels},
    topology::Queue,
};

/// A process' consumer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumerStatus {
    /// Its name.
    pub name: String,
    /// The queue it consumes.
    pub queue: String,
    /// When it last told of itself.
    pub told_at: OffsetDateTime,
    /// Whether it has a connection to the broker.
    pub connected: bool,
    /// Whether it takes nothing because its database is away.
    pub paused: bool,
    /// Deliveries it has taken up and not acknowledged.
    pub unacknowledged: i64,
    /// Events settled since it started.
    pub fresh: i64,
    /// Events that had been settled before.
    pub duplicates: i64,
    /// Events put off.
    pub deferred: i64,
    /// Dead letters written.
    pub dead_letters: i64,
}

/// Tells of this process' consumer, by what its metrics say, and forgets those long gone.
pub async fn tell(
    connection: &mut PgConnection,
    name: &str,
    queue: Queue,
    metrics: &InboxMetrics,
) -> Result<(), sqlx::Error> {
    let labels = QueueLabels { queue: queue.name };
    let outcome = |outcome| {
        let labels = InboxLabels {
            queue: queue.name,
            outcome,
        };
        i64::try_from(metrics.messages.get_or_create(&labels).get()).unwrap_or(i64::MAX)
    };
    sqlx::query!(
        "with gone as (
            delete from messaging.consumer where told_at < now() - interval '1 hour' and name <> $1
         )
         insert into messaging.consumer as told
             (name, queue, connected, paused, unacknowledged, fresh, duplicates, deferred, dead_letters)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         on conflict (name) do update
         set told_at = now(), connected = $3, paused = $4, unacknowledged = $5, fresh = $6, duplicates = $7,
             deferred = $8, dead_letters = $9",
        name,
        queue.name,
        metrics.connected.get_or_create(&labels).get() > 0,
        metrics.paused.get_or_create(&labels).get() > 0,
        metrics.unacknowledged.get_or_create(&labels).get().max(0),
        outcome(InboxOutcome::Fresh),
        outcome(InboxOutcome::Duplicate),
        outcome(InboxOutcome::Deferred),
        outcome(InboxOutcome::DeadLetter),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Takes a consumer off the list: it has stopped.
pub async fn leave(connection: &mut PgConnection, name: &str) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from messaging.consumer where name = $1", name)
        .execute(connection)
        .await?;
    Ok(())
}

/// The consumers that have told of themselves within the last hour, by name.
pub async fn list(connection: &mut PgConnection) -> Result<Vec<ConsumerStatus>, sqlx::Error> {
    sqlx::query_as!(
        ConsumerStatus,
        "select name, queue, told_at, connected, paused, unacknowledged, fresh, duplicates, deferred, dead_letters
         from messaging.consumer
         where told_at > now() - interval '1 hour'
         order by name
         limit 1000"
    )
    .fetch_all(connection)
    .await
}
