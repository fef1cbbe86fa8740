//! The measures of one relay, looked up once.

use std::{collections::HashMap, time::Duration};

use contracts::{TraceContext, metrics::SecondsCounter};
use messaging::{
    metrics::{
        ClientMetrics, DatabaseLabels, Destination, Metrics, Operation, PublishLabels, RelayMetrics,
    },
    publisher::{Answer, Publisher},
};
use prometheus_client::metrics::{counter::Counter, gauge::Gauge, histogram::Histogram};
use tokio::time::Instant;

use crate::{planner::Pending, window::Window};

/// The measures of the line to the broker.
#[derive(Debug)]
pub(crate) struct LineMetrics {
    database: &'static str,
    client: ClientMetrics,
    relay: RelayMetrics,
    destinations: HashMap<String, Destination>,
    published_events: Counter,
    window: Gauge,
    unconfirmed: Gauge,
    connected: Gauge,
    blocked: Gauge,
    blocked_seconds: SecondsCounter,
    /// Up to when the time of the present block is counted; none while the broker does not block.
    blocked_until: Option<Instant>,
}

impl LineMetrics {
    pub(crate) fn new(metrics: &Metrics, database: &'static str) -> Self {
        let (relay, labels) = (&metrics.relay, DatabaseLabels { database });
        // Shown as none before the first, which would be no rise otherwise.
        drop(relay.restores.get_or_create(&labels));
        drop(relay.publishes.get_or_create(&PublishLabels {
            database,
            outcome: Answer::Returned.as_str(),
        }));
        Self {
            database,
            client: metrics.client.clone(),
            destinations: HashMap::new(),
            published_events: relay.published_events.get_or_create_owned(&labels),
            window: relay.window.get_or_create_owned(&labels),
            unconfirmed: relay.unconfirmed.get_or_create_owned(&labels),
            connected: relay.connected.get_or_create_owned(&labels),
            blocked: relay.blocked.get_or_create_owned(&labels),
            blocked_seconds: relay.blocked_seconds.get_or_create_owned(&labels),
            blocked_until: None,
            relay: relay.clone(),
        }
    }

    /// The broker answered a message of this type.
    pub(crate) fn answered(
        &mut self,
        kind: &str,
        rows: &[Pending],
        answer: &Answer,
        took: Duration,
    ) {
        let events = u64::try_from(rows.len()).expect("a count fits");
        let labels = PublishLabels {
            database: self.database,
            outcome: answer.as_str(),
        };
        self.relay.publishes.get_or_create(&labels).inc();
        let error_type = match answer {
            Answer::Confirmed => {
                self.published_events.inc_by(events);
                ""
            }
            other => other.as_str(),
        };
        if !self.destinations.contains_key(kind) {
            let destination = Destination::new(&self.client, kind);
            self.destinations.insert(kind.to_owned(), destination);
        }
        // A publish has no trace of its own to be found by: that of its first recorded event leads to it.
        let mut creations = rows.iter().filter_map(|it| it.row.creation.as_deref());
        let trace = creations.next().and_then(TraceContext::parse);
        self.destinations[kind].answered(events, took, error_type, trace);
    }

    /// How the line stands.
    pub(crate) fn stands(
        &mut self,
        publisher: Option<&Publisher>,
        window: &Window,
        unconfirmed: usize,
    ) {
        self.window.set(small(window.size()));
        self.unconfirmed.set(small(unconfirmed));
        let is_usable = publisher.is_some_and(Publisher::is_usable);
        self.connected.set(i64::from(is_usable));
        let is_blocked = is_usable && publisher.is_some_and(Publisher::is_blocked);
        self.blocked.set(i64::from(is_blocked));
        let now = Instant::now();
        if let Some(since) = self.blocked_until.take() {
            self.blocked_seconds.inc_by((now - since).as_secs_f64());
        }
        self.blocked_until = is_blocked.then_some(now);
    }
}

/// The times of a relay's statements.
#[derive(Debug)]
pub(crate) struct Durations {
    pub(crate) read: Histogram,
    pub(crate) write_back: Histogram,
    pub(crate) append_log: Histogram,
}

impl Durations {
    pub(crate) fn new(metrics: &Metrics, database: &'static str) -> Self {
        let of = |operation| metrics.database.operation(database, operation);
        Self {
            read: of(Operation::ReadOutbox),
            write_back: of(Operation::WriteBack),
            append_log: of(Operation::AppendPublishLog),
        }
    }
}

fn small(count: usize) -> i64 {
    i64::try_from(count).expect("a window is small")
}
