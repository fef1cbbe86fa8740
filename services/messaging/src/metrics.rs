//! What the messaging core counts.

use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder},
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

use crate::{
    doorbell::{Channel, WokenBy},
    failure::ReasonClass,
};

/// The counters; clones count together.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    /// Waits that ended and found work, by what ended them.
    pub wakeups: Family<WakeupLabels, Counter>,
    /// AMQP messages published, by the broker's answer.
    pub publishes: Family<PublishLabels, Counter>,
    /// Events the broker confirmed.
    pub published_events: Family<DatabaseLabels, Counter>,
    /// Lanes this process owns.
    pub lanes_owned: Family<DatabaseLabels, Gauge>,
    /// For how many days to come the outbox has partitions.
    pub partitions_ahead: Family<DatabaseLabels, Gauge>,
    /// Times that the outbox was found to be of another cluster, and everything retained was published again.
    pub outbox_restores: Family<DatabaseLabels, Counter>,
    /// Events taken from a queue, by what became of them.
    pub inbox_messages: Family<InboxLabels, Counter>,
    /// Dead letters written.
    pub dead_letters: Family<DeadLetterLabels, Counter>,
    /// Events that wait for another attempt, counted up to a limit.
    pub deferred: Family<QueueLabels, Gauge>,
    /// 1 while a consumer takes nothing because its database is away.
    pub consumer_paused: Family<QueueLabels, Gauge>,
}

impl Metrics {
    /// Counters that show up in this registry.
    #[must_use]
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register(
            "gozon_wakeups",
            "Waits that ended and found work, by what ended them",
            metrics.wakeups.clone(),
        );
        registry.register(
            "gozon_relay_publishes",
            "AMQP messages published, by the broker's answer",
            metrics.publishes.clone(),
        );
        registry.register(
            "gozon_relay_published_events",
            "Events confirmed by the broker",
            metrics.published_events.clone(),
        );
        registry.register(
            "gozon_relay_lanes_owned",
            "Outbox lanes owned by a relay",
            metrics.lanes_owned.clone(),
        );
        registry.register(
            "gozon_outbox_partitions_ahead",
            "Days to come for which the outbox has partitions",
            metrics.partitions_ahead.clone(),
        );
        registry.register(
            "gozon_outbox_restores",
            "Times the outbox was found restored from another cluster and published again",
            metrics.outbox_restores.clone(),
        );
        registry.register(
            "gozon_inbox_messages",
            "Events taken from a queue, by outcome",
            metrics.inbox_messages.clone(),
        );
        registry.register(
            "gozon_dead_letters_written",
            "Messages that became dead letters, by queue and reason",
            metrics.dead_letters.clone(),
        );
        registry.register(
            "gozon_deferred_events",
            "Events that wait for another attempt, counted up to 10,000",
            metrics.deferred.clone(),
        );
        registry.register(
            "gozon_consumer_paused",
            "1 while a consumer takes nothing because its database is away",
            metrics.consumer_paused.clone(),
        );
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

/// Labels of [`Metrics::publishes`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct PublishLabels {
    /// The database whose outbox it came from.
    pub database: &'static str,
    /// The broker's answer.
    pub outcome: &'static str,
}

/// Labels of what is counted per database.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct DatabaseLabels {
    /// The database whose outbox it came from.
    pub database: &'static str,
}

/// Labels of [`Metrics::inbox_messages`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct InboxLabels {
    /// The queue.
    pub queue: &'static str,
    /// What became of it.
    pub outcome: InboxOutcome,
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InboxOutcome {
    /// Settled for the first time.
    Fresh,
    /// Settled before: nothing happened.
    Duplicate,
    /// Put off until another attempt.
    Deferred,
    /// Became a dead letter.
    DeadLetter,
}

/// Labels of what is counted per queue.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct QueueLabels {
    /// The queue.
    pub queue: &'static str,
}

/// Labels of [`Metrics::dead_letters`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct DeadLetterLabels {
    /// The queue.
    pub queue: &'static str,
    /// Why.
    pub reason: ReasonClass,
}

impl EncodeLabelValue for InboxOutcome {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        let name = match self {
            Self::Fresh => "fresh",
            Self::Duplicate => "duplicate",
            Self::Deferred => "deferred",
            Self::DeadLetter => "dead_letter",
        };
        EncodeLabelValue::encode(&name, encoder)
    }
}

impl EncodeLabelValue for Channel {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        EncodeLabelValue::encode(&self.as_str(), encoder)
    }
}

impl EncodeLabelValue for ReasonClass {
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
