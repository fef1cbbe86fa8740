//! Settlement: what the payment service decided or gave back becomes the status of the orders, a batch at a time.

mod decide;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use contracts::{Message, OrderId, PaymentCaptured, PaymentDeclined, PaymentRefunded};
use messaging::{
    consumer::{Discard, Event, Handler, Received, Unsettled},
    doorbell::Doorbell,
    failure::{Failure, ReasonClass, Rejection},
    topology::{self, Queue},
};
use sqlx::PgTransaction;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{order::to_stored_precision, status::Outcome, storage::settle};

/// The handler of the payment service's decisions and refunds.
#[derive(Debug)]
pub struct Settlement {
    status_bell: Doorbell,
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
    pub const fn new(status_bell: Doorbell) -> Self {
        Self { status_bell }
    }
}

impl Handler for Settlement {
    type Message = PaymentDecision;
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
    ) -> Result<Vec<Unsettled>, Failure> {
        let now = to_stored_precision(OffsetDateTime::now_utc());
        // Nearly every event finds its order in the one status it is meant for: that is tried, and only where it turns out
        // otherwise is the order looked at.
        let mut firsts = BTreeMap::new();
        for (index, received) in batch.iter().enumerate() {
            firsts.entry(received.message.order_id).or_insert(index);
        }
        let decisions: Vec<_> = firsts
            .values()
            .map(|index| decide::likely(&batch[*index].message))
            .collect();
        let recorded: settle::Recorded = batch
            .iter()
            .filter(|received| received.trace.is_sampled())
            .map(|received| (received.message.order_id, received.trace))
            .collect();
        let settled: HashSet<usize> = settle::apply(tx, &decisions, &recorded, now)
            .await?
            .iter()
            .filter_map(|order_id| firsts.get(order_id).copied())
            .collect();
        let others = batch
            .iter()
            .map(|received| &received.message)
            .enumerate()
            .filter(|(index, _)| !settled.contains(index));
        look_at(tx, others.collect(), &recorded, now).await
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

    fn committed(&self) {
        self.status_bell.ring();
    }
}

/// Settles events whose orders have another status than they are meant for, or were not there a moment ago.
async fn look_at(
    tx: &mut PgTransaction<'_>,
    events: Vec<(usize, &PaymentDecision)>,
    recorded: &settle::Recorded,
    now: OffsetDateTime,
) -> Result<Vec<Unsettled>, Failure> {
    if events.is_empty() {
        return Ok(Vec::new());
    }
    let ids: BTreeSet<Uuid> = events
        .iter()
        .map(|(_, event)| event.order_id.as_uuid())
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
    Ok(verdict.unsettled)
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
