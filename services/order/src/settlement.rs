//! Settlement: what the payment service decided or gave back becomes the status of the orders, a batch at a time.

mod decide;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use contracts::{
    DeclineReason, Message, OrderId, PaymentCaptured, PaymentDeclined, PaymentRefunded,
    TraceContext,
};
use messaging::{
    consumer::{Discard, Event, Handler, Received, Unsettled},
    doorbell::Doorbell,
    failure::{Failure, ReasonClass, Rejection},
    topology::{self, Queue},
};
use sqlx::PgTransaction;
use time::OffsetDateTime;
use uuid::Uuid;

use self::decide::Heard;
use crate::{
    metrics::Metrics,
    order::to_stored_precision,
    status::{Outcome, Reason, State, Status},
    storage::settle::{self, Decision},
};

/// The handler of the payment service's decisions and refunds.
#[derive(Debug)]
pub struct Settlement {
    status_bell: Doorbell,
    metrics: Metrics,
}

/// What a batch did to orders, for the metrics.
#[derive(Debug, Default)]
pub struct Settled {
    /// Those that left NEW.
    pub(crate) decided: Vec<Decided>,
    /// How many were cancelled because their money was back.
    pub(crate) refunded: u64,
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

/// A decision of the payment service, or its refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentDecision {
    /// The order it is about.
    pub(crate) order_id: OrderId,
    /// What was decided.
    pub(crate) outcome: Outcome,
    /// When the payment service took the request up, if it says so.
    pub(crate) received_at: Option<OffsetDateTime>,
    /// When it decided, or gave the money back.
    pub(crate) decided_at: OffsetDateTime,
}

/// Fewer orders had their status than were locked with it.
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
    type Effect = Settled;
    const QUEUE: Queue = topology::ORDER_PAYMENTS;

    fn decode(&self, event: &Event<'_>) -> Result<PaymentDecision, Rejection> {
        let decision = match &*event.kind {
            PaymentCaptured::TYPE => event.decode::<PaymentCaptured>()?.into(),
            PaymentDeclined::TYPE => event.decode::<PaymentDeclined>()?.into(),
            PaymentRefunded::TYPE => event.decode::<PaymentRefunded>()?.into(),
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
    ) -> Result<(Vec<Unsettled>, Settled), Failure> {
        let now = to_stored_precision(OffsetDateTime::now_utc());
        // Nearly every event finds its order in the one status it is meant for: that is tried, and only where it turns out
        // otherwise is the order looked at.
        let mut firsts = BTreeMap::new();
        for (index, received) in batch.iter().enumerate() {
            firsts.entry(received.message.order_id).or_insert(index);
        }
        let decisions: Vec<_> = firsts
            .values()
            .map(|index| decide::likely(heard(&batch[*index])))
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
            .map(heard)
            .enumerate()
            .filter(|(index, _)| !settled.contains(index));
        let (unsettled, late) = look_at(tx, others.collect(), &recorded, now).await?;
        let mut settled = Settled::default();
        let prompt = decisions
            .iter()
            .filter(|decision| applied.contains(&decision.order_id));
        for decision in prompt.chain(&late) {
            settled.add(decision, &recorded);
        }
        Ok((unsettled, settled))
    }

    /// What the payment service decided is the truth about somebody's money: the order must learn it.
    async fn discard(
        &self,
        _tx: &mut PgTransaction<'_>,
        received: &Received<PaymentDecision>,
    ) -> Result<Discard, Failure> {
        Ok(Discard::Refused(format!(
            "it is a valid answer about the payment of order {}: restore the order and redrive it",
            received.message.order_id
        )))
    }

    fn committed(&self, settled: Settled) {
        self.status_bell.ring();
        self.metrics.settled(&settled, OffsetDateTime::now_utc());
    }
}

const fn heard(received: &Received<PaymentDecision>) -> Heard<'_> {
    (received.event_id, &received.message)
}

/// Settles events whose orders have another status than they are meant for, or were not there a moment ago; says what it
/// could not settle, and what it has decided.
async fn look_at(
    tx: &mut PgTransaction<'_>,
    events: Vec<(usize, Heard<'_>)>,
    recorded: &settle::Recorded,
    now: OffsetDateTime,
) -> Result<(Vec<Unsettled>, Vec<Decision>), Failure> {
    if events.is_empty() {
        return Ok((Vec::new(), Vec::new()));
    }
    let ids: BTreeSet<Uuid> = events
        .iter()
        .map(|(_, (_, event))| event.order_id.as_uuid())
        .collect();
    let standings = settle::lock(tx, &Vec::from_iter(ids)).await?;
    let verdict = decide::decide(standings, events.into_iter());
    for decisions in &verdict.rounds {
        let decided = decisions.len();
        let changed = settle::apply(tx, decisions, recorded, now).await?.len();
        if changed != decided {
            return Err(Failure::Transient(Box::new(LostGuard { decided, changed })));
        }
    }
    let decisions = verdict.rounds.into_iter().flatten().collect();
    Ok((verdict.unsettled, decisions))
}

impl Settled {
    fn add(&mut self, decision: &Decision, recorded: &settle::Recorded) {
        match decision.to {
            State::Cancelled(Reason::Refunded) => self.refunded += 1,
            State::Cancelled(Reason::NotPaid(reason)) => {
                let decided = Decided::of(decision, Some(reason), recorded);
                self.decided.push(decided);
            }
            State::Finished => self.decided.push(Decided::of(decision, None, recorded)),
            // No answer of the payment service leads here.
            State::New | State::Refunding => {}
        }
    }
}

impl Decided {
    /// An order's id was made when it was placed, and says when to the millisecond.
    fn of(decision: &Decision, reason: Option<DeclineReason>, recorded: &settle::Recorded) -> Self {
        let made = decision.order_id.as_uuid().get_timestamp();
        let placed_at = made.and_then(|made| {
            let (seconds, nanoseconds) = made.to_unix();
            let nanoseconds = i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds);
            OffsetDateTime::from_unix_timestamp_nanos(nanoseconds).ok()
        });
        Self {
            status: decision.to.status(),
            reason,
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

impl From<PaymentRefunded> for PaymentDecision {
    fn from(refunded: PaymentRefunded) -> Self {
        Self {
            order_id: refunded.order_id,
            outcome: Outcome::Refunded,
            received_at: None,
            decided_at: refunded.refunded_at,
        }
    }
}
