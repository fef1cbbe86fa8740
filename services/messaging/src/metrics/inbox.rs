//! What consumers do, and what waits before and behind them.

use contracts::metrics::{Announce, Histograms, Readings};
use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};

use super::{DeadLetterLabels, QueueLabels};

/// Upper bounds of the events in a batch.
const BATCH_EVENTS: [f64; 10] = [
    1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1_000.0,
];

/// What consumers do; clones measure together.
#[derive(Debug, Clone)]
pub struct InboxMetrics {
    /// Events taken up, by what became of them.
    pub messages: Family<InboxLabels, Counter>,
    /// Events taken from a queue together.
    pub batch_events: Histograms<QueueLabels>,
    /// Dead letters written.
    pub dead_letters_written: Family<DeadLetterLabels, Counter>,
    /// 1 while a consumer takes nothing because its database is away.
    pub paused: Family<QueueLabels, Gauge>,
    /// 1 while a consumer has a connection to the broker.
    pub connected: Family<QueueLabels, Gauge>,
    /// Deliveries that a consumer has taken up and not acknowledged.
    pub unacknowledged: Family<QueueLabels, Gauge>,
}

/// Labels of [`InboxMetrics::messages`].
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

impl Default for InboxMetrics {
    fn default() -> Self {
        Self {
            messages: Family::default(),
            batch_events: Histograms::new_with_constructor(|| Histogram::new(BATCH_EVENTS)),
            dead_letters_written: Family::default(),
            paused: Family::default(),
            connected: Family::default(),
            unacknowledged: Family::default(),
        }
    }
}

impl InboxMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.announce(
            "gozon_inbox_messages",
            "Events taken from a queue, by what became of them: fresh, duplicate, deferred or dead_letter",
            self.messages.clone(),
        );
        registry.announce(
            "gozon_inbox_batch_events",
            "Events taken from a queue together",
            self.batch_events.clone(),
        );
        registry.announce(
            "gozon_dead_letters_written",
            "Messages that became dead letters, by queue and reason",
            self.dead_letters_written.clone(),
        );
        registry.announce(
            "gozon_consumer_paused",
            "1 while a consumer takes nothing because its database is away",
            self.paused.clone(),
        );
        registry.announce(
            "gozon_consumer_connected",
            "1 while a consumer has a connection to the broker",
            self.connected.clone(),
        );
        registry.announce(
            "gozon_consumer_unacknowledged_messages",
            "AMQP messages that a consumer has taken up and not acknowledged yet",
            self.unacknowledged.clone(),
        );
    }
}

/// Readings of what waits; clones show together.
#[derive(Debug, Clone, Default)]
pub struct QueueReadings {
    /// Dead letters, up to a limit.
    pub dead_letters: Readings<DeadLetterLabels>,
    /// The age of the oldest of them.
    pub oldest_dead_letter_age: Readings<DeadLetterLabels, f64>,
    /// Events that wait for another attempt, up to a limit.
    pub deferred: Readings<QueueLabels>,
    /// Messages in the broker's queues.
    pub ready: Readings<QueueLabels>,
    /// Consumers of the broker's queues.
    pub consumers: Readings<QueueLabels>,
}

impl QueueReadings {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.announce(
            "gozon_dead_letters",
            "Dead letters that are kept, of the whole database, by queue and reason; the oldest 10,000 are counted",
            self.dead_letters.clone(),
        );
        registry.announce_in(
            Unit::Seconds,
            "gozon_dead_letters_oldest_age",
            "Age of the oldest dead letter, by queue and reason",
            self.oldest_dead_letter_age.clone(),
        );
        registry.announce(
            "gozon_deferred_events",
            "Events of the whole database that wait for another attempt, counted up to 10,000",
            self.deferred.clone(),
        );
        registry.announce(
            "gozon_queue_ready_messages",
            "AMQP messages in the broker's queue that are ready to be delivered, as the relay that fills it sees it",
            self.ready.clone(),
        );
        registry.announce(
            "gozon_queue_consumers",
            "Consumers of the broker's queue, as the relay that fills it sees it",
            self.consumers.clone(),
        );
    }

    /// The dead letters and deferred events of a queue cannot be read.
    pub fn withdraw_rows(&self, queue: &'static str) {
        self.dead_letters.withdraw(queue);
        self.oldest_dead_letter_age.withdraw(queue);
        self.deferred.withdraw(queue);
    }

    /// A queue of the broker cannot be looked at.
    pub fn withdraw_queue(&self, queue: &'static str) {
        self.ready.withdraw(queue);
        self.consumers.withdraw(queue);
    }
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
