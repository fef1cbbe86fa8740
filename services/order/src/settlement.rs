//! Settlement: what the payment service decided becomes the status of the orders, a batch at a time.

mod decide;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use contracts::{DeclineReason, Message, OrderId, PaymentCaptured, PaymentDeclined, TraceContext};
use messaging::{
    consumer::{Discard, Event, Handler, Received, Unsettled},
    doorbell::Doorbell,
    failure::{Failure, ReasonClass, Rejection},
    topology::{self, Queue},
};
use sqlx::PgTransaction;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    metrics::Metrics,
    order::to_stored_precision,
    status::{Outcome, Status},
    storage::settle::{self, Decision},
};

/// The handler of the payment service's decisions.
#[derive(Debug)]
pub struct Settlement {
    status_bell: Doorbell,
    metrics: Metrics,
}

/// An order that was decided, for its metrics.
#[derive(Debug, Clone, Copy)]
pub struct Decided {
    pub(crate) status: Status,
    pub(crate) reason: Option<DeclineReason>,
    pub(crate) placed_at: OffsetDateTime,
    /// Its trace, if that is recorded.
    pub(crate) trace: Option<TraceContext>,
}

/// A decision of the payment service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentDecision {
    /// The order it is about.
    pub(crate) order_id: OrderId,
    /// What was decided.
    pub(crate) outcome: Outcome,
    /// When the payment service took the request up, if it says so.
    pub(crate) received_at: Option<OffsetDateTime>,
    /// When it decided.
    pub(crate) decided_at: OffsetDateTime,
}

/// Fewer orders were NEW than were locked as NEW.
#[derive(Debug, thiserror::Error)]
#[error("{decided} orders were to be decided and {changed} were changed")]
struct LostGuard {
    decided: usize,
    changed: usize,
}

impl Settlement {
    /// A handler that rings this doorbell after each commit.
    #[must_use]
    pub const fn new(status_bell: Doorbell, metrics: Metrics) -> Self {
        Self {
            status_bell,
            metrics,
        }
    }
}

impl Handler for Settlement {
    type Message = PaymentDecision;
    type Effect = Vec<Decided>;
    const QUEUE: Queue = topology::ORDER_PAYMENTS;

    fn decode(&self, event: &Event<'_>) -> Result<PaymentDecision, Rejection> {
        let decision = match &*event.kind {
            PaymentCaptured::TYPE => event.decode::<PaymentCaptured>()?.into(),
            PaymentDeclined::TYPE => event.decode::<PaymentDeclined>()?.into(),
            unknown => {
                return Err(Rejection::new(
                    ReasonClass::UnknownType,
                    format!("the order service knows no event of type {unknown:?}"),
                ));
            }
        };
        Ok(decision)
    }

    async fn settle(
        &self,
        tx: &mut PgTransaction<'_>,
        batch: &[Received<PaymentDecision>],
    ) -> Result<(Vec<Unsettled>, Vec<Decided>), Failure> {
        let now = to_stored_precision(OffsetDateTime::now_utc());
        // Nearly every event is the first about an order that is NEW: that is tried, and only where it turns out
        // otherwise is the order looked at.
        let mut firsts = BTreeMap::new();
        for (index, received) in batch.iter().enumerate() {
            firsts.entry(received.message.order_id).or_insert(index);
        }
        let decisions: Vec<_> = firsts
            .values()
            .filter_map(|index| decide::of_new(&batch[*index].message))
            .collect();
        let recorded: settle::Recorded = batch
            .iter()
            .filter(|received| received.trace.is_sampled())
            .map(|received| (received.message.order_id, received.trace))
            .collect();
        let applied: HashSet<OrderId> = settle::apply(tx, &decisions, &recorded, now)
            .await?
            .into_iter()
            .collect();
        let settled: HashSet<usize> = applied
            .iter()
            .filter_map(|order_id| firsts.get(order_id).copied())
            .collect();
        let others = batch
            .iter()
            .map(|received| &received.message)
            .enumerate()
            .filter(|(index, _)| !settled.contains(index));
        let (unsettled, late) = look_at(tx, others.collect(), &recorded, now).await?;
        let decided = decisions
            .iter()
            .filter(|decision| applied.contains(&decision.order_id))
            .chain(&late)
            .map(|decision| Decided::of(decision, &recorded))
            .collect();
        Ok((unsettled, decided))
    }

    /// What the payment service decided is the truth about somebody's money: the order must learn it.
    async fn discard(
        &self,
        _tx: &mut PgTransaction<'_>,
        received: &Received<PaymentDecision>,
    ) -> Result<Discard, Failure> {
        Ok(Discard::Refused(format!(
            "it is a valid decision about the payment of order {}: restore the order and redrive it",
            received.message.order_id
        )))
    }

    fn committed(&self, decided: Vec<Decided>) {
        self.status_bell.ring();
        self.metrics.decided(&decided, OffsetDateTime::now_utc());
    }
}

/// Settles events whose orders are not NEW any more, or were not there a moment ago; says what it could not settle, and what
/// it has decided.
async fn look_at(
    tx: &mut PgTransaction<'_>,
    events: Vec<(usize, &PaymentDecision)>,
    recorded: &settle::Recorded,
    now: OffsetDateTime,
) -> Result<(Vec<Unsettled>, Vec<Decision>), Failure> {
    if events.is_empty() {
        return Ok((Vec::new(), Vec::new()));
    }
    let ids: BTreeSet<Uuid> = events
        .iter()
        .map(|(_, event)| event.order_id.as_uuid())
        .collect();
    let standings = settle::lock(tx, &Vec::from_iter(ids)).await?;
    let verdict = decide::decide(standings, events.into_iter());
    if !verdict.decisions.is_empty() {
        let decided = verdict.decisions.len();
        let changed = settle::apply(tx, &verdict.decisions, recorded, now)
            .await?
            .len();
        if changed != decided {
            return Err(Failure::Transient(Box::new(LostGuard { decided, changed })));
        }
    }
    Ok((verdict.unsettled, verdict.decisions))
}

impl Decided {
    /// An order's id was made when it was placed, and says when to the millisecond.
    fn of(decision: &Decision, recorded: &settle::Recorded) -> Self {
        let made = decision.order_id.as_uuid().get_timestamp();
        let placed_at = made.and_then(|made| {
            let (seconds, nanoseconds) = made.to_unix();
            let nanoseconds = i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds);
            OffsetDateTime::from_unix_timestamp_nanos(nanoseconds).ok()
        });
        Self {
            status: decision.status,
            reason: decision.reason,
            placed_at: placed_at.unwrap_or(decision.payment_decided_at),
            trace: recorded.get(&decision.order_id).copied(),
        }
    }
}

impl From<PaymentCaptured> for PaymentDecision {
    fn from(captured: PaymentCaptured) -> Self {
        Self {
            order_id: captured.order_id,
            outcome: Outcome::Captured,
            received_at: captured.received_at,
            decided_at: captured.decided_at,
        }
    }
}

impl From<PaymentDeclined> for PaymentDecision {
    fn from(declined: PaymentDeclined) -> Self {
        Self {
            order_id: declined.order_id,
            outcome: Outcome::Declined(declined.reason),
            received_at: declined.received_at,
            decided_at: declined.decided_at,
        }
    }
}
