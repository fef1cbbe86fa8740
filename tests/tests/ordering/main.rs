//! Relays as processes of their own: along every key, events arrive in the order of their commits and none is lost, however
//! their relays are stopped, killed, frozen or blocked.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helper functions included"
)]

mod blocked;
mod frozen;
mod relays;
mod stopped;
