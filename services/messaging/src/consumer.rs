//! The consumer: takes deliveries in micro-batches, settles each in one transaction, and acknowledges after its commit.
//!
//! Consumers of a queue compete and no handler relies on order. Nothing is ever sent back for a passing cause: the
//! deliveries are kept and tried again, for the broker counts what is sent back towards its delivery limit.

mod due;
mod entry;
mod envelope;
mod event;
mod halving;
mod handler;
mod lot;
mod metrics;
mod origin;
mod patience;
mod schedule;
mod session;
mod settle;
mod spans;

use std::time::Duration;

use sqlx::PgPool;
use time::OffsetDateTime;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub(crate) use self::{
    entry::{Content, Entry, Parcel},
    envelope::Instants,
    origin::Origin,
};
pub use self::{
    envelope::{MAX_MESSAGE_BYTES, MAX_MESSAGE_EVENTS},
    event::Event,
    handler::{Discard, Handler, Outcome, Received, Unsettled},
    schedule::Schedule,
    session::{Batch, Session},
};

use self::{lot::Lot, metrics::QueueMetrics, patience::Patience, session::Work, settle::Settling};
use crate::{
    broker::BrokerUrl,
    failure::{BoxError, Failure, ReasonClass, Rejection},
    fault_point::{self, FaultPoint},
    metrics::Metrics,
    pool::Pool,
};

/// The most events settled in one transaction.
pub const MAX_BATCH_EVENTS: usize = 500;

/// Pauses between attempts, doubled from the first to the last.
const RETRY: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));

/// A consumer of one queue.
#[derive(Debug)]
pub struct Consumer<H> {
    handler: H,
    pool: Pool,
    broker: BrokerUrl,
    metrics: QueueMetrics,
    schedule: Schedule,
}

impl<H: Handler> Consumer<H> {
    /// A consumer that settles through `pool`, as the writer.
    pub fn new(handler: H, pool: PgPool, broker: BrokerUrl, metrics: Metrics) -> Self {
        Self {
            handler,
            pool: Pool::new(pool, &metrics.database),
            broker,
            metrics: QueueMetrics::new(metrics, H::QUEUE),
            schedule: Schedule::default(),
        }
    }

    /// The same consumer with other times between attempts.
    #[must_use]
    pub fn with_schedule(self, schedule: Schedule) -> Self {
        Self { schedule, ..self }
    }

    /// Consumes until stopped, reconnecting by itself. On stop the batch in hand is settled and acknowledged first.
    pub async fn run(self, stop: CancellationToken) {
        // Boxed: either is large, and lives as long as the process.
        tokio::join!(
            Box::pin(self.run_queue(&stop)),
            Box::pin(self.run_due(&stop))
        );
    }

    async fn run_queue(&self, stop: &CancellationToken) {
        let mut pause = RETRY.0;
        while !stop.is_cancelled() {
            match self.consume(stop, &mut pause).await {
                Ok(()) => return,
                Err(error) => {
                    tracing::warn!(
                        queue = H::QUEUE.name,
                        error = &*error as &dyn std::error::Error,
                        "consuming was interrupted; connecting again"
                    );
                }
            }
            let jitter = Duration::from_millis(fastrand::u64(0..50));
            if stop
                .run_until_cancelled(tokio::time::sleep(pause + jitter))
                .await
                .is_none()
            {
                return;
            }
            pause = (pause * 2).min(RETRY.1);
        }
    }

    async fn consume(
        &self,
        stop: &CancellationToken,
        pause: &mut Duration,
    ) -> Result<(), BoxError> {
        let Some(session) = stop.run_until_cancelled(self.connect()).await else {
            return Ok(());
        };
        let mut session = session?;
        *pause = RETRY.0;
        tracing::info!(queue = H::QUEUE.name, "consuming");
        self.metrics.connected.set(1);
        let ended = self.consume_from(&mut session, stop).await;
        self.metrics.connected.set(0);
        self.metrics.paused.set(0);
        // What is not acknowledged goes back with the connection.
        self.metrics.holds(0);
        session.close().await;
        ended
    }

    async fn consume_from(
        &self,
        session: &mut Session,
        stop: &CancellationToken,
    ) -> Result<(), BoxError> {
        loop {
            fault_point::pass(FaultPoint::BeforeDelivery);
            let work = tokio::select! {
                () = stop.cancelled() => return Ok(()),
                work = session.next() => work?,
            };
            self.metrics.holds(work.batch().len());
            fault_point::pass(FaultPoint::AfterDelivery);
            self.settle_stubbornly(session, work, stop).await?;
        }
    }

    /// Connects and starts consuming.
    pub async fn connect(&self) -> Result<Session, BoxError> {
        let trust = self.schedule.trust;
        Session::connect(self.pool.unmeasured(), &self.broker, H::QUEUE, trust).await
    }

    /// Settles a batch: all its events, letters and deferred rows are committed when this returns, and nothing is
    /// acknowledged.
    pub async fn settle(&self, session: &mut Session, batch: &mut Batch) -> Result<(), Failure> {
        let instants = Instants {
            horizon: session
                .horizon(self.pool.unmeasured())
                .await
                .map_err(Failure::away)?,
            now: OffsetDateTime::now_utc(),
        };
        let entries: Vec<_> = batch
            .deliveries
            .iter()
            .flat_map(|taken| {
                let (origin, data) = (Origin::Delivery(taken), &taken.delivery.data);
                Entry::of_message(&self.handler, data, origin, instants)
            })
            .collect();
        session.count(entries.len());
        self.metrics.took(&entries);
        let mut settled = Ok(());
        for chunk in entries.chunks(MAX_BATCH_EVENTS) {
            settled = self.settling().settle(Lot::Queue, chunk).await;
            if settled.is_err() {
                break;
            }
        }
        batch.was_tried();
        settled
    }

    /// Keeps what the broker gave up delivering as dead letters.
    async fn drain(&self, batch: &mut Batch) -> Result<(), Failure> {
        let letters: Vec<_> = batch
            .deliveries
            .iter()
            .map(|taken| {
                let rejection = Rejection::new(
                    ReasonClass::Broker,
                    "the broker gave up delivering it; its headers say why",
                );
                Entry::of_unopened(&taken.delivery.data, Origin::Delivery(taken), rejection)
            })
            .collect();
        let settled = self.settling().settle(Lot::Queue, &letters).await;
        batch.was_tried();
        settled
    }

    /// Settles and acknowledges, again and again while the cause is passing; what was committed meanwhile is a duplicate
    /// then. While the database is away nothing more is taken from the broker.
    async fn settle_stubbornly(
        &self,
        session: &mut Session,
        mut work: Work,
        stop: &CancellationToken,
    ) -> Result<(), BoxError> {
        let mut patience = Patience::new(stop, H::QUEUE.name, self.schedule.keep_deliveries);
        loop {
            let settled = match &mut work {
                Work::Batch(batch) => self.settle(session, batch).await,
                Work::Dead(letters) => self.drain(letters).await,
            };
            let Err(failure) = settled else { break };
            if !session.is_connected() {
                return Err(failure.into());
            }
            let away = matches!(failure, Failure::Away(_));
            if away {
                session.pause().await?;
                self.metrics.paused.set(1);
            }
            patience.bear(failure).await?;
            if !away {
                self.take_up_again(session).await?;
                if let Work::Batch(batch) = &mut work {
                    session.join(batch);
                    self.metrics.holds(batch.len());
                }
            }
        }
        fault_point::pass(FaultPoint::BeforeAck);
        let acknowledging = Instant::now();
        work.batch().acknowledge().await?;
        self.metrics.acknowledged(acknowledging.elapsed());
        fault_point::pass(FaultPoint::AfterAck);
        self.take_up_again(session).await
    }

    /// Consumes again if it had paused.
    async fn take_up_again(&self, session: &mut Session) -> Result<(), BoxError> {
        if session.is_paused() {
            session.resume().await?;
            self.metrics.paused.set(0);
            tracing::info!(
                queue = H::QUEUE.name,
                "the database is back; consuming again"
            );
        }
        Ok(())
    }

    const fn settling(&self) -> Settling<'_, H> {
        Settling {
            handler: &self.handler,
            pool: &self.pool,
            schedule: &self.schedule,
            metrics: &self.metrics,
        }
    }
}
