//! Messages no program of ours would send, published past the outbox: each ends in dead letters with its reason, and the
//! next good message is handled within a second.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helper functions included"
)]

mod event;
mod orders;
mod payments;
mod site;
