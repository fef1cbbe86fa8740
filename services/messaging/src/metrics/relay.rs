//! What relays do.

use contracts::metrics::{Announce, SecondsCounter};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::{Registry, Unit},
};

use super::DatabaseLabels;

/// What relays do; clones measure together.
#[derive(Debug, Clone, Default)]
pub struct RelayMetrics {
    /// Lanes this process owns.
    pub lanes_owned: Family<DatabaseLabels, Gauge>,
    /// AMQP messages published, by the broker's answer.
    pub publishes: Family<PublishLabels, Counter>,
    /// Events the broker confirmed.
    pub published_events: Family<DatabaseLabels, Counter>,
    /// How many AMQP messages may be unconfirmed.
    pub window: Family<DatabaseLabels, Gauge>,
    /// How many are.
    pub unconfirmed: Family<DatabaseLabels, Gauge>,
    /// 1 while there is a connection to publish over.
    pub connected: Family<DatabaseLabels, Gauge>,
    /// 1 while the broker blocks it.
    pub blocked: Family<DatabaseLabels, Gauge>,
    /// For how long the broker blocked it.
    pub blocked_seconds: Family<DatabaseLabels, SecondsCounter>,
    /// Times that the outbox was found to be of another cluster, and everything retained was published again.
    pub restores: Family<DatabaseLabels, Counter>,
}

impl RelayMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.announce(
            "gozon_relay_lanes_owned",
            "Outbox lanes owned by this process's relay",
            self.lanes_owned.clone(),
        );
        registry.announce(
            "gozon_relay_publishes",
            "AMQP messages published, by the broker's answer",
            self.publishes.clone(),
        );
        registry.announce(
            "gozon_relay_published_events",
            "Events confirmed by the broker",
            self.published_events.clone(),
        );
        registry.announce(
            "gozon_relay_window_messages",
            "How many AMQP messages the relay lets be unconfirmed at once",
            self.window.clone(),
        );
        registry.announce(
            "gozon_relay_unconfirmed_messages",
            "AMQP messages sent and not answered yet",
            self.unconfirmed.clone(),
        );
        registry.announce(
            "gozon_relay_connected",
            "1 while the relay has a connection to the broker that works",
            self.connected.clone(),
        );
        registry.announce(
            "gozon_relay_blocked",
            "1 while the broker blocks the relay's connection because it runs out of memory or disk",
            self.blocked.clone(),
        );
        registry.announce_in(
            Unit::Seconds,
            "gozon_relay_blocked",
            "For how long the broker has blocked the relay's connection, seen to a tenth of a second",
            self.blocked_seconds.clone(),
        );
        registry.announce(
            "gozon_outbox_restores",
            "Times the outbox was found restored from another cluster and published again",
            self.restores.clone(),
        );
    }
}

/// Labels of [`RelayMetrics::publishes`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct PublishLabels {
    /// The database whose outbox it came from.
    pub database: &'static str,
    /// The broker's answer.
    pub outcome: &'static str,
}
