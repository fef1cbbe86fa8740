//! A plain AMQP client for tests: publishes what no program of ours would, and looks into queues.

use lapin::{
    BasicProperties, Channel, Confirmation, Connection, ConnectionProperties,
    message::BasicGetMessage,
    options::{BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions},
    types::FieldTable,
};

/// A connection to one vhost and a channel with confirms on it.
pub struct RawBroker {
    connection: Connection,
    channel: Channel,
}

impl RawBroker {
    /// Connects to an AMQP URL.
    ///
    /// # Panics
    /// When the broker refuses.
    pub async fn connect(url: &str) -> Self {
        let connection = Connection::connect(url, ConnectionProperties::default())
            .await
            .unwrap_or_else(|error| panic!("cannot connect to the broker: {error}"));
        let channel = open_channel(&connection).await;
        channel
            .confirm_select(ConfirmSelectOptions::default())
            .await
            .expect("the broker takes a channel into confirm mode");
        Self {
            connection,
            channel,
        }
    }

    /// The channel, for what has no method here.
    #[must_use]
    pub const fn channel(&self) -> &Channel {
        &self.channel
    }

    /// Publishes arbitrary bytes and waits for the broker's answer. False when no queue was bound to the key.
    ///
    /// # Panics
    /// When the broker does not confirm.
    pub async fn publish(
        &self,
        exchange: &str,
        routing_key: &str,
        properties: BasicProperties,
        body: &[u8],
    ) -> bool {
        let options = BasicPublishOptions {
            mandatory: true,
            ..BasicPublishOptions::default()
        };
        let confirmation = self
            .channel
            .basic_publish(
                exchange.into(),
                routing_key.into(),
                options,
                body,
                properties,
            )
            .await
            .expect("the broker takes the message")
            .await
            .expect("the broker answers");
        match confirmation {
            Confirmation::Ack(None) => true,
            Confirmation::Ack(Some(_returned)) => false,
            other => panic!("the broker refused the message: {other:?}"),
        }
    }

    /// How many messages wait in a queue (those delivered and not yet acknowledged do not count); None when there is
    /// no such queue.
    pub async fn depth(&self, queue: &str) -> Option<u32> {
        Some(self.look_at(queue).await?.message_count())
    }

    /// Whether somebody consumes from a queue; not if there is no such queue.
    pub async fn is_consumed(&self, queue: &str) -> bool {
        let found = self.look_at(queue).await;
        found.is_some_and(|queue| queue.consumer_count() > 0)
    }

    async fn look_at(&self, queue: &str) -> Option<lapin::Queue> {
        // A passive declare of what is not there closes its channel, so it gets one of its own.
        let channel = open_channel(&self.connection).await;
        let options = QueueDeclareOptions {
            passive: true,
            ..QueueDeclareOptions::default()
        };
        let queue = channel
            .queue_declare(queue.into(), options, FieldTable::default())
            .await
            .ok()?;
        channel.close(200, "done".into()).await.ok();
        Some(queue)
    }

    /// Looks at up to `limit` waiting messages and leaves them where they are. Each look counts as a delivery.
    ///
    /// # Panics
    /// When there is no such queue, or its contents may not be read.
    pub async fn peek(&self, queue: &str, limit: usize) -> Vec<BasicGetMessage> {
        let channel = open_channel(&self.connection).await;
        let mut seen = Vec::new();
        while seen.len() < limit {
            let message = channel
                .basic_get(queue.into(), BasicGetOptions { no_ack: false })
                .await
                .expect("the queue can be read");
            let Some(message) = message else { break };
            seen.push(message);
        }
        // Closing the channel puts everything unacknowledged back into its place.
        channel
            .close(200, "done".into())
            .await
            .expect("the channel closes");
        seen
    }
}

async fn open_channel(connection: &Connection) -> Channel {
    connection
        .create_channel()
        .await
        .expect("the broker opens a channel")
}
