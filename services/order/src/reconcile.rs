//! The reconciler: an order that stays NEW for too long gets its request for payment appended to the outbox again, and one
//! that stays REFUNDING its request for the money.
//!
//! It heals what a broker loses (a deleted queue, a restored disk) and is safe at any time: the payment service decides
//! and refunds an order once and gives the stored answer to every later request for it. One replica works at a time, by a lease that
//! is a row of the database and is locked in each transaction of its holder.
//!
//! Orders are walked once along their primary key, whose `UUIDv7` sort by time, from a mark up to `after` ago; those found
//! NEW go into a small table, which is worked until they are decided. Orders that were given up are walked likewise, in the
//! order in which they became REFUNDING. Marks, stuck orders, requests and audit move in one
//! transaction, so a reconciler that dies anywhere has done a turn or has not.
//!
//! An order whose id sorts behind the mark when it commits would be missed. So `after` must be longer than a request may
//! take to commit, and the clocks of the replicas must agree to within the difference; see
//! [`limits::RECONCILE_AFTER`](crate::limits::RECONCILE_AFTER).

mod back_off;

use std::{collections::HashMap, time::Duration};

use contracts::{EventId, OrderId, OrderPlaced, TraceContext};
use messaging::{
    doorbell::Doorbell,
    outbox::{self, OutboxError},
};
use sqlx::{PgConnection, PgPool, PgTransaction};
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    limits,
    metrics::Metrics,
    order::Order,
    status::Status,
    storage::reconcile::{self as storage, Due, Held, Repeated},
};

pub use back_off::BackOff;

/// When the reconciler acts, and how often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReconcileSettings {
    /// How long an order may be NEW or REFUNDING before its request is repeated: longer than any request takes to commit.
    pub after: Duration,
    /// How often the request of one order is repeated at most.
    pub attempts: u16,
    /// The pauses between the attempts at one order.
    pub back_off: BackOff,
}

impl Default for ReconcileSettings {
    fn default() -> Self {
        Self {
            after: limits::RECONCILE_AFTER,
            attempts: limits::RECONCILE_ATTEMPTS,
            back_off: BackOff {
                first: limits::RECONCILE_PAUSE.0,
                longest: limits::RECONCILE_PAUSE.1,
            },
        }
    }
}

/// How a turn fails. Nothing of it has happened then.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// The database did not do what was asked.
    #[error("the reconciler's database failed")]
    Database(#[from] sqlx::Error),
    /// The database did not answer in time.
    #[error("the reconciler's turn took too long")]
    TimedOut(#[from] tokio::time::error::Elapsed),
    /// A request could not be appended.
    #[error("a request could not be appended again")]
    Outbox(#[from] OutboxError),
}

/// What one turn did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Turn {
    /// Orders walked past.
    pub walked: i64,
    /// Orders walked past that were given up.
    pub walked_refunds: i64,
    /// Those of both that were NEW or REFUNDING.
    pub found: i64,
    /// Stuck orders that turned out to be decided or refunded.
    pub decided: i64,
    /// Requests appended again.
    pub repeated: usize,
    /// Orders that had their last attempt and stand where they stood all the same.
    pub given_up: usize,
}

/// An order that is NEW or REFUNDING for too long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StuckOrder {
    /// Which.
    pub order_id: OrderId,
    /// Which of the two.
    pub status: Status,
    /// Since when.
    pub since: OffsetDateTime,
    /// How often its request was repeated.
    pub attempts: i32,
    /// When its request may be repeated next; none after the last attempt.
    pub next_attempt_at: Option<OffsetDateTime>,
}

/// A page of at most `limit` stuck orders, oldest first, after the last of the page before: what operators look at.
pub async fn stuck_orders(
    connection: &mut PgConnection,
    after: Option<OrderId>,
    limit: u16,
) -> Result<Vec<StuckOrder>, sqlx::Error> {
    let after = after.map_or(Uuid::nil(), OrderId::as_uuid);
    storage::stuck_page(connection, after, i64::from(limit)).await
}

/// One process's reconciler.
#[derive(Debug)]
pub struct Reconciler {
    settings: ReconcileSettings,
    pool: PgPool,
    outbox_bell: Doorbell,
    metrics: Metrics,
    /// Tells this process's lease from any other's.
    name: Uuid,
    /// The last stuck order that was looked at; the round begins again after the last page.
    swept: Uuid,
}

impl Reconciler {
    pub(crate) fn new(
        settings: ReconcileSettings,
        pool: PgPool,
        outbox_bell: Doorbell,
        metrics: Metrics,
    ) -> Self {
        Self {
            settings,
            pool,
            outbox_bell,
            metrics,
            name: Uuid::now_v7(),
            swept: Uuid::nil(),
        }
    }

    /// Takes turns until stopped, through every outage, and leaves the lease to another process.
    pub async fn run(mut self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let again_at_once = match self.turn().await {
                Ok(Some(turn)) => turn.has_more(),
                Ok(None) => false,
                Err(error) => {
                    self.metrics.withdraw_stuck();
                    tracing::warn!(error = %chassis::chain(&error), "the reconciler's turn failed; trying again");
                    false
                }
            };
            if !again_at_once {
                let pause = tokio::time::sleep(limits::RECONCILE_TURN);
                stop.run_until_cancelled(pause).await;
            }
        }
        if let Err(error) = self.release().await {
            tracing::warn!(error = %chassis::chain(&error), "the reconciler's lease was not given up; it ends by itself");
        }
    }

    /// One turn, if this process has the lease or can take it: walks a page of orders, looks at a page of stuck ones, and
    /// repeats the requests of those whose time has come.
    pub async fn turn(&mut self) -> Result<Option<Turn>, ReconcileError> {
        tokio::time::timeout(limits::RECONCILE_TURN_TIMEOUT, self.take_turn()).await?
    }

    /// Gives the lease up, if this process has it.
    pub async fn release(&self) -> Result<(), ReconcileError> {
        let released = async {
            let mut connection = self.pool.acquire().await?;
            storage::release(&mut connection, self.name).await
        };
        tokio::time::timeout(limits::RECONCILE_TURN_TIMEOUT, released).await??;
        self.metrics.show_stuck(0, 0);
        Ok(())
    }

    async fn take_turn(&mut self) -> Result<Option<Turn>, ReconcileError> {
        let mut tx = self.pool.begin().await?;
        let Some(held) = storage::hold(&mut tx, self.name, limits::RECONCILE_LEASE).await? else {
            tx.rollback().await?;
            self.metrics.show_stuck(0, 0);
            return Ok(None);
        };
        let until = held.now - self.settings.after;
        let page = limits::RECONCILE_PAGE_ORDERS;
        let walked = storage::walk(&mut tx, held, first_id_of(until), page).await?;
        let refunds = storage::walk_refunds(&mut tx, held, until, page).await?;
        let swept = storage::sweep(&mut tx, self.swept, limits::RECONCILE_PAGE_STUCK).await?;
        let (repeated, given_up) = self.repeat(&mut tx, held).await?;
        let (to_retry, without) = storage::count_stuck(&mut tx).await?;
        tx.commit().await?;

        self.swept = swept.next.unwrap_or(Uuid::nil());
        self.metrics.show_stuck(to_retry, without);
        if repeated > 0 {
            self.outbox_bell.ring();
            self.metrics.reconciled_orders.inc_by(repeated as u64);
            tracing::warn!(
                orders = repeated,
                "requests of orders that are NEW or REFUNDING for too long were repeated"
            );
        }
        for (order_id, trace_id) in &given_up {
            tracing::error!(%order_id, trace_id, "the order is NEW or REFUNDING after its last repeated request: somebody has to look");
        }
        Ok(Some(Turn {
            walked: walked.orders,
            walked_refunds: refunds.orders,
            found: walked.found + refunds.found,
            decided: swept.decided,
            repeated,
            given_up: given_up.len(),
        }))
    }

    /// Repeats the requests that are due; says how many, and which orders had their last attempt before.
    async fn repeat(
        &self,
        tx: &mut PgTransaction<'_>,
        held: Held,
    ) -> Result<(usize, Vec<(OrderId, String)>), ReconcileError> {
        // A request that still waits in the outbox is not lost. Repeating it would only add to what waits.
        let outbox = outbox::unpublished(tx).await?;
        let published_until = outbox.oldest.unwrap_or(outbox.now);
        let due = storage::due(tx, held.now, published_until, limits::RECONCILE_PAGE_STUCK).await?;
        if due.is_empty() {
            return Ok((0, Vec::new()));
        }
        let ids: Vec<Uuid> = due.iter().map(|due| due.order_id.as_uuid()).collect();
        let due: HashMap<OrderId, Due> = due.into_iter().map(|due| (due.order_id, due)).collect();
        let mut orders = storage::lock_waiting(tx, &ids).await?;
        orders.retain(|order| due[&order.id].status == order.status);
        let (last_chance_gone, to_repeat): (Vec<&Order>, Vec<&Order>) = orders
            .iter()
            .partition(|order| due[&order.id].attempts >= i32::from(self.settings.attempts));

        let ids: Vec<Uuid> = to_repeat.iter().map(|order| order.id.as_uuid()).collect();
        let recorded = storage::recorded_requests(tx, &ids).await?;
        let mut events = outbox::Batch::default();
        let mut repeated = Vec::with_capacity(to_repeat.len());
        for order in to_repeat {
            let due = due[&order.id];
            let event_id = request_again(&mut events, order, due, &trace_of(order, &recorded))?;
            repeated.push(self.repeated(order, due, event_id, held.now));
        }
        events.append(tx).await?;
        storage::remember(tx, &repeated, held.now).await?;

        let gone = last_chance_gone.iter();
        let given_up: Vec<(OrderId, String)> = gone
            .map(|order| (order.id, order.trace_id.clone()))
            .collect();
        let ids: Vec<Uuid> = given_up.iter().map(|(id, _)| id.as_uuid()).collect();
        storage::give_up(tx, &ids).await?;
        Ok((repeated.len(), given_up))
    }

    fn repeated(
        &self,
        order: &Order,
        due: Due,
        event_id: EventId,
        now: OffsetDateTime,
    ) -> Repeated {
        let attempt = due.attempts + 1;
        let status = due.status.as_str();
        let waited = (now - due.since).whole_seconds();
        Repeated {
            order_id: order.id,
            user_id: order.user_id.as_i64(),
            status: due.status,
            attempt,
            event_id,
            why: format!("{status} for {waited} s, with every earlier request published"),
            next_attempt_at: now + self.settings.back_off.after(attempt),
        }
    }
}

impl Turn {
    /// Whether another turn would find work at once. Not after requests were repeated: their number per second is bounded
    /// by the pause between turns.
    #[must_use]
    pub const fn has_more(&self) -> bool {
        self.repeated == 0
            && (self.walked >= limits::RECONCILE_PAGE_ORDERS
                || self.walked_refunds >= limits::RECONCILE_PAGE_ORDERS
                || self.decided >= limits::RECONCILE_PAGE_STUCK)
    }
}

/// The request that an order waits for, once more and under a new id.
fn request_again(
    events: &mut outbox::Batch,
    order: &Order,
    due: Due,
    trace: &TraceContext,
) -> Result<EventId, OutboxError> {
    match due.status {
        Status::Refunding => events.add(&order.refund_request(Some(due.since)), trace),
        Status::New | Status::Finished | Status::Cancelled => {
            events.add(&OrderPlaced::from(order), trace)
        }
    }
}

/// The lower bound of all `UUIDv7` of this instant (RFC 9562, section 5.7: 48 bits of milliseconds come first).
fn first_id_of(instant: OffsetDateTime) -> Uuid {
    let milliseconds = (instant.unix_timestamp_nanos() / 1_000_000).max(0);
    Uuid::from_u128(milliseconds.unsigned_abs() << 80)
}

/// The span of the request that placed the order or gave it up if its trace is recorded, else a place in the same trace.
fn trace_of(order: &Order, recorded: &HashMap<OrderId, TraceContext>) -> TraceContext {
    recorded.get(&order.id).copied().unwrap_or_else(|| {
        // The upper half of a random UUID is never zero, which a span id must not be.
        let (span_id, _) = Uuid::new_v4().as_u64_pair();
        TraceContext::parse(&format!("00-{}-{span_id:016x}-00", order.trace_id))
            .unwrap_or_else(TraceContext::root)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_of_an_instant_sorts_at_or_after_its_first_id() {
        let instant = OffsetDateTime::from_unix_timestamp(1_700_000_000).unwrap();
        let first = first_id_of(instant);
        assert_eq!(first.to_string(), "018bcfe5-6800-0000-0000-000000000000");
        let of_now = OrderId::new().as_uuid();
        let now = OffsetDateTime::now_utc();
        assert!(first_id_of(now - Duration::from_secs(1)) < of_now);
        assert!(of_now < first_id_of(now + Duration::from_secs(1)));
    }
}
