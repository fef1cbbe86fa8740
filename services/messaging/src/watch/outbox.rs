//! The watch over an outbox, as its relay may read it.

use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use super::{Watch, repeat};
use crate::{
    failure::BoxError,
    held_snapshot::oldest_held_snapshot,
    lease::LEASE,
    metrics::{DatabaseLabels, OutboxReadings, SnapshotLabels},
    outbox::{LaneStatus, Status, partitions_ahead, status},
};

/// The watch over one database's outbox.
#[derive(Debug)]
pub struct OutboxWatch {
    database: &'static str,
    pool: PgPool,
    readings: OutboxReadings,
}

impl OutboxWatch {
    /// A watch that reads through `pool`, as a relay.
    #[must_use]
    pub const fn new(database: &'static str, pool: PgPool, readings: OutboxReadings) -> Self {
        Self {
            database,
            pool,
            readings,
        }
    }

    /// Watches until stopped.
    pub async fn run(mut self, stop: CancellationToken) {
        repeat(&mut self, &stop).await;
    }

    /// Reads once.
    pub async fn read(&self) -> Result<(), BoxError> {
        let mut connection = self.pool.acquire().await?;
        let status = status(&mut connection).await?;
        let ahead = partitions_ahead(&mut connection).await?;
        let held = oldest_held_snapshot(&mut connection).await?;
        let show = &self.readings;
        let age = status
            .oldest()
            .map_or(0.0, |oldest| (status.now - oldest).as_seconds_f64());
        show.pending
            .show(self.database, [self.labelled(status.pending())]);
        show.oldest_age
            .show(self.database, [self.labelled(age.max(0.0))]);
        show.parked
            .show(self.database, [self.labelled(status.parked)]);
        show.partitions_ahead
            .show(self.database, [self.labelled(i64::from(ahead))]);
        show.lanes_without_owner
            .show(self.database, [self.labelled(without_owner(&status))]);
        show.relays_alive
            .show(self.database, [self.labelled(alive(&status))]);
        show.oldest_snapshot_age.show(
            self.database,
            held.map(|held| {
                let labels = SnapshotLabels {
                    database: self.database,
                    application_name: held.application_name,
                };
                (labels, held.age_seconds)
            }),
        );
        Ok(())
    }

    const fn labelled<V>(&self, value: V) -> (DatabaseLabels, V) {
        let labels = DatabaseLabels {
            database: self.database,
        };
        (labels, value)
    }
}

impl Watch for OutboxWatch {
    const WHAT: &'static str = "the outbox";

    async fn read(&mut self) -> Result<(), BoxError> {
        Self::read(self).await
    }

    fn withdraw(&self) {
        self.readings.withdraw(self.database);
    }
}

fn without_owner(status: &Status) -> i64 {
    let is_free = |lane: &&LaneStatus| lane.lease_until.is_none_or(|until| until < status.now);
    count(status.lanes.iter().filter(is_free).count())
}

fn alive(status: &Status) -> i64 {
    let relays = status.relays.iter();
    count(
        relays
            .filter(|relay| relay.heartbeat > status.now - LEASE)
            .count(),
    )
}

fn count(rows: usize) -> i64 {
    i64::try_from(rows).expect("few rows are read")
}
