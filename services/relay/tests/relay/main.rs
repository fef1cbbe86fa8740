//! The relay against a real Postgres and a real RabbitMQ, driven step by step.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail like the tests themselves"
)]

mod fencing;
mod publishing;
mod sharing;
mod support;
