//! Traces: an order's whole way as one tree of spans, at a collector that speaks OpenTelemetry's protocol.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helper functions included"
)]

mod again;
mod collector_away;
mod sampling;
mod tree;
mod way;
