//! What outboxes are like, as whoever may look at one reads it now and then: see [`crate::watch`].

use contracts::metrics::{Announce, Readings};
use prometheus_client::{
    encoding::EncodeLabelSet,
    registry::{Registry, Unit},
};

use super::DatabaseLabels;
use crate::outbox::PENDING_ROWS_MAX;

/// Readings of outboxes; clones show together.
#[derive(Debug, Clone, Default)]
pub struct OutboxReadings {
    /// Events that wait, up to a limit.
    pub pending: Readings<DatabaseLabels>,
    /// The age of the oldest of them.
    pub oldest_age: Readings<DatabaseLabels, f64>,
    /// Events that can never be sent.
    pub parked: Readings<DatabaseLabels>,
    /// For how many days to come the outbox has partitions.
    pub partitions_ahead: Readings<DatabaseLabels>,
    /// Lanes that nobody publishes.
    pub lanes_without_owner: Readings<DatabaseLabels>,
    /// Relays that have shown themselves lately.
    pub relays_alive: Readings<DatabaseLabels>,
    /// How long the oldest snapshot is held, and by whom.
    pub oldest_snapshot_age: Readings<SnapshotLabels, f64>,
}

/// Labels of [`OutboxReadings::oldest_snapshot_age`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct SnapshotLabels {
    /// The database in which it is held.
    pub database: &'static str,
    /// What the session that holds it calls itself.
    pub application_name: String,
}

impl OutboxReadings {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.announce(
            "gozon_outbox_pending",
            &format!(
                "Events committed and not yet written back as published, of the whole database, counted up to {PENDING_ROWS_MAX}"
            ),
            self.pending.clone(),
        );
        registry.announce_in(
            Unit::Seconds,
            "gozon_outbox_oldest_age",
            "Age of the oldest event not yet written back as published, of the whole database; 0 when nothing waits",
            self.oldest_age.clone(),
        );
        registry.announce(
            "gozon_outbox_parked_events",
            "Events set aside because they can never be sent, and later ones of their keys",
            self.parked.clone(),
        );
        registry.announce(
            "gozon_outbox_partitions_ahead",
            "Days to come for which the outbox has partitions; at 0 tomorrow's orders fail",
            self.partitions_ahead.clone(),
        );
        registry.announce(
            "gozon_lanes_without_owner",
            "Outbox lanes that no relay holds a lease on: their events wait",
            self.lanes_without_owner.clone(),
        );
        registry.announce(
            "gozon_relays_alive",
            "Relays of the database whose last sign of life is younger than a lease",
            self.relays_alive.clone(),
        );
        registry.announce_in(
            Unit::Seconds,
            "gozon_postgres_oldest_snapshot_age",
            "How long the oldest snapshot in the database has been held, with the name of the application that holds it; without the role pg_read_all_stats only the relay's own sessions are seen. Absent when none is held",
            self.oldest_snapshot_age.clone(),
        );
    }

    /// A database cannot be read.
    pub fn withdraw(&self, database: &'static str) {
        self.pending.withdraw(database);
        self.oldest_age.withdraw(database);
        self.parked.withdraw(database);
        self.partitions_ahead.withdraw(database);
        self.lanes_without_owner.withdraw(database);
        self.relays_alive.withdraw(database);
        self.oldest_snapshot_age.withdraw(database);
    }
}
