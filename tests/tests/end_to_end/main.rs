//! The shop seen from outside: over HTTP and WebSocket alone, one shop for all, every test with users of its own.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helper functions included"
)]

mod acceptance;
mod audit;
mod bad_input;
mod cancelling;
mod command_line;
mod documentation;
mod idempotency;
mod isolation;
mod logs;
mod metrics;
mod operators;
mod order_life;
mod original_bad_input;
mod page;
mod session;
mod sockets;
mod start;
