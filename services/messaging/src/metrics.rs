//! What the messaging core measures. A process has one set of these, however many relays and consumers it runs.

mod client;
mod database;
mod inbox;
mod outbox;
mod relay;

use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder},
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};

use contracts::metrics::Announce;

pub use self::{
    client::{ClientMetrics, Destination, Process, process_destination, publish_destination},
    database::{DatabaseMetrics, Operation, time},
    inbox::{InboxLabels, InboxMetrics, InboxOutcome, QueueReadings},
    outbox::{OutboxReadings, SnapshotLabels},
    relay::{PublishLabels, RelayMetrics},
};
use crate::{
    doorbell::{Channel, WokenBy},
    failure::ReasonClass,
};

/// The measures; clones measure together.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    /// Waits that ended and found work, by what ended them.
    pub wakeups: Family<WakeupLabels, Counter>,
    /// Operations of a client of the broker, as the semantic conventions name them.
    pub client: ClientMetrics,
    /// Operations of a client of the database, and its waits for a connection.
    pub database: DatabaseMetrics,
    /// What relays do.
    pub relay: RelayMetrics,
    /// What outboxes are like.
    pub outbox: OutboxReadings,
    /// What consumers do.
    pub inbox: InboxMetrics,
    /// What waits behind and beside them.
    pub queues: QueueReadings,
}

impl Metrics {
    /// Measures that show up in this registry.
    #[must_use]
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.announce(
            "gozon_wakeups",
            "Waits that ended and found work, by what was waited for and what ended the wait: a signal within the process, a notification from another, or a poll",
            metrics.wakeups.clone(),
        );
        metrics.client.register(registry);
        metrics.database.register(registry);
        metrics.relay.register(registry);
        metrics.outbox.register(registry);
        metrics.inbox.register(registry);
        metrics.queues.register(registry);
        metrics
    }
}

/// Labels of [`Metrics::wakeups`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct WakeupLabels {
    /// What was waited for.
    pub channel: Channel,
    /// What ended the wait.
    pub source: WokenBy,
}

/// Labels of what is counted per database.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct DatabaseLabels {
    /// The database, by its service's name for it.
    pub database: &'static str,
}

/// Labels of what is counted per queue.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct QueueLabels {
    /// The queue.
    pub queue: &'static str,
}

/// Labels of what is counted per queue and reason.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct DeadLetterLabels {
    /// The queue.
    pub queue: &'static str,
    /// The class of the reason, or `other` for one that only a newer version knows.
    pub reason: &'static str,
}

impl DeadLetterLabels {
    /// Those of a reason that this version knows.
    #[must_use]
    pub const fn new(queue: &'static str, reason: ReasonClass) -> Self {
        Self {
            queue,
            reason: reason.as_str(),
        }
    }
}

impl EncodeLabelValue for Channel {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        EncodeLabelValue::encode(&self.as_str(), encoder)
    }
}

impl EncodeLabelValue for WokenBy {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        let name = match self {
            Self::Signal => "signal",
            Self::Notification => "notification",
            Self::Poll => "poll",
        };
        EncodeLabelValue::encode(&name, encoder)
    }
}
