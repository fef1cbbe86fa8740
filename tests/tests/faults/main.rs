//! What the shop survives: killed processes, restarted servers, lost tables. Nothing that was accepted is lost, nothing
//! is paid twice, and the books are exact at the end.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helper functions included"
)]

mod broker;
mod forgotten_orders;
mod fresh_broker;
mod graceful_stop;
mod killed_everywhere;
mod killed_processes;
mod load;
mod login_roles;
mod overload;
mod postgres;
mod reconciler;
mod replicas;
mod rolling;
mod tables;
