//! The fence: an exclusive queue of a publishing connection, by which others see whether that connection lives.
//!
//! A clock cannot stop a frozen process from writing when it wakes; the broker can. It gives the queue to no other
//! connection while its owner lives, and forgets it with the owner, after everything that came over it was handled.

use lapin::{Channel, ErrorKind, options::QueueDeclareOptions, types::FieldTable};
use uuid::Uuid;

use crate::broker::{BrokerError, in_time};

/// What fences' names begin with; a relay may declare these and the topology, and nothing else.
const PREFIX: &str = "gozon.fence.";

/// The broker's code for a queue that is not there.
pub(super) const NOT_FOUND: u16 = 404;

/// The broker's code for a queue that belongs to another connection.
const RESOURCE_LOCKED: u16 = 405;

/// Declares a fence of this channel's connection; gives its name.
pub(super) async fn declare(channel: &Channel) -> Result<String, BrokerError> {
    let name = format!("{PREFIX}{}", Uuid::new_v4());
    let exclusive = QueueDeclareOptions {
        exclusive: true,
        ..QueueDeclareOptions::default()
    };
    let declared = channel.queue_declare(name.as_str().into(), exclusive, FieldTable::default());
    in_time("declare a fence", declared).await?;
    Ok(name)
}

/// Whether the connection that declared a fence is gone. Uses the channel up.
pub(super) async fn is_gone(channel: &Channel, fence: &str) -> Result<bool, BrokerError> {
    let passive = QueueDeclareOptions {
        passive: true,
        ..QueueDeclareOptions::default()
    };
    let found = channel.queue_declare(fence.into(), passive, FieldTable::default());
    match in_time("look for a fence", found).await {
        // Ours: the connection that asks lives.
        Ok(_) => Ok(false),
        Err(BrokerError::Amqp { doing, source }) => match code(&source) {
            Some(NOT_FOUND) => Ok(true),
            Some(RESOURCE_LOCKED) => Ok(false),
            _ => Err(BrokerError::Amqp { doing, source }),
        },
        Err(other) => Err(other),
    }
}

pub(super) fn code(error: &lapin::Error) -> Option<u16> {
    match error.kind() {
        ErrorKind::ProtocolError(error) => Some(error.get_id()),
        _ => None,
    }
}
