//! The consumer: takes deliveries in micro-batches, settles each in one transaction, and acknowledges after its commit.
//!
//! Consumers of a queue compete and no handler relies on order. Nothing is ever sent back for a passing cause: the
//! deliveries are kept and tried again, for the broker counts what is sent back towards its delivery limit.

mod envelope;
mod origin;
mod patience;
mod settle;

use std::time::Duration;

use contracts::{EventId, TraceContext};
use futures_util::{FutureExt, StreamExt};
use lapin::{
    Channel, Connection,
    message::Delivery,
    options::{BasicAckOptions, BasicConsumeOptions, BasicQosOptions},
    types::FieldTable,
};
use sqlx::{PgPool, PgTransaction};
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

pub use envelope::{Event, MAX_MESSAGE_BYTES, MAX_MESSAGE_EVENTS};

use self::patience::Patience;
use crate::{
    broker::{self, BrokerError, BrokerUrl, in_time, refused},
    dead_letter::DeadLetter,
    failure::{BoxError, Failure, ReasonClass, Rejection},
    inbox,
    metrics::Metrics,
    topology::Queue,
};

/// The most events settled in one transaction.
pub const MAX_BATCH_EVENTS: usize = 500;

/// The most AMQP messages the broker hands over before the first is acknowledged.
const PREFETCH: u16 = 64;

/// How often the oldest kept inbox partition is looked up.
const HORIZON_REFRESH: Duration = Duration::from_mins(1);

/// Pauses between attempts, doubled from the first to the last.
const RETRY: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));

/// A message with what the handler needs to know of its event.
#[derive(Debug, Clone)]
pub struct Received<T> {
    /// The event's identity.
    pub event_id: EventId,
    /// The trace it belongs to.
    pub trace: TraceContext,
    /// When the consumer took it up.
    pub received_at: OffsetDateTime,
    /// The decoded message.
    pub message: T,
}

/// One event of a batch that becomes a dead letter while the rest stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// Its place in the batch.
    pub index: usize,
    /// Why.
    pub rejection: Rejection,
}

/// What a service does with the messages of one queue.
pub trait Handler: Send + Sync + 'static {
    /// The messages it understands.
    type Message: Clone + Send + Sync;
    /// The queue it consumes.
    const QUEUE: Queue;

    /// Reads an event's message: type, version, fields and ranges. No I/O.
    fn decode(&self, event: &Event) -> Result<Self::Message, Rejection>;

    /// Has the effect of a batch in the given transaction. Each event is here for the first time under its id; the
    /// business guard (the payment row, the order's status) must hold by itself all the same.
    fn settle(
        &self,
        tx: &mut PgTransaction<'_>,
        batch: &[Received<Self::Message>],
    ) -> impl Future<Output = Result<Vec<Rejected>, Failure>> + Send;

    /// Called after the commit, to ring doorbells.
    fn committed(&self);
}

/// A consumer of one queue.
#[derive(Debug)]
pub struct Consumer<H> {
    handler: H,
    pool: PgPool,
    broker: BrokerUrl,
    metrics: Metrics,
}

/// Deliveries taken together, to be settled and acknowledged.
#[derive(Debug)]
pub struct Batch {
    deliveries: Vec<Delivery>,
}

impl Batch {
    /// How many AMQP messages it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.deliveries.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.deliveries.is_empty()
    }

    /// Acknowledges it, once settled. Its deliveries and all before them on their channel are settled, so one frame does.
    /// A tag belongs to its channel: after a reconnect this fails instead of hitting another message.
    pub async fn acknowledge(&self) -> Result<(), BrokerError> {
        let Some(last) = self.deliveries.last() else {
            return Ok(());
        };
        let all_before = BasicAckOptions { multiple: true };
        if in_time("acknowledge", last.acker.ack(all_before)).await? {
            Ok(())
        } else {
            Err(BrokerError::Ended)
        }
    }

    /// Whether the broker delivers any of it again.
    #[must_use]
    pub fn redelivered(&self) -> bool {
        self.deliveries.iter().any(|delivery| delivery.redelivered)
    }
}

/// What there is to do next.
enum Work {
    /// Deliveries to be settled.
    Batch(Batch),
    /// Something the broker gave up delivering.
    Dead(Box<Delivery>),
}

/// A connection that consumes.
pub struct Session {
    queue: &'static str,
    connection: Connection,
    /// Held because a channel that is dropped closes.
    _channels: [Channel; 2],
    deliveries: lapin::Consumer,
    dead: lapin::Consumer,
    horizon: OffsetDateTime,
    horizon_read_at: tokio::time::Instant,
}

impl<H: Handler> Consumer<H> {
    /// A consumer that settles through `pool`, as the writer.
    pub fn new(handler: H, pool: PgPool, broker: BrokerUrl, metrics: Metrics) -> Self {
        Self {
            handler,
            pool,
            broker,
            metrics,
        }
    }

    /// Consumes until stopped, reconnecting by itself. On stop the batch in hand is settled and acknowledged first.
    pub async fn run(self, stop: CancellationToken) {
        let mut pause = RETRY.0;
        while !stop.is_cancelled() {
            match self.consume(&stop, &mut pause).await {
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
        loop {
            let work = tokio::select! {
                () = stop.cancelled() => break,
                work = session.next() => work?,
            };
            match work {
                Work::Batch(batch) => {
                    self.settle_stubbornly(&mut session, &batch, stop).await?;
                    batch.acknowledge().await?;
                }
                Work::Dead(delivery) => self.drain(&session, &delivery, stop).await?,
            }
        }
        broker::close(session.connection).await;
        Ok(())
    }

    /// Connects and starts consuming.
    pub async fn connect(&self) -> Result<Session, BoxError> {
        let horizon = inbox::horizon(&self.pool).await?;
        let connection = self
            .broker
            .connect(&format!("gozon consumer {}", H::QUEUE.name))
            .await?;
        let (channel, deliveries) = subscribe(&connection, H::QUEUE.name).await?;
        let (dead_channel, dead) = subscribe(&connection, H::QUEUE.dead).await?;
        let horizon_read_at = tokio::time::Instant::now();
        Ok(Session {
            queue: H::QUEUE.name,
            connection,
            _channels: [channel, dead_channel],
            deliveries,
            dead,
            horizon,
            horizon_read_at,
        })
    }

    /// Settles a batch: all its events and dead letters are committed when this returns, and nothing is acknowledged.
    pub async fn settle(&self, session: &mut Session, batch: &Batch) -> Result<(), BoxError> {
        session.refresh_horizon(&self.pool).await?;
        let now = OffsetDateTime::now_utc();
        let mut items = Vec::new();
        let mut letters: Vec<DeadLetter> = Vec::new();
        for delivery in &batch.deliveries {
            let origin = origin::Origin::of(delivery);
            for opened in envelope::open(delivery, &origin, session.horizon, now) {
                let item = opened.and_then(|(event, body)| {
                    settle::decode(&self.handler, event, body, &origin, now)
                });
                match item {
                    Ok(item) => items.push(item),
                    Err(letter) => letters.push(*letter),
                }
            }
        }
        if !letters.is_empty() {
            settle::settle(&self.handler, &self.pool, &self.metrics, &[], &letters).await?;
        }
        for chunk in items.chunks(MAX_BATCH_EVENTS) {
            settle::settle(&self.handler, &self.pool, &self.metrics, chunk, &[]).await?;
        }
        self.handler.committed();
        Ok(())
    }

    /// Settles a batch, again and again while the cause is passing; what was committed meanwhile is a duplicate then.
    async fn settle_stubbornly(
        &self,
        session: &mut Session,
        batch: &Batch,
        stop: &CancellationToken,
    ) -> Result<(), BoxError> {
        let mut patience = Patience::new(stop);
        while let Err(error) = self.settle(session, batch).await {
            patience.bear(error, session).await?;
        }
        Ok(())
    }

    /// Keeps what the broker gave up delivering as a dead letter.
    async fn drain(
        &self,
        session: &Session,
        delivery: &Delivery,
        stop: &CancellationToken,
    ) -> Result<(), BoxError> {
        let rejection = Rejection::new(
            ReasonClass::Broker,
            "the broker gave up delivering it; its headers say why",
        );
        let letter = origin::Origin::of(delivery).letter(&delivery.data, rejection);
        let letters = [*letter];
        let mut patience = Patience::new(stop);
        while let Err(error) =
            settle::settle(&self.handler, &self.pool, &self.metrics, &[], &letters).await
        {
            patience.bear(error, session).await?;
        }
        let one = BasicAckOptions::default();
        in_time("acknowledge", delivery.acker.ack(one)).await?;
        Ok(())
    }
}

async fn subscribe(
    connection: &Connection,
    queue: &'static str,
) -> Result<(Channel, lapin::Consumer), BrokerError> {
    let channel = in_time("open a channel", connection.create_channel()).await?;
    in_time(
        "set the prefetch",
        channel.basic_qos(PREFETCH, BasicQosOptions::default()),
    )
    .await?;
    let deliveries = in_time(
        "consume a queue",
        channel.basic_consume(
            queue.into(),
            "".into(),
            BasicConsumeOptions::default(),
            FieldTable::default(),
        ),
    )
    .await?;
    Ok((channel, deliveries))
}

impl Session {
    async fn next(&mut self) -> Result<Work, BrokerError> {
        let Self {
            deliveries, dead, ..
        } = self;
        tokio::select! {
            batch = next_batch(deliveries) => batch.map(Work::Batch),
            letter = dead.next() => letter.ok_or(BrokerError::Ended)?.map(|letter| Work::Dead(Box::new(letter))).map_err(refused("deliver")),
        }
    }

    /// Waits for a delivery and takes those that are there already: alone when idle, together under load.
    pub async fn next_batch(&mut self) -> Result<Batch, BrokerError> {
        next_batch(&mut self.deliveries).await
    }

    async fn refresh_horizon(&mut self, pool: &PgPool) -> Result<(), sqlx::Error> {
        if self.horizon_read_at.elapsed() > HORIZON_REFRESH {
            self.horizon = inbox::horizon(pool).await?;
            self.horizon_read_at = tokio::time::Instant::now();
        }
        Ok(())
    }
}

async fn next_batch(queue: &mut lapin::Consumer) -> Result<Batch, BrokerError> {
    let first = queue
        .next()
        .await
        .ok_or(BrokerError::Ended)?
        .map_err(refused("deliver"))?;
    let mut deliveries = vec![first];
    while deliveries.len() < usize::from(PREFETCH) {
        match queue.next().now_or_never() {
            Some(Some(Ok(delivery))) => deliveries.push(delivery),
            // An end or an error shows again at the next call.
            Some(_) | None => break,
        }
    }
    Ok(Batch { deliveries })
}
