//! A look at a queue, whenever somebody asks: as the service that consumes it, over a connection that is kept.

use std::time::Duration;

use tokio::{sync::Mutex, time::timeout};

use super::queue::Eye;
use crate::{
    broker::{self, BrokerError, BrokerUrl},
    topology::{self, Queue},
};

/// How long a look may take, the making of a connection included.
const LOOK_TIME_MAX: Duration = Duration::from_secs(3);

/// How full a queue is, and who takes it out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueDepth {
    /// The queue.
    pub queue: &'static str,
    /// Messages that wait to be delivered.
    pub ready: u32,
    /// Who consumes it.
    pub consumers: u32,
}

/// Looks at a queue and at what the broker gave up delivering from it, one look at a time.
#[derive(Debug)]
pub struct QueueLook {
    queue: Queue,
    broker: BrokerUrl,
    eye: Mutex<Option<Eye>>,
}

impl QueueLook {
    /// Connects when it is first asked.
    #[must_use]
    pub fn new(queue: Queue, broker: BrokerUrl) -> Self {
        Self {
            queue,
            broker,
            eye: Mutex::new(None),
        }
    }

    /// Looks; the queue first, then what the broker gave up on.
    pub async fn look(&self) -> Result<Vec<QueueDepth>, BrokerError> {
        let silent = BrokerError::Silent {
            doing: "look at a queue",
        };
        timeout(LOOK_TIME_MAX, self.try_look())
            .await
            .unwrap_or(Err(silent))
    }

    async fn try_look(&self) -> Result<Vec<QueueDepth>, BrokerError> {
        let mut slot = self.eye.lock().await;
        // Taken out: a look that fails or is given up leaves none behind, and the next one connects anew.
        let eye = match slot.take() {
            Some(eye) if eye.is_open() => eye,
            _ => Eye::open(&self.broker, "gozon look").await?,
        };
        let mut depths = Vec::new();
        for queue in [self.queue.name, self.queue.dead] {
            match topology::find(&eye.channel, queue).await {
                Ok(found) => depths.push(QueueDepth {
                    queue,
                    ready: found.message_count(),
                    consumers: found.consumer_count(),
                }),
                Err(error) => {
                    broker::close(eye.connection).await;
                    return Err(error);
                }
            }
        }
        *slot = Some(eye);
        Ok(depths)
    }
}
