//! The message relay: carries a database's outbox to RabbitMQ.
//!
//! Relays own lanes by leases, read what became visible since their cursor, publish it in batches with confirms, and
//! write the cursor back rarely. Dying between a publish and the write-back publishes again what the consumers' inboxes
//! already know; nothing is skipped.

mod cursor;
mod line;
mod metrics;
mod planner;
mod relay;
mod window;

pub use planner::EVENTS_PER_MESSAGE;
pub use relay::{Relay, RelayError, Settings};
