//! A connection that consumes: what it delivers, what it holds, and how it pauses without giving anything back.

use std::{collections::VecDeque, time::Duration};

use futures_util::{FutureExt, StreamExt};
use lapin::{
    Channel, Connection,
    message::Delivery,
    options::{BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicQosOptions},
    types::FieldTable,
};
use sqlx::PgPool;
use time::OffsetDateTime;
use tokio::time::Instant;

use crate::{
    broker::{self, BrokerError, BrokerUrl, in_time, refused},
    failure::BoxError,
    inbox,
    pace::Pace,
    span::Attempt,
    topology::Queue,
};

/// The most AMQP messages the broker hands over before the first is acknowledged.
const PREFETCH: u16 = 64;

/// How long companions of a delivery are waited for where events come together.
const GATHER: Duration = Duration::from_millis(1);

/// How often the oldest kept inbox partition is looked up.
const HORIZON_REFRESH: Duration = Duration::from_mins(1);

/// Deliveries taken together, to be settled and acknowledged.
#[derive(Debug)]
pub struct Batch {
    pub(super) deliveries: Vec<Taken>,
}

/// A delivery that was taken up.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) delivery: Delivery,
    /// When that was.
    pub(crate) at: Instant,
    pub(super) attempt: Attempt,
}

impl Batch {
    /// An attempt at it was made.
    pub(super) fn was_tried(&mut self) {
        for taken in &mut self.deliveries {
            taken.attempt = Attempt::Again;
        }
    }

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
        if in_time("acknowledge", last.delivery.acker.ack(all_before)).await? {
            Ok(())
        } else {
            Err(BrokerError::Ended)
        }
    }

    /// Whether the broker delivers any of it again.
    #[must_use]
    pub fn redelivered(&self) -> bool {
        self.deliveries
            .iter()
            .any(|taken| taken.delivery.redelivered)
    }
}

/// What there is to do next.
pub(super) enum Work {
    /// Deliveries to be settled.
    Batch(Batch),
    /// Something the broker gave up delivering.
    Dead(Batch),
}

impl Work {
    pub(super) const fn batch(&self) -> &Batch {
        match self {
            Self::Batch(batch) | Self::Dead(batch) => batch,
        }
    }
}

/// A connection that consumes.
pub struct Session {
    connection: Connection,
    deliveries: Subscription,
    dead: Subscription,
    pace: Pace,
    horizon: OffsetDateTime,
    horizon_read_at: Instant,
}

impl Session {
    /// Connects and starts consuming; the database is asked first, for without it nothing can be settled.
    pub(super) async fn connect(
        pool: &PgPool,
        broker: &BrokerUrl,
        queue: Queue,
        trust: Duration,
    ) -> Result<Self, BoxError> {
        let horizon = inbox::horizon(pool).await?;
        let name = format!("gozon consumer {}", queue.name);
        let connection = broker.connect(&name).await?;
        Ok(Self {
            deliveries: Subscription::open(&connection, queue.name, trust).await?,
            dead: Subscription::open(&connection, queue.dead, trust).await?,
            connection,
            pace: Pace::new(GATHER, Instant::now()),
            horizon,
            horizon_read_at: Instant::now(),
        })
    }

    /// Waits for a delivery and takes those that are there already: alone when idle, together under load.
    pub async fn next_batch(&mut self) -> Result<Batch, BrokerError> {
        self.deliveries.wait().await?;
        Ok(self.gather().await)
    }

    pub(super) async fn next(&mut self) -> Result<Work, BrokerError> {
        loop {
            let stale_at = self.deliveries.trusted_until.min(self.dead.trusted_until);
            tokio::select! {
                biased;
                waited = self.deliveries.wait() => {
                    waited?;
                    return Ok(Work::Batch(self.gather().await));
                }
                waited = self.dead.wait() => {
                    waited?;
                    return Ok(Work::Dead(self.dead.take(1)));
                }
                () = tokio::time::sleep_until(stale_at) => {}
            }
            for subscription in [&mut self.deliveries, &mut self.dead] {
                subscription.renew_if_stale().await?;
            }
        }
    }

    /// A delivery is there. Where events come together its companions are a moment behind: what was appended together
    /// comes as a message for each type and each hundred events.
    async fn gather(&mut self) -> Batch {
        if self.pace.has_company() {
            tokio::time::sleep(GATHER).await;
        }
        self.deliveries.take(usize::from(PREFETCH))
    }

    /// A batch turned out to have so many events.
    pub(super) fn count(&mut self, events: usize) {
        self.pace.began(Instant::now(), events);
    }

    /// Takes what was delivered meanwhile into a batch that is being tried again: it may be settled although the rest is
    /// not, and then the rest is to blame.
    pub(super) fn join(&mut self, batch: &mut Batch) {
        let limit = usize::from(PREFETCH).saturating_sub(batch.len());
        batch.deliveries.extend(self.deliveries.ready(limit));
    }

    /// Takes nothing more from the broker and keeps what is in hand, so that other consumers get what waits in the queue.
    pub(super) async fn pause(&mut self) -> Result<(), BrokerError> {
        self.deliveries.pause().await?;
        self.dead.pause().await
    }

    /// Consumes again after a pause.
    pub(super) async fn resume(&mut self) -> Result<(), BrokerError> {
        self.deliveries.resume().await?;
        self.dead.resume().await
    }

    pub(super) const fn is_paused(&self) -> bool {
        self.deliveries.consumer.is_none() || self.dead.consumer.is_none()
    }

    pub(super) fn is_connected(&self) -> bool {
        self.connection.status().connected()
    }

    /// The oldest instant the inbox keeps.
    pub(super) async fn horizon(&mut self, pool: &PgPool) -> Result<OffsetDateTime, sqlx::Error> {
        if self.horizon_read_at.elapsed() > HORIZON_REFRESH {
            self.horizon = inbox::horizon(pool).await?;
            self.horizon_read_at = Instant::now();
        }
        Ok(self.horizon)
    }

    /// Closes the connection; what is not acknowledged goes back to the queue.
    pub(super) async fn close(self) {
        broker::close(self.connection).await;
    }
}

/// What one queue delivers, over a channel of its own.
struct Subscription {
    queue: &'static str,
    channel: Channel,
    /// None during a pause.
    consumer: Option<lapin::Consumer>,
    /// Delivered and not taken up yet, oldest first.
    kept: VecDeque<Delivery>,
    trust: Duration,
    trusted_until: Instant,
}

impl Subscription {
    async fn open(
        connection: &Connection,
        queue: &'static str,
        trust: Duration,
    ) -> Result<Self, BrokerError> {
        let channel = in_time("open a channel", connection.create_channel()).await?;
        let prefetch = channel.basic_qos(PREFETCH, BasicQosOptions::default());
        in_time("set the prefetch", prefetch).await?;
        let mut subscription = Self {
            queue,
            channel,
            consumer: None,
            kept: VecDeque::new(),
            trust,
            trusted_until: Instant::now(),
        };
        subscription.resume().await?;
        Ok(subscription)
    }

    /// Subscribes anew if nothing came for long: a queue that is gone says so then.
    async fn renew_if_stale(&mut self) -> Result<(), BrokerError> {
        if Instant::now() >= self.trusted_until {
            self.pause().await?;
            self.resume().await?;
        }
        Ok(())
    }

    /// Waits until there is a delivery.
    async fn wait(&mut self) -> Result<(), BrokerError> {
        if self.kept.is_empty() {
            let consumer = self.consumer.as_mut().ok_or(BrokerError::Ended)?;
            let first = consumer.next().await.ok_or(BrokerError::Ended)?;
            self.kept.push_back(first.map_err(refused("deliver"))?);
        }
        Ok(())
    }

    /// Takes what was delivered already, up to a limit.
    fn take(&mut self, limit: usize) -> Batch {
        Batch {
            deliveries: self.ready(limit),
        }
    }

    /// What was delivered already, up to a limit.
    fn ready(&mut self, limit: usize) -> Vec<Taken> {
        let at = Instant::now();
        let mut ready = Vec::new();
        while ready.len() < limit {
            if let Some(kept) = self.kept.pop_front() {
                ready.push(kept);
                continue;
            }
            let next = self
                .consumer
                .as_mut()
                .map(|queue| queue.next().now_or_never());
            match next {
                Some(Some(Some(Ok(delivery)))) => ready.push(delivery),
                // An end or an error shows again at the next wait.
                _ => break,
            }
        }
        if !ready.is_empty() {
            self.trusted_until = at + self.trust;
        }
        let taken = ready.into_iter().map(|delivery| Taken {
            delivery,
            at,
            attempt: Attempt::First,
        });
        taken.collect()
    }

    async fn pause(&mut self) -> Result<(), BrokerError> {
        let Some(mut consumer) = self.consumer.take() else {
            return Ok(());
        };
        let cancel = self
            .channel
            .basic_cancel(consumer.tag(), BasicCancelOptions::default());
        in_time("cancel a consumer", cancel).await?;
        // What was on its way is here now, and the stream ends behind it.
        while let Some(Some(delivery)) = consumer.next().now_or_never() {
            self.kept.push_back(delivery.map_err(refused("deliver"))?);
        }
        Ok(())
    }

    async fn resume(&mut self) -> Result<(), BrokerError> {
        if self.consumer.is_none() {
            let consume = self.channel.basic_consume(
                self.queue.into(),
                "".into(),
                BasicConsumeOptions::default(),
                FieldTable::default(),
            );
            self.consumer = Some(in_time("consume a queue", consume).await?);
            self.trusted_until = Instant::now() + self.trust;
        }
        Ok(())
    }
}
