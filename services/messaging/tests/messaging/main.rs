//! The messaging core against a real Postgres and a real RabbitMQ.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail like the tests themselves"
)]

mod consumer;
mod dead_letters;
mod idempotency;
mod operators;
mod outbox;
mod roles;
mod support;
