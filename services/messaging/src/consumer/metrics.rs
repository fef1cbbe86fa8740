//! The measures of one queue's consumer, looked up once.

use prometheus_client::metrics::{counter::Counter, gauge::Gauge, histogram::Histogram};
use tokio::time::Duration;

use super::{Entry, settle::Fate};
use crate::{
    failure::{Failure, ReasonClass},
    metrics::{
        DeadLetterLabels, InboxLabels, InboxOutcome, Metrics, Operation, Process, QueueLabels,
    },
    topology::Queue,
};

/// The measures of a queue's consumer.
#[derive(Debug)]
pub(super) struct QueueMetrics {
    queue: &'static str,
    all: Metrics,
    process: Process,
    pub(super) fresh: Counter,
    pub(super) duplicates: Counter,
    pub(super) deferred: Counter,
    dead: Counter,
    batch_events: Histogram,
    /// Times of its transactions.
    pub(super) settling: Histogram,
    pub(super) paused: Gauge,
    pub(super) connected: Gauge,
    pub(super) unacknowledged: Gauge,
}

impl QueueMetrics {
    pub(super) fn new(all: Metrics, queue: Queue) -> Self {
        let labels = QueueLabels { queue: queue.name };
        let inbox = &all.inbox;
        let outcome = |outcome| {
            let queue = queue.name;
            inbox
                .messages
                .get_or_create_owned(&InboxLabels { queue, outcome })
        };
        Self {
            queue: queue.name,
            process: Process::new(&all.client, queue),
            fresh: outcome(InboxOutcome::Fresh),
            duplicates: outcome(InboxOutcome::Duplicate),
            deferred: outcome(InboxOutcome::Deferred),
            dead: outcome(InboxOutcome::DeadLetter),
            batch_events: inbox.batch_events.get_or_create_owned(&labels),
            settling: all.database.operation(queue.database, Operation::Settle),
            paused: inbox.paused.get_or_create_owned(&labels),
            connected: inbox.connected.get_or_create_owned(&labels),
            unacknowledged: inbox.unacknowledged.get_or_create_owned(&labels),
            all,
        }
    }

    /// Events are about to be settled, some of which may have been counted at an earlier attempt.
    pub(super) fn took<T>(&self, entries: &[Entry<'_, T>]) {
        let new = || {
            let new = entries.iter().filter(|it| it.parcel.origin.is_new());
            new.map(|entry| entry.parcel.kind.as_deref())
        };
        let events = u32::try_from(new().count()).unwrap_or(u32::MAX);
        if events > 0 {
            self.batch_events.observe(f64::from(events));
            self.process.consumed(new());
        }
    }

    /// A transaction was committed.
    pub(super) fn committed<T>(&self, held: &[&Entry<'_, T>], fates: &[Fate<'_>]) {
        for (entry, fate) in held.iter().zip(fates) {
            let error_type = match fate {
                Fate::Settled | Fate::Duplicate | Fate::Later(_) => "",
                Fate::Dead(rejection) => rejection.class.as_str(),
            };
            self.processed(entry, error_type);
        }
    }

    /// A transaction failed.
    pub(super) fn failed<T>(&self, entries: &[Entry<'_, T>], failure: &Failure) {
        for entry in entries {
            self.processed(entry, failure.class());
        }
    }

    /// An attempt at an event ended, which took since it was taken up.
    fn processed<T>(&self, entry: &Entry<'_, T>, error_type: &'static str) {
        let parcel = &entry.parcel;
        let took = parcel.origin.taken_up().elapsed();
        let kind = parcel.kind.as_deref();
        self.process.processed(kind, took, error_type, parcel.trace);
    }

    /// Something became a dead letter.
    pub(super) fn dead_letter(&self, reason: ReasonClass) {
        self.dead.inc();
        let labels = DeadLetterLabels::new(self.queue, reason);
        let written = &self.all.inbox.dead_letters_written;
        written.get_or_create(&labels).inc();
    }

    /// Deliveries were acknowledged.
    pub(super) fn acknowledged(&self, took: Duration) {
        self.process.acknowledged(took);
        self.unacknowledged.set(0);
    }

    pub(super) fn holds(&self, deliveries: usize) {
        let deliveries = i64::try_from(deliveries).expect("a prefetch fits");
        self.unacknowledged.set(deliveries);
    }
}
