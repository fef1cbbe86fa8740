//! The topology: exchanges, queues and bindings. Their names stand here and nowhere else.
//!
//! What correctness needs is a queue argument, for a client cannot set policies and one nobody set would drop dead
//! letters in silence. An argument can never be changed, so a queue's name carries a version. A binding can be added to a
//! queue that is there. A consumer of an older version, while an update is under way, takes what came by it for a dead
//! letter of an unknown type; whoever asked asks again under another id.

use std::time::Duration;

use contracts::{
    Message, OrderPlaced, PaymentCaptured, PaymentDeclined, PaymentRefunded, RefundRequested,
    service,
};
use lapin::{
    Channel, ExchangeKind,
    options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable},
};

use crate::broker::{self, BrokerError, BrokerUrl, in_time};

/// Every event goes to this topic exchange, with its type as the routing key.
pub const EXCHANGE: &str = "gozon.events";

/// What a consumer could not settle goes here, with the queue's name as the routing key.
pub const DEAD_LETTER_EXCHANGE: &str = "gozon.dead-letters";

/// How often the broker delivers a message before it gives up; poison is settled by consumers long before.
const DELIVERY_LIMIT: i64 = 20;

/// How often the broker delivers a dead letter before it would drop it: never, for a dead queue has no further exchange.
/// Newer brokers have a limit of 20 where none is said.
const DEAD_DELIVERY_LIMIT: i64 = 1_000_000_000;

/// How often a waiting process looks whether the topology is there.
const WAIT_STEP: Duration = Duration::from_millis(500);

/// A queue: one consumer, one purpose, one version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Queue {
    /// `consumer.purpose.version`.
    pub name: &'static str,
    /// The service that consumes it.
    pub service: &'static str,
    /// The database it is settled in, by the name that metrics have for it.
    pub database: &'static str,
    /// Where the broker puts what it gave up delivering.
    pub dead: &'static str,
    /// The event types it receives.
    pub bindings: &'static [&'static str],
}

/// Orders that want their money, or want it back, for the payment service.
pub const PAYMENT_ORDERS: Queue = Queue {
    name: "payment.orders.v1",
    service: service::PAYMENT,
    database: "payments",
    dead: "payment.orders.v1.dead",
    bindings: &[OrderPlaced::TYPE, RefundRequested::TYPE],
};

/// Decisions about payments, and refunds, for the order service.
pub const ORDER_PAYMENTS: Queue = Queue {
    name: "order.payments.v1",
    service: service::ORDER,
    database: "orders",
    dead: "order.payments.v1.dead",
    bindings: &[
        PaymentCaptured::TYPE,
        PaymentDeclined::TYPE,
        PaymentRefunded::TYPE,
    ],
};

/// All queues.
pub const QUEUES: [Queue; 2] = [PAYMENT_ORDERS, ORDER_PAYMENTS];

/// Declares everything; what stands already is left as it is.
pub async fn declare(broker: &BrokerUrl) -> Result<(), BrokerError> {
    let connection = broker.connect("gozon topology").await?;
    let channel = in_time("open a channel", connection.create_channel()).await?;
    declare_on(&channel).await?;
    broker::close(connection).await;
    Ok(())
}

/// Declares everything over a channel that is there already.
pub(crate) async fn declare_on(channel: &Channel) -> Result<(), BrokerError> {
    let durable = ExchangeDeclareOptions {
        durable: true,
        ..ExchangeDeclareOptions::default()
    };
    for (exchange, kind) in [
        (EXCHANGE, ExchangeKind::Topic),
        (DEAD_LETTER_EXCHANGE, ExchangeKind::Direct),
    ] {
        in_time(
            "declare an exchange",
            channel.exchange_declare(exchange.into(), kind, durable, FieldTable::default()),
        )
        .await?;
    }
    for queue in QUEUES {
        declare_queue(channel, queue.dead, quorum_arguments(DEAD_DELIVERY_LIMIT)).await?;
        bind(channel, queue.dead, DEAD_LETTER_EXCHANGE, queue.name).await?;
        declare_queue(channel, queue.name, queue_arguments(&queue)).await?;
        for routing_key in queue.bindings {
            bind(channel, queue.name, EXCHANGE, routing_key).await?;
        }
    }
    Ok(())
}

/// Waits until a queue is there, looking passively: whoever may not declare anything can still see that.
pub async fn wait(broker: &BrokerUrl, queue: &Queue) {
    let mut told = false;
    while let Err(error) = look(broker, queue).await {
        if !told {
            tracing::info!(
                queue = queue.name,
                error = &error as &dyn std::error::Error,
                "waiting for the broker and its topology, which `gozon migrate` declares"
            );
            told = true;
        }
        tokio::time::sleep(WAIT_STEP).await;
    }
}

async fn look(broker: &BrokerUrl, queue: &Queue) -> Result<(), BrokerError> {
    let connection = broker.connect("gozon look").await?;
    let channel = in_time("open a channel", connection.create_channel()).await?;
    for name in [queue.name, queue.dead] {
        find(&channel, name).await?;
    }
    broker::close(connection).await;
    Ok(())
}

/// Looks at a queue without declaring it; its absence is an error that closes the channel.
pub(crate) async fn find(
    channel: &Channel,
    queue: &'static str,
) -> Result<lapin::Queue, BrokerError> {
    let passive = QueueDeclareOptions {
        passive: true,
        durable: true,
        ..QueueDeclareOptions::default()
    };
    let declare = channel.queue_declare(queue.into(), passive, FieldTable::default());
    in_time("find a queue", declare).await
}

async fn declare_queue(
    channel: &Channel,
    name: &'static str,
    arguments: FieldTable,
) -> Result<(), BrokerError> {
    let durable = QueueDeclareOptions {
        durable: true,
        ..QueueDeclareOptions::default()
    };
    in_time(
        "declare a queue",
        channel.queue_declare(name.into(), durable, arguments),
    )
    .await?;
    Ok(())
}

async fn bind(
    channel: &Channel,
    queue: &str,
    exchange: &str,
    routing_key: &str,
) -> Result<(), BrokerError> {
    in_time(
        "bind a queue",
        channel.queue_bind(
            queue.into(),
            exchange.into(),
            routing_key.into(),
            QueueBindOptions::default(),
            FieldTable::default(),
        ),
    )
    .await
}

/// A quorum queue that refuses rather than drops, and dead-letters at least once.
fn queue_arguments(queue: &Queue) -> FieldTable {
    let mut arguments = quorum_arguments(DELIVERY_LIMIT);
    for (name, value) in [
        ("x-dead-letter-exchange", text(DEAD_LETTER_EXCHANGE)),
        ("x-dead-letter-routing-key", text(queue.name)),
        ("x-dead-letter-strategy", text("at-least-once")),
    ] {
        arguments.insert(name.into(), value);
    }
    arguments
}

fn quorum_arguments(delivery_limit: i64) -> FieldTable {
    let mut arguments = FieldTable::default();
    for (name, value) in [
        ("x-queue-type", text("quorum")),
        ("x-overflow", text("reject-publish")),
        ("x-delivery-limit", AMQPValue::LongLongInt(delivery_limit)),
    ] {
        arguments.insert(name.into(), value);
    }
    arguments
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(value.into())
}

#[cfg(test)]
mod tests;
