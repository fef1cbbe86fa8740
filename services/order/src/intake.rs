//! Intake: orders that arrive at the same time are committed together, each with its own key, history, event and answer.
//!
//! A commit costs the same for one order and for a hundred, so while one transaction is under way the orders of the next
//! one gather. An order that comes alone begins its transaction at once; where they come together, the next one begins a
//! moment later ([`messaging::pace`]). The work is done in a
//! task of its own, so that a client that goes away takes nobody else's order with it.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use messaging::{
    doorbell::Doorbell,
    idempotency::{Attempt, Claim, IdempotencyKey, RequestDigest, claim_all},
    metrics::{MeasuredPool, Operation, time},
    pace::Pace,
    topology::ORDER_PAYMENTS,
};
use prometheus_client::metrics::histogram::Histogram;
use sqlx::PgTransaction;
use tokio::{
    sync::oneshot,
    time::{Instant, sleep_until, timeout},
};

use crate::{
    OrderSettings,
    error::Error,
    limits,
    metrics::Metrics,
    order::Order,
    push::hub::Hub,
    storage::{self, place::NewOrder},
};

/// A request to place an order.
#[derive(Debug)]
pub(crate) struct Placement {
    pub(crate) order: NewOrder,
    /// The key under which it is placed once, and what the key stands for; the original's requests have none.
    pub(crate) key: Option<(IdempotencyKey, RequestDigest)>,
}

/// Where the requests of one process gather; clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Intake(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    pool: MeasuredPool,
    /// Times of transactions.
    durations: Histogram,
    metrics: Metrics,
    /// Learns what was placed, for whoever watches it.
    hub: Arc<Hub>,
    /// Rung after each commit: who publishes the orders, and who shows them.
    bells: [Doorbell; 2],
    queue: Mutex<Queue>,
}

#[derive(Debug)]
struct Queue {
    waiting: Vec<Submission>,
    /// Whether a task is at work; it ends only when nothing waits.
    working: bool,
    pace: Pace,
}

/// A request, and where its answer is awaited.
#[derive(Debug)]
struct Submission {
    placement: Placement,
    answer: oneshot::Sender<Result<Order, Error>>,
}

impl Intake {
    pub(crate) fn new(settings: &OrderSettings, hub: Arc<Hub>, bells: [Doorbell; 2]) -> Self {
        let database = &settings.messaging_metrics.database;
        let queue = Queue {
            waiting: Vec::new(),
            working: false,
            pace: Pace::new(limits::INTAKE_PACE, Instant::now()),
        };
        Self(Arc::new(Shared {
            pool: MeasuredPool::new(settings.writer_pool.clone(), database),
            durations: database.operation(ORDER_PAYMENTS.database, Operation::Place),
            metrics: settings.metrics.clone(),
            hub,
            bells,
            queue: Mutex::new(queue),
        }))
    }

    /// Places an order, or finds the one its key stands for. Committed when it returns.
    pub(crate) async fn place(&self, placement: Placement) -> Result<Order, Error> {
        let (answer, answered) = oneshot::channel();
        let idle = {
            let mut queue = self.0.lock();
            queue.waiting.push(Submission { placement, answer });
            !std::mem::replace(&mut queue.working, true)
        };
        if idle {
            tokio::spawn(Arc::clone(&self.0).work());
        }
        // Only a panic of the task drops the sender.
        answered.await.unwrap_or(Err(Error::Unavailable))
    }
}

impl Shared {
    /// Commits whatever waits, again and again until nothing does.
    async fn work(self: Arc<Self>) {
        // Should a transaction panic, those who wait are answered and the next request begins a new task.
        let _rest = Rest(&self);
        while let Some(begin) = self.next_begin() {
            sleep_until(begin).await;
            let batch = self.take();
            self.commit(batch).await;
        }
    }

    /// When the next transaction may begin; none if there is nothing to do.
    fn next_begin(&self) -> Option<Instant> {
        let mut queue = self.lock();
        if queue.waiting.is_empty() {
            queue.working = false;
            return None;
        }
        Some(queue.pace.next())
    }

    fn take(&self) -> Vec<Submission> {
        let mut queue = self.lock();
        let count = queue.waiting.len().min(limits::INTAKE_BATCH_ORDERS);
        queue.pace.began(Instant::now(), count);
        let mut batch: Vec<Submission> = queue.waiting.drain(..count).collect();
        // Whose client has gone is not placed: nobody was told that it would be.
        batch.retain(|submission| !submission.answer.is_closed());
        batch
    }

    async fn commit(&self, batch: Vec<Submission>) {
        let placements: Vec<&Placement> = batch
            .iter()
            .map(|submission| &submission.placement)
            .collect();
        let transaction = timeout(limits::INTAKE_TIMEOUT, self.transact(&placements));
        let timed_out = |elapsed| Err(Error::Database(sqlx::Error::Io(io::Error::from(elapsed))));
        match transaction.await.unwrap_or_else(timed_out) {
            Ok(outcomes) => {
                for (submission, outcome) in batch.into_iter().zip(outcomes) {
                    // Nobody listens if the client has gone meanwhile; its order stands.
                    let _ = submission.answer.send(outcome);
                }
            }
            Err(error) if error.is_transient() => {
                tracing::warn!(
                    error = %chassis::chain(&error),
                    orders = batch.len(),
                    "orders could not be placed for now"
                );
                for submission in batch {
                    let _ = submission.answer.send(Err(Error::Unavailable));
                }
            }
            // One of them cannot be written, ever: the others shall not suffer for it.
            Err(_) if batch.len() > 1 => {
                for submission in batch {
                    Box::pin(self.commit(vec![submission])).await;
                }
            }
            Err(error) => {
                if let Some(alone) = batch.into_iter().next() {
                    let _ = alone.answer.send(Err(error));
                }
            }
        }
    }

    /// One transaction: keys, orders, history and events. Says what became of each request.
    async fn transact(
        &self,
        placements: &[&Placement],
    ) -> Result<Vec<Result<Order, Error>>, Error> {
        if placements.is_empty() {
            return Ok(Vec::new());
        }
        let tx = self.pool.begin().await?;
        time(&self.durations, self.place_in(tx, placements)).await
    }

    async fn place_in(
        &self,
        mut tx: PgTransaction<'_>,
        placements: &[&Placement],
    ) -> Result<Vec<Result<Order, Error>>, Error> {
        let claims = claim(&mut tx, placements).await?;
        let fresh: Vec<&NewOrder> = placements
            .iter()
            .zip(&claims)
            .filter(|(_, claim)| **claim == Claim::Fresh)
            .map(|(placement, _)| &placement.order)
            .collect();
        let placed = storage::place::insert_all(&mut tx, &fresh).await?;
        let mut outcomes = Vec::with_capacity(placements.len());
        let mut each = placed.iter();
        for (placement, claim) in placements.iter().zip(claims) {
            outcomes.push(match claim {
                Claim::Fresh => each.next().cloned().ok_or(Error::OrderNotFound),
                Claim::Reused => Err(Error::KeyReused),
                // The order as it was then; an operator may have removed it since.
                Claim::Replay { resource_id } => {
                    storage::orders::find(&mut tx, placement.order.user_id, resource_id.into())
                        .await?
                        .map(Order::as_placed)
                        .ok_or(Error::OrderNotFound)
                }
            });
        }
        tx.commit().await?;
        self.placed(&placed);
        Ok(outcomes)
    }

    /// After the commit: counts the orders, keeps those at hand that somebody watches, and wakes whoever waits for them.
    fn placed(&self, orders: &[Order]) {
        self.metrics.placed_orders.inc_by(orders.len() as u64);
        for order in orders {
            if self.hub.watches(order.user_id) {
                self.hub.recent().keep(order.id, Arc::new(order.into()));
            }
        }
        for bell in &self.bells {
            bell.ring();
        }
    }

    /// Nothing under this lock can panic; a poisoned queue would still be whole.
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What became of each request's key; a request without one is always the first.
async fn claim(
    tx: &mut PgTransaction<'_>,
    placements: &[&Placement],
) -> Result<Vec<Claim>, sqlx::Error> {
    let attempts: Vec<Attempt<'_>> = placements
        .iter()
        .filter_map(|placement| {
            let (key, digest) = placement.key.as_ref()?;
            Some(Attempt {
                user_id: placement.order.user_id,
                key,
                digest,
                resource_id: placement.order.id.as_uuid(),
            })
        })
        .collect();
    let mut claimed = claim_all(tx, &attempts).await?.into_iter();
    Ok(placements
        .iter()
        .map(|placement| match placement.key {
            Some(_) => claimed.next().unwrap_or(Claim::Reused),
            None => Claim::Fresh,
        })
        .collect())
}

/// At the end of a task that did not end by itself: nobody is left waiting for it.
struct Rest<'s>(&'s Shared);

impl Drop for Rest<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let mut queue = self.0.lock();
            queue.working = false;
            queue.waiting.clear();
        }
    }
}
