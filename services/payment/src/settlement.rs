//! Settlement: from placed orders to decisions on them, a batch to a transaction.
//!
//! Dying anywhere before the commit changes nothing; after it, whoever asks again gets the decision that stands.

mod discard;
#[cfg(test)]
mod model;
mod plan;
mod request;

use std::collections::{BTreeSet, HashSet};

use messaging::{
    consumer::{Consumer, Discard, Event, Handler, Outcome, Received, Unsettled},
    doorbell::Doorbell,
    failure::{Failure, ReasonClass, Rejection},
    outbox,
    topology::{PAYMENT_ORDERS, Queue},
};
use sqlx::PgTransaction;
use time::OffsetDateTime;

pub use request::PaymentRequest;

use self::plan::{Plan, plan};
use crate::{
    PaymentSettings,
    metrics::{Decided, Metrics},
    storage::{
        account, ledger,
        payment::{self, Decision},
    },
};

/// Decides on placed orders and answers each.
#[derive(Debug)]
pub struct Settlement {
    outbox_bell: Doorbell,
    metrics: Metrics,
}

impl Settlement {
    /// A handler that rings this doorbell after each commit.
    #[must_use]
    pub const fn new(outbox_bell: Doorbell, metrics: Metrics) -> Self {
        Self {
            outbox_bell,
            metrics,
        }
    }
}

/// The consumer of placed orders.
#[must_use]
pub fn consumer(settings: &PaymentSettings) -> Consumer<Settlement> {
    Consumer::new(
        Settlement::new(settings.outbox_bell.clone(), settings.metrics.clone()),
        settings.writer_pool.unmeasured().clone(),
        settings.broker.clone(),
        settings.messaging_metrics.clone(),
    )
}

impl Handler for Settlement {
    type Message = PaymentRequest;
    type Effect = Decided;
    const QUEUE: Queue = PAYMENT_ORDERS;

    fn decode(&self, event: &Event<'_>) -> Result<PaymentRequest, Rejection> {
        PaymentRequest::decode(event)
    }

    async fn settle(
        &self,
        tx: &mut PgTransaction<'_>,
        batch: &[Received<PaymentRequest>],
    ) -> Result<(Vec<Unsettled>, Decided), Failure> {
        let plan = decide(tx, batch).await?;
        carry_out(tx, &plan).await?;
        answer(tx, batch, &plan).await?;
        let unsettled = plan.conflicts.iter().copied().map(conflict).collect();
        Ok((unsettled, plan.effect()))
    }

    async fn discard(
        &self,
        tx: &mut PgTransaction<'_>,
        received: &Received<PaymentRequest>,
    ) -> Result<Discard, Failure> {
        discard::decline(tx, received).await?;
        Ok(Discard::Ended)
    }

    fn committed(&self, decided: Decided) {
        self.outbox_bell.ring();
        self.metrics.count(&decided);
    }
}

/// Reads what stands, locks what is to be debited, and decides.
async fn decide(
    tx: &mut PgTransaction<'_>,
    batch: &[Received<PaymentRequest>],
) -> Result<Plan, Failure> {
    let order_ids: Vec<_> = batch
        .iter()
        .map(|received| received.message.order_id)
        .collect();
    let standing = payment::find_all(tx, &order_ids).await?;
    let decided: HashSet<_> = standing.iter().map(|payment| payment.order_id).collect();
    let payers: BTreeSet<_> = batch
        .iter()
        .map(|received| received.message)
        .filter(|request| !decided.contains(&request.order_id))
        .map(|request| request.user_id)
        .collect();
    let accounts = account::lock(tx, &Vec::from_iter(payers)).await?;
    Ok(plan(batch, &standing, &accounts, OffsetDateTime::now_utc()))
}

/// Writes the decisions, the ledger and the balances.
async fn carry_out(tx: &mut PgTransaction<'_>, plan: &Plan) -> Result<(), Failure> {
    if plan.decided.is_empty() {
        return Ok(());
    }
    payment::insert_all(tx, &plan.decided).await?;
    if plan.debits.is_empty() {
        return Ok(());
    }
    let totals = plan.totals();
    let debited = ledger::pay(tx, &plan.debits, &totals).await?;
    if usize::try_from(debited) == Ok(totals.len()) {
        Ok(())
    } else {
        Err(Failure::Transient(Box::new(BalanceMoved)))
    }
}

/// Puts the answer to each request into the outbox, each in the trace of its request.
async fn answer(
    tx: &mut PgTransaction<'_>,
    batch: &[Received<PaymentRequest>],
    plan: &Plan,
) -> Result<(), Failure> {
    let mut events = outbox::Batch::default();
    for (index, payment) in &plan.answers {
        let trace = &batch[*index].trace;
        match payment.decision {
            Decision::Captured => events.add(&payment.captured(), trace)?,
            Decision::Declined(reason) => events.add(&payment.declined(reason), trace)?,
        };
    }
    events.append(tx).await?;
    Ok(())
}

fn conflict(index: usize) -> Unsettled {
    Unsettled {
        index,
        outcome: Outcome::Rejected(Rejection::new(
            ReasonClass::Conflict,
            "the order was decided before for another user or amount",
        )),
    }
}

/// What should be impossible behind our locks: the batch is tried again.
#[derive(Debug, thiserror::Error)]
#[error("a balance changed under its lock")]
struct BalanceMoved;

#[cfg(test)]
mod tests;
