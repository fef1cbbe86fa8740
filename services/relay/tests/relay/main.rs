//! The relay against a real Postgres and a real RabbitMQ, driven step by step.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail like the tests themselves"
)]

mod answers;
mod backlog;
mod fencing;
mod interrupted;
mod log;
mod ordering;
mod presence;
mod publishing;
mod restored;
mod sharing;
mod support;
mod window;
