//! The messaging core against a real Postgres and a real RabbitMQ.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail like the tests themselves"
)]

mod consumer;
mod database_away;
mod dead_letters;
mod deferred;
mod discard;
mod doorbell;
mod idempotency;
mod lanes;
mod operators;
mod outbox;
mod outbox_status;
mod plans;
mod pool;
mod redrive;
mod retention;
mod roles;
mod schema;
mod seek;
mod support;
mod watch;
