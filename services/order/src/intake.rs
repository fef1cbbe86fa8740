//! Intake: orders that arrive at the same time are committed together, each with its own key, history, event and answer.
//!
//! A commit costs the same for one order and for a hundred, so while one transaction is under way the orders of the next
//! one gather. An order that comes alone begins its transaction at once; where they come together, the next one begins a
//! moment later ([`messaging::pace`]). The work is done in a
//! task of its own, so that a client that goes away takes nobody else's order with it.

use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use contracts::OrderId;
use messaging::{
    doorbell::Doorbell,
    idempotency::{self, Attempt, Claim, Columns, IdempotencyKey, RequestDigest},
    metrics::{Operation, time},
    pace::Pace,
    pool::Pool,
    topology::ORDER_PAYMENTS,
};
use prometheus_client::metrics::histogram::Histogram;
use time::OffsetDateTime;
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
    storage::{
        self,
        place::{Gate, NewOrder},
    },
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
    pool: Pool,
    /// Times of transactions.
    durations: Histogram,
    metrics: Metrics,
    /// Learns what was placed, for whoever watches it.
    hub: Arc<Hub>,
    /// Rung after each commit, for whoever publishes the orders.
    outbox_bell: Doorbell,
    /// For whoever shows them. Until somebody is to be told that they are NEW nobody need look.
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
            pool: Pool::new(settings.writer_pool.clone(), database),
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

    async fn commit(self: &Arc<Self>, batch: Vec<Submission>) {
        if batch.is_empty() {
            return;
        }
        // Boxed: it is large.
        let placing = Box::pin(self.place_all(&batch));
        match in_time(placing).await {
            Ok(mut placed) => {
                let mut others = Vec::new();
                for submission in batch {
                    match placed.remove(&submission.placement.order.id) {
                        // Nobody listens if the client has gone meanwhile; its order stands.
                        Some(order) => drop(submission.answer.send(Ok(order))),
                        None => others.push(submission),
                    }
                }
                if !others.is_empty() {
                    // Apart: new orders do not wait for old ones.
                    tokio::spawn(Arc::clone(self).answer_again(others));
                }
            }
            Err(error) if error.is_transient() => {
                tracing::warn!(
                    error = %chassis::chain(&error),
                    orders = batch.len(),
                    "orders could not be placed for now"
                );
                refuse_for_now(batch);
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
    async fn place_all(&self, batch: &[Submission]) -> Result<HashMap<OrderId, Order>, Error> {
        let placements = batch.iter().map(|submission| &submission.placement);
        let new: Vec<(&NewOrder, Gate)> = placements
            .map(|it| (&it.order, it.key.as_ref().map_or(Gate::Open, |_| Gate::Key)))
            .collect();
        let claimed = Columns::of(&attempts(batch));
        let mut connection = self.pool.acquire().await?;
        let placing = storage::place::place_all(&mut connection, &new, &claimed);
        let placed = time(&self.durations, placing).await?;
        self.pool.keep(connection);
        self.placed(&placed);
        Ok(placed.into_iter().map(|order| (order.id, order)).collect())
    }

    /// Answers those whose keys were taken: what was placed under them, if it was for the same request.
    async fn answer_again(self: Arc<Self>, batch: Vec<Submission>) {
        let reading = async {
            let mut connection = self.pool.acquire().await?;
            let claims = idempotency::earlier(&mut connection, &attempts(&batch)).await?;
            let mut outcomes = Vec::with_capacity(claims.len());
            for (submission, claim) in batch.iter().zip(claims) {
                let user_id = submission.placement.order.user_id;
                outcomes.push(match claim {
                    Some(Claim::Replay { resource_id }) => {
                        storage::orders::find(&mut connection, user_id, resource_id.into())
                            .await
                            .map_err(Error::from)
                            // The order as it was then; an operator may have removed it since.
                            .and_then(|it| it.map(Order::as_placed).ok_or(Error::OrderNotFound))
                    }
                    Some(Claim::Reused) => Err(Error::KeyReused),
                    // Forgotten this moment: the next attempt is a new request.
                    Some(Claim::Fresh) | None => Err(Error::Unavailable),
                });
            }
            Ok(outcomes)
        };
        match in_time(Box::pin(reading)).await {
            Ok(outcomes) => {
                for (submission, outcome) in batch.into_iter().zip(outcomes) {
                    let _ = submission.answer.send(outcome);
                }
            }
            Err(error) => {
                tracing::warn!(
                    error = %chassis::chain(&error),
                    requests = batch.len(),
                    "what stands under keys could not be read for now"
                );
                refuse_for_now(batch);
            }
        }
    }

    /// After the commit: counts the orders, keeps those at hand that somebody watches, and wakes whoever waits for them.
    fn placed(&self, orders: &[Order]) {
        self.metrics.placed_orders.inc_by(orders.len() as u64);
        for order in orders {
            if self.hub.watches(order.user_id) {
                self.hub.recent().keep(order.id, Arc::new(order.into()));
            }
        }
        let now = OffsetDateTime::now_utc();
        if let Some(oldest) = orders.iter().map(|order| order.age(now)).max() {
            self.outbox_bell.ring();
            let least = *limits::NEW_ORDER_HOLD.start();
            self.status_bell.ring_within(least.saturating_sub(oldest));
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

/// Tells everybody to try again.
fn refuse_for_now(batch: Vec<Submission>) {
    for submission in batch {
        let _ = submission.answer.send(Err(Error::Unavailable));
    }
}

/// Work on the database in bounded time, whatever the network does.
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
