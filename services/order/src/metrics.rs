//! What the order service measures.

use std::time::Duration;

use contracts::{
    DeclineReason, TraceContext,
    metrics::{Announce, Readings, TracedHistogram, Unlabelled, observe, short_traced},
};
use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder},
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::{Registry, Unit},
};
use time::OffsetDateTime;

use crate::{
    load::Overload,
    push::peer::End,
    settlement::{Decided, Settled},
    status::Status,
};

/// Upper bounds, in seconds, of the time from placed to decided. One of them is the objective's second.
const SETTLE_SECONDS: [f64; 13] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
];

/// The one source of readings that every replica has of its own.
const REPLICA: &str = "replica";

/// The measures; clones measure together.
#[derive(Debug, Clone)]
pub struct Metrics {
    /// Orders placed.
    pub placed_orders: Counter,
    decided_orders: Family<DecidedLabels, Counter>,
    settle_duration: TracedHistogram,
    /// Refunds of orders that their owners gave up.
    pub requested_refunds: Counter,
    refunded_orders: Counter,
    /// Sockets of the event stream that are open.
    pub sockets: Gauge,
    closed_sockets: Family<ClosedLabels, Counter>,
    pushed_orders: Counter,
    push_lag: TracedHistogram,
    undecided_orders: Readings<Unlabelled>,
    /// Requests for an order that were refused because too much was under way, by the limit they met.
    pub shed_requests: Family<ShedLabels, Counter>,
    /// Requests for payment or refund that the reconciler repeated.
    pub reconciled_orders: Counter,
    stuck_orders: Readings<StuckLabels>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            placed_orders: Counter::default(),
            decided_orders: Family::default(),
            settle_duration: TracedHistogram::new(SETTLE_SECONDS.into_iter()),
            requested_refunds: Counter::default(),
            refunded_orders: Counter::default(),
            sockets: Gauge::default(),
            closed_sockets: Family::default(),
            pushed_orders: Counter::default(),
            push_lag: short_traced(),
            undecided_orders: Readings::default(),
            shed_requests: Family::default(),
            reconciled_orders: Counter::default(),
            stuck_orders: Readings::default(),
        }
    }
}

impl Metrics {
    /// Measures that show up in this registry. What has few labels is there from the start, so that the first of a kind is
    /// an increase.
    #[must_use]
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        metrics.register_orders(registry);
        metrics.register_push(registry);
        metrics.register_load(registry);
        for reason in DeclineReason::ALL.map(Some).into_iter().chain([None]) {
            let status = reason.map_or(Status::Finished, |_| Status::Cancelled);
            metrics.of(status, reason).inc_by(0);
        }
        for reason in Overload::ALL {
            let labels = ShedLabels { reason };
            metrics.shed_requests.get_or_create(&labels).inc_by(0);
        }
        metrics
    }

    fn register_orders(&self, registry: &mut Registry) {
        registry.announce(
            "gozon_orders_placed",
            "Orders placed, each once however often its request came",
            self.placed_orders.clone(),
        );
        registry.announce(
            "gozon_orders_decided",
            "Orders that left NEW, by the status they took and, where cancelled, the reason",
            self.decided_orders.clone(),
        );
        registry.announce_in(
            Unit::Seconds,
            "gozon_order_settle_duration",
            "Time from when an order was placed to when its decision was committed, by the clocks of the replicas that did either",
            self.settle_duration.clone(),
        );
        registry.announce(
            "gozon_refunds_requested",
            "Paid orders that their owners cancelled and whose money was asked for, each once however often its request came",
            self.requested_refunds.clone(),
        );
        registry.announce(
            "gozon_orders_refunded",
            "Orders that were cancelled because their money was given back",
            self.refunded_orders.clone(),
        );
        registry.announce(
            "gozon_reconciled_orders",
            "Requests for payment or refund repeated because their order was NEW or REFUNDING for too long",
            self.reconciled_orders.clone(),
        );
        registry.announce(
            "gozon_stuck_orders",
            "Orders that are NEW or REFUNDING for too long, as the replica that reconciles sees them; 0 on the others",
            self.stuck_orders.clone(),
        );
    }

    fn register_push(&self, registry: &mut Registry) {
        registry.announce(
            "gozon_event_sockets",
            "Open sockets of the event stream",
            self.sockets.clone(),
        );
        registry.announce(
            "gozon_event_sockets_closed",
            "Sockets of the event stream that ended: gone (the client left or could not be reached), stopping (this process stopped) or try_again (the client was too slow, or the database was away)",
            self.closed_sockets.clone(),
        );
        registry.announce(
            "gozon_pushed_orders",
            "States of orders written to sockets, openings not counted",
            self.pushed_orders.clone(),
        );
        registry.announce_in(
            Unit::Seconds,
            "gozon_push_lag",
            "Time from when an order took a status to when that was written to a socket; one that is NEW is held back for up to 0.4 s, for its decision to come along",
            self.push_lag.clone(),
        );
    }

    fn register_load(&self, registry: &mut Registry) {
        registry.announce(
            "gozon_undecided_orders",
            "Orders of the whole database that are NEW, as this replica's tail counts them",
            self.undecided_orders.clone(),
        );
        registry.announce(
            "gozon_shed_requests",
            "Requests for an order refused because too much was under way, by the limit they met",
            self.shed_requests.clone(),
        );
    }

    /// Decisions and refunds were committed at this instant.
    pub(crate) fn settled(&self, settled: &Settled, now: OffsetDateTime) {
        self.decided(&settled.decided, now);
        self.refunded_orders.inc_by(settled.refunded);
    }

    fn decided(&self, orders: &[Decided], now: OffsetDateTime) {
        let mut counts: Vec<((Status, Option<DeclineReason>), u64)> = Vec::new();
        for order in orders {
            let kind = (order.status, order.reason);
            match counts.iter_mut().find(|(counted, _)| *counted == kind) {
                Some((_, count)) => *count += 1,
                None => counts.push((kind, 1)),
            }
            let took = since(order.placed_at, now);
            observe(&self.settle_duration, took, order.trace);
        }
        for ((status, reason), count) in counts {
            self.of(status, reason).inc_by(count);
        }
    }

    /// A state that an order took then was written to a socket.
    pub(crate) fn pushed(&self, taken_at: OffsetDateTime, trace: Option<TraceContext>) {
        self.pushed_orders.inc();
        let lag = since(taken_at, OffsetDateTime::now_utc());
        observe(&self.push_lag, lag, trace);
    }

    pub(crate) fn closed(&self, end: End) {
        let labels = ClosedLabels {
            reason: end.as_str(),
        };
        self.closed_sockets.get_or_create(&labels).inc();
    }

    /// The number of undecided orders; none while it cannot be known.
    pub(crate) fn show_undecided(&self, orders: Option<i64>) {
        match orders {
            Some(orders) => self.undecided_orders.show(REPLICA, [(Unlabelled, orders)]),
            None => self.undecided_orders.withdraw(REPLICA),
        }
    }

    /// The number of undecided orders, as shown.
    #[must_use]
    pub fn undecided(&self) -> Option<i64> {
        let shown = self.undecided_orders.shown();
        shown.first().map(|(_, orders)| *orders)
    }

    /// The stuck orders that will be tried again, and those that will not.
    pub(crate) fn show_stuck(&self, to_retry: i64, given_up: i64) {
        let states = [
            (StuckState::ToRetry, to_retry),
            (StuckState::GivenUp, given_up),
        ];
        let states = states.map(|(state, orders)| (StuckLabels { state }, orders));
        self.stuck_orders.show(REPLICA, states);
    }

    pub(crate) fn withdraw_stuck(&self) {
        self.stuck_orders.withdraw(REPLICA);
    }

    fn of(&self, status: Status, reason: Option<DeclineReason>) -> Counter {
        self.decided_orders.get_or_create_owned(&DecidedLabels {
            status: status.as_str(),
            reason: reason.map_or("", DeclineReason::as_str),
        })
    }
}

/// The time between two instants, which may be of two clocks: never below zero.
fn since(earlier: OffsetDateTime, now: OffsetDateTime) -> Duration {
    Duration::try_from(now - earlier).unwrap_or_default()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DecidedLabels {
    status: &'static str,
    reason: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ClosedLabels {
    reason: &'static str,
}

/// Labels of [`Metrics::shed_requests`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ShedLabels {
    /// The limit that was met.
    pub reason: Overload,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StuckLabels {
    state: StuckState,
}

/// What is to become of a stuck order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum StuckState {
    /// Its request will be repeated.
    ToRetry,
    /// It had its last attempt.
    GivenUp,
}

impl EncodeLabelValue for StuckState {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        let name = match self {
            Self::ToRetry => "to_retry",
            Self::GivenUp => "given_up",
        };
        EncodeLabelValue::encode(&name, encoder)
    }
}

impl EncodeLabelValue for Overload {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        EncodeLabelValue::encode(&self.as_str(), encoder)
    }
}
