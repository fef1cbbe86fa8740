//! Intake: orders that arrive at the same time are committed together, each with its own key, history, event and answer.
//!
//! A commit costs the same for one order and for a hundred, so while one transaction is under way the orders of the next
//! one gather. An order that comes alone begins its transaction at once; where they come together, the next one begins a
//! moment later ([`messaging::pace`]). The work is done in a
//! task of its own, so that a client that goes away takes nobody else's order with it.

use std::{
    collections::{HashMap, HashSet},
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use contracts::OrderId;
use messaging::{
    doorbell::Doorbell,
    idempotency::{Attempt, Claim, Claims, IdempotencyKey, RequestDigest},
    metrics::{MeasuredPool, Operation, time},
    pace::Pace,
    topology::ORDER_PAYMENTS,
};
use prometheus_client::metrics::histogram::Histogram;
use tokio::{
    sync::oneshot,
    time::{Instant, sleep_until, timeout},
};
use uuid::Uuid;

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
    /// Rung after each commit, for whoever publishes the orders.
    outbox_bell: Doorbell,
    /// For whoever shows them. As long as they may be NEW without anybody being told, nobody need look.
    status_bell: Doorbell,
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
    pub(crate) fn new(settings: &OrderSettings, hub: Arc<Hub>) -> Self {
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
            outbox_bell: settings.outbox_bell.clone(),
            status_bell: settings.status_bell.clone(),
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
        if batch.is_empty() {
            return;
        }
        let attempts = attempts(&batch);
        let claims = Claims::of(&attempts);
        match in_time(Box::pin(self.place_firsts(&batch, &claims))).await {
            Ok(placed) => {
                let outcomes = self.outcomes(&batch, &claims, placed).await;
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

    /// Places those orders whose keys are free, of each key the first, and those that have none. Committed when it returns,
    /// in one statement: an order that comes alone would wait longer for a transaction's words than for its rows.
    async fn place_firsts(
        &self,
        batch: &[Submission],
        claims: &Claims<'_>,
    ) -> Result<HashMap<OrderId, Order>, Error> {
        let firsts = batch.iter().map(|submission| &submission.placement);
        let firsts: Vec<&NewOrder> = firsts
            .filter(|it| it.key.is_none() || claims.is_first(it.order.id.as_uuid()))
            .map(|it| &it.order)
            .collect();
        let mut connection = self.pool.acquire().await?;
        let placing = storage::place::place_all(&mut connection, &firsts, claims);
        let placed = time(&self.durations, placing).await?;
        self.placed(&placed);
        Ok(placed.into_iter().map(|order| (order.id, order)).collect())
    }

    /// What became of each request, once those that could be placed are.
    async fn outcomes(
        &self,
        batch: &[Submission],
        claims: &Claims<'_>,
        mut placed: HashMap<OrderId, Order>,
    ) -> Vec<Result<Order, Error>> {
        let ids: Vec<OrderId> = batch.iter().map(|it| it.placement.order.id).collect();
        if placed.len() == batch.len() {
            let each = ids.iter().map(|id| placed.remove(id));
            return each
                .map(|order| order.ok_or(Error::OrderNotFound))
                .collect();
        }
        // What is placed is placed, whatever becomes of the questions that the others need.
        let mut earlier = in_time(Box::pin(self.earlier(batch, claims, &placed)))
            .await
            .unwrap_or_else(|error| {
                tracing::warn!(
                    error = %chassis::chain(&error),
                    "orders that were placed before could not be read for now"
                );
                HashMap::new()
            });
        let each = ids.iter().map(|id| match placed.remove(id) {
            Some(order) => Ok(order),
            None => earlier.remove(id).unwrap_or(Err(Error::Unavailable)),
        });
        each.collect()
    }

    /// What those are answered that placed nothing, by the ids their orders were to have: what was placed under their keys,
    /// if it was for the same request.
    async fn earlier(
        &self,
        batch: &[Submission],
        claims: &Claims<'_>,
        placed: &HashMap<OrderId, Order>,
    ) -> Result<HashMap<OrderId, Result<Order, Error>>, Error> {
        let fresh: HashSet<Uuid> = placed.keys().map(|id| id.as_uuid()).collect();
        let mut connection = self.pool.acquire().await?;
        let verdicts = claims.judge(&mut connection, &fresh).await?;
        let keyed = batch.iter().filter(|it| it.placement.key.is_some());
        let mut earlier = HashMap::new();
        for (submission, claim) in keyed.zip(verdicts) {
            let order = &submission.placement.order;
            let outcome = match claim {
                Claim::Fresh => continue,
                Claim::Reused => Err(Error::KeyReused),
                // The order as it was then; an operator may have removed it since.
                Claim::Replay { resource_id } => {
                    storage::orders::find(&mut connection, order.user_id, resource_id.into())
                        .await?
                        .map(Order::as_placed)
                        .ok_or(Error::OrderNotFound)
                }
            };
            earlier.insert(order.id, outcome);
        }
        Ok(earlier)
    }

    /// After the commit: counts the orders, keeps those at hand that somebody watches, and wakes whoever waits for them.
    fn placed(&self, orders: &[Order]) {
        self.metrics.placed_orders.inc_by(orders.len() as u64);
        for order in orders {
            if self.hub.watches(order.user_id) {
                self.hub.recent().keep(order.id, Arc::new(order.into()));
            }
        }
        if !orders.is_empty() {
            self.outbox_bell.ring();
            self.status_bell
                .ring_within(*limits::NEW_ORDER_HOLD.start());
        }
    }

    /// Nothing under this lock can panic; a poisoned queue would still be whole.
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The requests that have keys.
fn attempts(batch: &[Submission]) -> Vec<Attempt<'_>> {
    let placements = batch.iter().map(|submission| &submission.placement);
    placements
        .filter_map(|placement| {
            let (key, digest) = placement.key.as_ref()?;
            Some(Attempt {
                user_id: placement.order.user_id,
                key,
                digest,
                resource_id: placement.order.id.as_uuid(),
            })
        })
        .collect()
}

/// Work on the database in bounded time, whatever the network does. Boxed by whoever asks for it: it is large.
async fn in_time<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let timed_out = |elapsed| Err(Error::Database(sqlx::Error::Io(io::Error::from(elapsed))));
    timeout(limits::INTAKE_TIMEOUT, work)
        .await
        .unwrap_or_else(timed_out)
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
