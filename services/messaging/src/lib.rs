//! The messaging core: what leaves a service through its outbox, what enters through its inbox, and the broker between.

pub mod audit;
pub mod broker;
pub mod consumer;
pub mod consumers;
pub mod dead_letter;
mod deferred;
pub mod doorbell;
pub mod failure;
pub mod fault_point;
pub mod held_snapshot;
pub mod idempotency;
pub mod inbox;
pub mod lane;
pub mod lease;
pub mod metrics;
pub mod operation;
pub mod outbox;
pub mod pace;
pub mod publish_log;
pub mod publisher;
pub mod schema;
pub mod seek;
pub mod snapshot;
pub mod span;
pub mod topology;
pub mod trace;
pub mod watch;
