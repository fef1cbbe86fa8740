//! The order service against a real Postgres and a real RabbitMQ, through its router, its consumer and its sockets.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helper functions included"
)]

mod bad_input;
mod cancelling;
mod constraints;
mod consuming;
mod documentation;
mod events;
mod fixture;
mod idempotency;
mod intake;
mod load;
mod original;
mod placing;
mod plans;
mod push_log;
mod reading;
mod reconciler;
mod rights;
mod server_sent;
mod settlement;
mod socket_ends;
mod stream;
mod tail;
