//! Operations of a client of the broker, by OpenTelemetry's semantic conventions for messaging. The system is left out: it
//! is always `RabbitMQ`.

use std::time::Duration;

use contracts::{
    TraceContext,
    metrics::{Announce, TracedHistogram, TracedHistograms, observe, short_traced},
};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::{Registry, Unit},
};

use crate::topology::{EXCHANGE, Queue};

/// What stands for every event type that a queue is not bound to.
const OTHER: &str = "_OTHER";

/// Operations of a client of the broker; clones measure together.
#[derive(Debug, Clone)]
pub struct ClientMetrics {
    durations: TracedHistograms<Failing>,
    sent: Family<Failing, Counter>,
    consumed: Family<Done, Counter>,
    processing: TracedHistograms<Failing>,
}

/// Labels of what may fail.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
#[allow(
    clippy::struct_field_names,
    reason = "the semantic conventions name them so"
)]
struct Failing {
    messaging_operation_name: &'static str,
    messaging_destination_name: String,
    error_type: &'static str,
}

/// Labels of what is counted once it is done.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Done {
    messaging_operation_name: &'static str,
    messaging_destination_name: String,
}

impl Default for ClientMetrics {
    fn default() -> Self {
        Self {
            durations: TracedHistograms::new_with_constructor(short_traced),
            sent: Family::default(),
            consumed: Family::default(),
            processing: TracedHistograms::new_with_constructor(short_traced),
        }
    }
}

impl ClientMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.announce_in(
            Unit::Seconds,
            "messaging_client_operation_duration",
            "Time of an operation at the broker: publish from sending an AMQP message to its answer, settle from acknowledging to the frame's being written",
            self.durations.clone(),
        );
        registry.announce(
            "messaging_client_sent_messages",
            "Events sent to the broker and answered, those of a message sent again included",
            self.sent.clone(),
        );
        registry.announce(
            "messaging_client_consumed_messages",
            "Events taken from a queue, repeated deliveries included",
            self.consumed.clone(),
        );
        registry.announce_in(
            Unit::Seconds,
            "messaging_process_duration",
            "Time of an attempt at an event, from when it was taken up to the commit or the failure of its transaction",
            self.processing.clone(),
        );
    }
}

/// Where messages of one type are published.
#[derive(Debug)]
pub struct Destination {
    metrics: ClientMetrics,
    name: String,
    confirmed: TracedHistogram,
    sent: Counter,
}

impl Destination {
    /// Of an event type.
    #[must_use]
    pub fn new(metrics: &ClientMetrics, kind: &str) -> Self {
        let name = publish_destination(kind);
        let labels = failing("publish", &name, "");
        Self {
            metrics: metrics.clone(),
            confirmed: metrics.durations.get_or_create_owned(&labels),
            sent: metrics.sent.get_or_create_owned(&labels),
            name,
        }
    }

    /// A message of so many events was confirmed, or was not for a reason of this class.
    pub fn answered(
        &self,
        events: u64,
        took: Duration,
        error_type: &'static str,
        trace: Option<TraceContext>,
    ) {
        if error_type.is_empty() {
            self.sent.inc_by(events);
            observe(&self.confirmed, took, trace);
            return;
        }
        let labels = failing("publish", &self.name, error_type);
        self.metrics.sent.get_or_create(&labels).inc_by(events);
        let durations = self.metrics.durations.get_or_create_owned(&labels);
        observe(&durations, took, trace);
    }
}

/// What a consumer of one queue does with events.
#[derive(Debug)]
pub struct Process {
    metrics: ClientMetrics,
    settled: TracedHistogram,
    kinds: Vec<Kind>,
}

#[derive(Debug)]
struct Kind {
    name: &'static str,
    destination: String,
    consumed: Counter,
    processed: TracedHistogram,
}

impl Process {
    /// Of a queue.
    #[must_use]
    pub fn new(metrics: &ClientMetrics, queue: Queue) -> Self {
        let kinds = queue.bindings.iter().copied().chain([OTHER]);
        let kinds = kinds.map(|name| {
            let destination = process_destination(name, queue);
            let consumed = Done {
                messaging_operation_name: "consume",
                messaging_destination_name: destination.clone(),
            };
            let processed = failing("process", &destination, "");
            Kind {
                name,
                consumed: metrics.consumed.get_or_create_owned(&consumed),
                processed: metrics.processing.get_or_create_owned(&processed),
                destination,
            }
        });
        // What is acknowledged together may be of several types.
        let settled = failing("settle", queue.name, "");
        Self {
            metrics: metrics.clone(),
            settled: metrics.durations.get_or_create_owned(&settled),
            kinds: kinds.collect(),
        }
    }

    /// Events of these types were taken from the queue.
    pub fn consumed<'k>(&self, kinds: impl Iterator<Item = Option<&'k str>>) {
        let mut counts = vec![0; self.kinds.len()];
        for kind in kinds {
            counts[self.place(kind)] += 1;
        }
        for (kind, count) in self.kinds.iter().zip(counts) {
            if count > 0 {
                kind.consumed.inc_by(count);
            }
        }
    }

    /// An attempt at an event of this type ended, well or for a reason of this class.
    pub fn processed(
        &self,
        kind: Option<&str>,
        took: Duration,
        error_type: &'static str,
        trace: Option<TraceContext>,
    ) {
        let kind = &self.kinds[self.place(kind)];
        if error_type.is_empty() {
            observe(&kind.processed, took, trace);
            return;
        }
        let labels = failing("process", &kind.destination, error_type);
        let processed = self.metrics.processing.get_or_create_owned(&labels);
        observe(&processed, took, trace);
    }

    /// Deliveries were acknowledged.
    pub fn acknowledged(&self, took: Duration) {
        observe(&self.settled, took, None);
    }

    /// Where the measures of a type are; the last place is that of all which the queue is not bound to.
    fn place(&self, kind: Option<&str>) -> usize {
        let known = &self.kinds[..self.kinds.len() - 1];
        known
            .iter()
            .position(|known| Some(known.name) == kind)
            .unwrap_or(known.len())
    }
}

/// A destination as the conventions put it together for `RabbitMQ`: exchange and routing key.
#[must_use]
pub fn publish_destination(kind: &str) -> String {
    format!("{EXCHANGE}:{kind}")
}

/// The same for a consumer, with its queue behind them.
#[must_use]
pub fn process_destination(kind: &str, queue: Queue) -> String {
    format!("{}:{}", publish_destination(kind), queue.name)
}

fn failing(operation: &'static str, destination: &str, error_type: &'static str) -> Failing {
    Failing {
        messaging_operation_name: operation,
        messaging_destination_name: destination.to_owned(),
        error_type,
    }
}
