//! Settlement: from placed orders to decisions on them, and from refunds that are asked for to money given back, a batch
//! to a transaction.
//!
//! Dying anywhere before the commit changes nothing; after it, whoever asks again gets the decision that stands.

mod discard;
#[cfg(test)]
mod model;
mod plan;
mod request;

use std::collections::BTreeSet;

use messaging::{
    consumer::{Consumer, Discard, Event, Handler, Received, Unsettled},
    doorbell::Doorbell,
    failure::{Failure, Rejection},
    outbox,
    topology::{PAYMENT_ORDERS, Queue},
};
use sqlx::PgTransaction;
use time::OffsetDateTime;

pub use request::{PaymentRequest, Purpose};

use self::plan::{Answer, Plan, Standing, plan};
use crate::{
    PaymentSettings,
    metrics::{Decided, Metrics},
    storage::{
        ledger,
        payment::Decision,
        settle::{self, Settled},
        standing,
    },
};

/// Decides on placed orders, refunds them, and answers each request.
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

/// The consumer of placed orders and of requests for refunds.
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
        carry_out(tx, batch, &plan).await?;
        let effect = plan.effect();
        Ok((plan.unsettled, effect))
    }

    async fn discard(
        &self,
        tx: &mut PgTransaction<'_>,
        received: &Received<PaymentRequest>,
    ) -> Result<Discard, Failure> {
        match received.message.purpose {
            Purpose::Payment => discard::decline(tx, received).await,
            Purpose::Refund => discard::refund(tx, received).await,
        }
    }

    fn committed(&self, decided: Decided) {
        self.outbox_bell.ring();
        self.metrics.count(&decided);
    }
}

/// Reads what stands, locks what is to be changed, and decides.
async fn decide(
    tx: &mut PgTransaction<'_>,
    batch: &[Received<PaymentRequest>],
) -> Result<Plan, Failure> {
    // Repeated requests lock their accounts, too: that they are repeated is known with the answer.
    let requests = batch.iter().map(|received| received.message);
    let order_ids: Vec<_> = requests.clone().map(|request| request.order_id).collect();
    let user_ids: BTreeSet<_> = requests.map(|request| request.user_id).collect();
    let (payments, accounts) =
        standing::read_and_lock(tx, &order_ids, &Vec::from_iter(user_ids)).await?;
    // Only what was captured can have been refunded. Read behind the lock: who refunds holds it until the commit.
    let captured = payments
        .iter()
        .filter(|payment| payment.decision == Decision::Captured);
    let captured: Vec<_> = captured.map(|payment| payment.order_id).collect();
    let refunds = ledger::refunds(tx, &captured).await?;
    let standing = Standing {
        payments,
        refunds,
        accounts,
    };
    Ok(plan(batch, standing, OffsetDateTime::now_utc()))
}

/// Writes the decisions, the ledger, the balances and the answers.
async fn carry_out(
    tx: &mut PgTransaction<'_>,
    batch: &[Received<PaymentRequest>],
    plan: &Plan,
) -> Result<(), Failure> {
    if plan.answers.is_empty() {
        return Ok(());
    }
    let totals = plan.totals();
    let settled = Settled {
        decided: &plan.decided,
        entries: &plan.entries,
        totals: &totals,
        events: answers(batch, plan)?,
    };
    let changed = settle::write(tx, settled).await?;
    if usize::try_from(changed) == Ok(totals.len()) {
        Ok(())
    } else {
        Err(Failure::Transient(Box::new(BalanceMoved)))
    }
}

/// The answers to each request, each in the trace of its request.
fn answers(batch: &[Received<PaymentRequest>], plan: &Plan) -> Result<outbox::Batch, Failure> {
    let mut events = outbox::Batch::default();
    for (index, answer) in &plan.answers {
        let trace = &batch[*index].trace;
        match answer {
            Answer::Decided(payment) => match payment.decision {
                Decision::Captured => events.add(&payment.captured(), trace)?,
                Decision::Declined(reason) => events.add(&payment.declined(reason), trace)?,
            },
            Answer::Refunded(refund) => events.add(&refund.refunded(), trace)?,
        };
    }
    Ok(events)
}

/// What should be impossible behind our locks: the batch is tried again.
#[derive(Debug, thiserror::Error)]
#[error("a balance changed under its lock")]
struct BalanceMoved;

#[cfg(test)]
mod tests;
