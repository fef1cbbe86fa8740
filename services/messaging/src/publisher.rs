//! The publisher: one connection that only publishes, with confirms and `mandatory`; every answer of the broker is data.

use std::time::Duration;

use contracts::cloud_event::BATCH_CONTENT_TYPE;
use lapin::{
    BasicProperties, Channel, Confirmation, Connection, ConnectionStatus,
    options::{BasicPublishOptions, ConfirmSelectOptions},
};
use uuid::Uuid;

mod fence;

use crate::{
    broker::{self, BrokerError, BrokerUrl, in_time},
    fault_point::{self, FaultPoint},
    lease::BrokerState,
    topology,
};

/// How long the broker may take to answer a publish.
pub const CONFIRM_TIMEOUT: Duration = Duration::from_secs(10);

/// How often a publish that is not answered is looked after.
const CONFIRM_LOOKS: u32 = 20;

/// AMQP's delivery mode of a message that survives a restart of the broker.
const PERSISTENT: u8 = 2;

/// An AMQP message to be published: a batch of events of one type.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// The type of all its events, which is the routing key.
    pub kind: String,
    /// The id of the first event: a name for the message in the broker's own views.
    pub message_id: Uuid,
    /// The batch in JSON.
    pub body: Vec<u8>,
}

/// What became of a publish.
#[derive(Debug)]
pub enum Answer {
    /// Stored by every queue it belongs to.
    Confirmed,
    /// No queue takes this type: the topology is not there.
    Returned,
    /// The broker could not store it now.
    Nacked,
    /// No answer in time: it may or may not be stored.
    TimedOut,
    /// The connection failed under it: it may or may not be stored.
    Failed(lapin::Error),
}

impl Answer {
    /// The answer's stable name.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Returned => "returned",
            Self::Nacked => "nacked",
            Self::TimedOut => "timed_out",
            Self::Failed(_) => "failed",
        }
    }

    /// Whether the broker lacks what the message should go to: a queue for its type, or the exchange itself.
    #[must_use]
    pub fn lacks_topology(&self) -> bool {
        match self {
            Self::Returned => true,
            Self::Failed(error) => fence::code(error) == Some(fence::NOT_FOUND),
            Self::Confirmed | Self::Nacked | Self::TimedOut => false,
        }
    }
}

/// How a publisher's connection stands, for whoever does not have the publisher at hand.
#[derive(Debug, Clone)]
pub struct Link(ConnectionStatus);

impl Link {
    /// How the broker is seen over it.
    #[must_use]
    pub fn broker(&self) -> BrokerState {
        match (self.0.connected(), self.0.blocked()) {
            (false, _) => BrokerState::Away,
            (true, true) => BrokerState::Blocked,
            (true, false) => BrokerState::Ok,
        }
    }
}

/// A connection that publishes, and the queue that shows to others whether it lives.
#[derive(Debug)]
pub struct Publisher {
    connection: Connection,
    channel: Channel,
    fence: String,
}

impl Publisher {
    /// Connects under a name and declares the fence; refuses to work without confirms.
    pub async fn connect(broker: &BrokerUrl, name: &str) -> Result<Self, BrokerError> {
        let connection = broker.connect(name).await?;
        let channel = in_time("open a channel", connection.create_channel()).await?;
        in_time(
            "ask for confirms",
            channel.confirm_select(ConfirmSelectOptions::default()),
        )
        .await?;
        let fence = fence::declare(&channel).await?;
        Ok(Self {
            connection,
            channel,
            fence,
        })
    }

    /// The name of this connection's fence.
    #[must_use]
    pub fn fence(&self) -> &str {
        &self.fence
    }

    /// Whether the connection behind another fence is gone: nothing it wrote can reach a queue any more.
    pub async fn is_gone(&self, fence: &str) -> Result<bool, BrokerError> {
        // A channel of its own: the refusal, which is the answer, closes the channel it was asked on.
        let channel = in_time("open a channel", self.connection.create_channel()).await?;
        fence::is_gone(&channel, fence).await
    }

    /// How its connection stands, from now on.
    #[must_use]
    pub fn link(&self) -> Link {
        Link(self.connection.status().clone())
    }

    /// Whether the broker asked to pause; nothing should be published until it lets go.
    #[must_use]
    pub fn is_blocked(&self) -> bool {
        self.connection.status().blocked()
    }

    /// Whether the connection and its channel still work.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        self.connection.status().connected() && self.channel.status().connected()
    }

    /// Publishes a message when first polled and ends with the broker's answer. While the broker blocks the connection
    /// it reads nothing from it, so that time does not count as silence.
    pub fn send(&self, message: Outgoing) -> impl Future<Output = Answer> + Send + use<> {
        let (channel, status) = (self.channel.clone(), self.connection.status().clone());
        async move {
            let mut answered = std::pin::pin!(send(&channel, &message));
            let mut silent = 0;
            while silent < CONFIRM_LOOKS {
                match tokio::time::timeout(CONFIRM_TIMEOUT / CONFIRM_LOOKS, &mut answered).await {
                    Ok(Ok(confirmation)) => return answer(&confirmation),
                    Ok(Err(error)) => return Answer::Failed(error),
                    Err(_) if status.blocked() && status.connected() => silent = 0,
                    Err(_) => silent += 1,
                }
            }
            Answer::TimedOut
        }
    }

    /// Declares the topology again, after the broker returned a message.
    pub async fn declare_topology(&self) -> Result<(), BrokerError> {
        // A channel of its own: a refused declaration closes the channel it was tried on.
        let channel = in_time("open a channel", self.connection.create_channel()).await?;
        topology::declare_on(&channel).await?;
        in_time("close a channel", channel.close(200, "done".into())).await
    }

    /// Closes the connection; what was confirmed stays confirmed. Says whether the broker agreed: if it did not, the
    /// connection may live on its side, and its fence with it.
    pub async fn close(self) -> bool {
        broker::close(self.connection).await
    }
}

async fn send(channel: &Channel, message: &Outgoing) -> Result<Confirmation, lapin::Error> {
    let properties = BasicProperties::default()
        .with_content_type(BATCH_CONTENT_TYPE.into())
        .with_delivery_mode(PERSISTENT)
        .with_type(message.kind.as_str().into())
        .with_message_id(message.message_id.to_string().into());
    let mandatory = BasicPublishOptions {
        mandatory: true,
        ..BasicPublishOptions::default()
    };
    fault_point::pass(FaultPoint::BeforePublish);
    let confirm = channel
        .basic_publish(
            topology::EXCHANGE.into(),
            message.kind.as_str().into(),
            mandatory,
            &message.body,
            properties,
        )
        .await?;
    fault_point::pass(FaultPoint::AfterPublish);
    let confirmation = confirm.await?;
    fault_point::pass(FaultPoint::BeforeConfirm);
    Ok(confirmation)
}

fn answer(confirmation: &Confirmation) -> Answer {
    match confirmation {
        Confirmation::Ack(None) => Answer::Confirmed,
        // An unroutable message is confirmed too; only the returned copy tells.
        Confirmation::Ack(Some(_)) => Answer::Returned,
        // NotRequested cannot be: the channel asked for confirms. It would mean no promise, which is what a nack means.
        Confirmation::Nack(_) | Confirmation::NotRequested => Answer::Nacked,
    }
}
