//! The watch over a queue of the broker: how much is in it, and who takes it out.

use lapin::{Channel, Connection};
use tokio_util::sync::CancellationToken;

use super::{Watch, repeat};
use crate::{
    broker::{self, BrokerError, BrokerUrl, in_time},
    failure::BoxError,
    metrics::{QueueLabels, QueueReadings},
    topology::{self, Queue},
};

/// The watch over a queue and what the broker gave up delivering from it. It looks as whoever fills the queue, so that it
/// is seen to fill up when its consumers are gone.
#[derive(Debug)]
pub struct QueueWatch {
    queue: Queue,
    broker: BrokerUrl,
    readings: QueueReadings,
    /// None before the first look and after one that failed.
    eye: Option<Eye>,
}

/// A connection that only looks.
#[derive(Debug)]
pub(super) struct Eye {
    pub(super) connection: Connection,
    pub(super) channel: Channel,
}

impl Eye {
    /// Connects under a name.
    pub(super) async fn open(broker: &BrokerUrl, name: &str) -> Result<Self, BrokerError> {
        let connection = broker.connect(name).await?;
        let channel = in_time("open a channel", connection.create_channel()).await?;
        Ok(Self {
            connection,
            channel,
        })
    }

    /// Whether it can still look.
    pub(super) fn is_open(&self) -> bool {
        self.connection.status().connected() && self.channel.status().connected()
    }
}

impl QueueWatch {
    /// A watch over a connection of its own.
    #[must_use]
    pub const fn new(queue: Queue, broker: BrokerUrl, readings: QueueReadings) -> Self {
        Self {
            queue,
            broker,
            readings,
            eye: None,
        }
    }

    /// Watches until stopped, reconnecting by itself.
    pub async fn run(mut self, stop: CancellationToken) {
        repeat(&mut self, &stop).await;
        if let Some(Eye { connection, .. }) = self.eye {
            broker::close(connection).await;
        }
    }

    async fn look(&self, channel: &Channel) -> Result<(), BrokerError> {
        let mut ready = Vec::new();
        let mut consumers = Vec::new();
        for queue in [self.queue.name, self.queue.dead] {
            let found = topology::find(channel, queue).await?;
            let labels = QueueLabels { queue };
            ready.push((labels.clone(), i64::from(found.message_count())));
            consumers.push((labels, i64::from(found.consumer_count())));
        }
        self.readings.ready.show(self.queue.name, ready);
        self.readings.consumers.show(self.queue.name, consumers);
        Ok(())
    }
}

impl Watch for QueueWatch {
    const WHAT: &'static str = "the broker's queues";

    async fn read(&mut self) -> Result<(), BoxError> {
        let eye = match self.eye.take() {
            Some(eye) => eye,
            None => Eye::open(&self.broker, "gozon watch").await?,
        };
        match self.look(&eye.channel).await {
            Ok(()) => self.eye = Some(eye),
            Err(error) => {
                broker::close(eye.connection).await;
                return Err(error.into());
            }
        }
        Ok(())
    }

    fn withdraw(&self) {
        self.readings.withdraw_queue(self.queue.name);
    }
}
